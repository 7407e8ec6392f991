import {
  type CSSProperties,
  type KeyboardEvent,
  useCallback,
  useMemo,
  useState,
} from "react";
import { backend } from "../backend/backend";
import type { ChangedFile, DiffQuestion, Hunk, View } from "../bindings";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import { PrintedLines } from "../shared/printed/PrintedLines";
import { usePrinted } from "../shared/printed/use-printed";
import { useTextScale } from "../shared/settings-store";
import {
  CONTEXT,
  changesIn,
  type DiffLine,
  type DiffRow,
  diffRows,
} from "./diff-rows";
import { shownText } from "./shown-text";
import { useAnswer } from "./use-answer";
import { changeOf, withoutLines } from "./words";

const ROW = 19;

export interface DiffViewProps {
  worktree: string;
  view: View;
  file: ChangedFile;
  ignoreSpace: boolean;
  /** Another number whenever the file may have changed. */
  tick: number;
}

/** The lines of one file that changed, each after its number before and after; folds open in place. */
export function DiffView({
  worktree,
  view,
  file,
  ignoreSpace,
  tick,
}: DiffViewProps) {
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const question = (context: number | null): DiffQuestion => ({
    view,
    path: file.path,
    from: file.from,
    base: null,
    context,
    ignore_space: ignoreSpace,
  });
  const key = [worktree, view, file.path, file.from, ignoreSpace].join(
    "\u0000",
  );
  const near = useAnswer(key, tick, () =>
    backend.fileDiff(worktree, question(CONTEXT)),
  );
  // Every line, once a fold was opened.
  const all = useAnswer(opened.size > 0 ? key : null, tick, () =>
    backend.fileDiff(worktree, question(null)),
  );
  const content = near.data?.content;
  const hunks = content?.content === "text" ? content.hunks : NONE;
  const whole =
    all.data?.content.content === "text" ? all.data.content.hunks : null;
  const rows = useMemo(
    () => diffRows(hunks, whole, opened),
    [hunks, whole, opened],
  );
  const failed = near.failed ?? all.failed;
  const empty = near.data && withoutLines(near.data.file, near.data.content);
  const shown = near.data?.file ?? file;

  return (
    <section
      className="changes-diff"
      aria-label={`Changes of ${file.path}`}
      data-testid="diff"
      data-path={file.path}
    >
      <header className="changes-diff-head">
        <h3 title={file.path}>{file.path}</h3>
        <span className="faint">{changeOf(shown)}</span>
        {content?.content === "text" && content.encoding === "latin1" && (
          <span className="faint">not UTF-8: read as ISO 8859-1</span>
        )}
        <span className="spacer" />
        <Counted file={shown} />
      </header>
      {failed !== null && (
        <p className="changes-failed" role="alert">
          {failed}
        </p>
      )}
      {empty ? (
        <p className="changes-empty" data-testid="diff-empty">
          {empty}
        </p>
      ) : (
        <Lines
          rows={rows}
          onOpen={(from) => setOpened(new Set([...opened, from]))}
        />
      )}
      {content?.content === "text" && content.cut && (
        <p className="changes-note">
          This file has more changes than can be shown.
        </p>
      )}
    </section>
  );
}

const NONE: Hunk[] = [];

/** How many lines came and went. */
export function Counted({ file: { lines } }: { file: ChangedFile }) {
  if (!lines) return null;
  return (
    <span className="changes-counts">
      {lines.added > 0 && <span data-change="added">+{lines.added}</span>}
      {lines.removed > 0 && <span data-change="removed">−{lines.removed}</span>}
    </span>
  );
}

function Lines({
  rows,
  onOpen,
}: {
  rows: DiffRow[];
  onOpen: (from: number) => void;
}) {
  const scale = useTextScale();
  const height = Math.round(ROW * scale);
  const printed = usePrinted(rows.length, height);
  const { scroller } = printed;
  const widest = useMemo(() => widestOf(rows), [rows]);
  const starts = useMemo(() => changesIn(rows), [rows]);
  const digits = useMemo(() => String(lastNumber(rows)).length, [rows]);

  const go = useCallback(
    (forward: boolean) => {
      // A change that was gone to has one line above it.
      const top = (scroller.current?.scrollTop ?? 0) / height + 1;
      const next = forward
        ? starts.find((at) => at > top + 0.5)
        : starts.findLast((at) => at < top - 0.5);
      if (next !== undefined)
        scroller.current?.scrollTo({ top: (next - 1) * height });
    },
    [starts, height, scroller],
  );
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key !== "n" && event.key !== "p") return;
    event.preventDefault();
    go(event.key === "n");
  };

  return (
    <ContextMenu
      items={(on) => {
        const at = on.closest<HTMLElement>("[data-row]")?.dataset.row;
        const row = at === undefined ? undefined : rows[Number(at)];
        return [
          [
            { title: "Next change", hint: "N", run: () => go(true) },
            { title: "Previous change", hint: "P", run: () => go(false) },
          ],
          row?.kind === "line" ? [copying("Copy the line", row.text)] : [],
        ];
      }}
    >
      <PrintedLines
        printed={printed}
        className="changes-diff-lines"
        role="group"
        aria-label="Lines; N and P go to the next and the previous change"
        tabIndex={0}
        onKeyDown={onKeyDown}
        data-testid="diff-lines"
        style={
          {
            "--digits": `${digits}ch`,
            "--widest": `${widest}ch`,
          } as CSSProperties
        }
        row={(index) => {
          const row = rows[index];
          if (!row) return null;
          return row.kind === "fold" ? (
            <button
              type="button"
              className="changes-diff-fold"
              data-testid="diff-fold"
              onClick={() => onOpen(row.from)}
            >
              {folded(row.count)}
              {row.heading !== "" && <span>{row.heading}</span>}
            </button>
          ) : (
            <Line line={row} at={index} />
          );
        }}
      />
    </ContextMenu>
  );
}

function folded(count: number | null): string {
  if (count === null) return "Show what follows";
  return count === 1 ? "Show 1 more line" : `Show ${count} more lines`;
}

const SIGNS: Record<DiffLine["change"], string> = {
  same: " ",
  added: "+",
  removed: "−",
};

function Line({ line, at }: { line: DiffLine; at: number }) {
  const { text, more, carriage } = shownText(line.text);
  return (
    <div className="changes-diff-line" data-change={line.change} data-row={at}>
      <span className="changes-diff-number">{line.old}</span>
      <span className="changes-diff-number">{line.new}</span>
      <span className="changes-diff-sign">{SIGNS[line.change]}</span>
      <span className="changes-diff-text">{text}</span>
      {more > 0 && (
        <span className="changes-diff-more">… {more} more characters</span>
      )}
      {carriage && (
        <span className="changes-diff-more" title="The line ends in CR LF">
          ␍
        </span>
      )}
      {line.open && (
        <span
          className="changes-diff-more"
          title="The file ends without the end of a line"
        >
          no end of line
        </span>
      )}
    </div>
  );
}

/** How many columns the longest line has, so that all rows are as wide. */
function widestOf(rows: DiffRow[]): number {
  let widest = 0;
  for (const row of rows)
    if (row.kind === "line" && row.text.length > widest)
      widest = row.text.length;
  return Math.min(widest, 2000);
}

function lastNumber(rows: DiffRow[]): number {
  let last = 1;
  for (const row of rows)
    if (row.kind === "line") last = Math.max(last, row.old ?? 0, row.new ?? 0);
  return last;
}
