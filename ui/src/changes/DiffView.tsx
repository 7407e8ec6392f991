import {
  type CSSProperties,
  type KeyboardEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { backend } from "../backend/backend";
import type { Act, ChangedFile, DiffQuestion, Hunk, View } from "../bindings";
import { Button } from "../shared/Button";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import { PrintedLines } from "../shared/printed/PrintedLines";
import { usePrinted } from "../shared/printed/use-printed";
import { Sentence } from "../shared/Sentence";
import { useTextScale } from "../shared/settings-store";
import { actsOf, doWith, WORDS } from "./acting";
import {
  CONTEXT,
  changesIn,
  type DiffLine,
  type DiffRow,
  diffRows,
  type Fold,
} from "./diff-rows";
import {
  type Lines as AddedLines,
  addedLines,
  newSince,
  remember,
  seenOf,
} from "./new-lines";
import { shownText } from "./shown-text";
import { useAnswer } from "./use-answer";
import { partners, wordParts } from "./word-parts";
import { changeOf, withoutLines } from "./words";

const ROW = 19;

export interface DiffViewProps {
  worktree: string;
  view: View;
  file: ChangedFile;
  ignoreSpace: boolean;
  /** It is listed no more: there is nothing to be done with it. */
  gone: boolean;
  /** Whether a person has looked at it as it is. */
  looked: boolean;
  onLook: (looked: boolean) => void;
  /** Something is done with it, or with a part of it. */
  onAct: () => void;
  /** Another number whenever the file may have changed. */
  tick: number;
}

/** The lines of one file that changed, each after its number before and after; folds open in place. */
export function DiffView({
  worktree,
  view,
  file,
  ignoreSpace,
  gone,
  looked,
  onLook,
  onAct,
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
  const parts = view !== "untracked" && file.from === null && !ignoreSpace;
  const same = gone || near.data?.file === null;
  const acts = same ? NO_ACTS : actsOf(view, file);
  const onParts = parts ? acts : NO_ACTS;
  const rows = useMemo(
    () => diffRows(hunks, whole, opened, onParts.length > 0),
    [hunks, whole, opened, onParts],
  );
  const fresh = useNewLines(key, near.data ? rows : null);
  function look(now: boolean) {
    if (now) fresh.see();
    onLook(now);
  }
  function act(what: Act, chosen: Hunk[]) {
    onAct();
    void doWith({ worktree, act: what, view, files: [file], hunks: chosen });
  }
  const failed = near.failed ?? all.failed;
  const empty =
    near.data && withoutLines(same ? null : near.data.file, near.data.content);
  const shown = near.data?.file ?? file;

  return (
    <section
      className="changes-diff"
      aria-label={`Changes of ${file.path}`}
      data-testid="diff"
      data-path={file.path}
    >
      <header className="changes-diff-head">
        <h3 title={file.path}>
          <bdi>{file.path}</bdi>
        </h3>
        {!same && <span className="faint">{changeOf(shown)}</span>}
        {content?.content === "text" && content.encoding === "latin1" && (
          <span className="faint">not UTF-8: read as ISO 8859-1</span>
        )}
        <span className="spacer" />
        {!same && <Counted file={shown} />}
        {!same && (
          <label className="changes-check">
            <input
              type="checkbox"
              checked={looked}
              data-testid="diff-looked"
              onChange={(event) => look(event.target.checked)}
            />
            Looked at
          </label>
        )}
        {acts.map((what) => (
          <Button
            key={what}
            data-testid={`diff-${what}`}
            onClick={() => act(what, [])}
          >
            {WORDS[what]}
          </Button>
        ))}
      </header>
      {failed !== null && (
        <p className="changes-failed" role="alert">
          <Sentence text={failed} />
        </p>
      )}
      {empty ? (
        <p className="changes-empty" data-testid="diff-empty">
          {empty}
        </p>
      ) : (
        <Lines
          rows={rows}
          fresh={fresh.places}
          onLook={() => look(!looked)}
          acts={onParts}
          onAct={(what, at) => {
            const hunk = hunks[at];
            if (hunk) act(what, [hunk]);
          }}
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

/** Where lines came since the file was seen last, and that they are seen now. Whoever leaves the file has seen it. */
function useNewLines(key: string, rows: DiffRow[] | null) {
  const [before, setBefore] = useState(() => seenOf(key));
  const latest = useRef<AddedLines | null>(null);
  latest.current = rows && addedLines(rows);
  // The first time, there is nothing that it could be compared with.
  if (before === null && latest.current) setBefore(latest.current);
  useEffect(
    () => () => {
      if (latest.current) remember(key, latest.current);
    },
    [key],
  );
  const places = useMemo(
    () => (rows && before ? newSince(rows, before) : NO_PLACES),
    [rows, before],
  );
  return { places, see: () => setBefore(latest.current) };
}

const NO_PLACES: ReadonlySet<number> = new Set();
const NONE: Hunk[] = [];
const NO_ACTS: Act[] = [];

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
  fresh,
  acts,
  onLook,
  onAct,
  onOpen,
}: {
  rows: DiffRow[];
  /** Those that came since the file was seen last. */
  fresh: ReadonlySet<number>;
  onLook: () => void;
  /** What can be done with a hunk alone. */
  acts: Act[];
  onAct: (what: Act, hunk: number) => void;
  onOpen: (from: number) => void;
}) {
  const scale = useTextScale();
  const height = Math.round(ROW * scale);
  const printed = usePrinted(rows.length, height);
  const { scroller } = printed;
  const widest = useMemo(() => widestOf(rows), [rows]);
  const others = useMemo(() => partners(rows), [rows]);
  const otherOf = (at: number) => {
    const row = rows[others.get(at) ?? -1];
    return row?.kind === "line" ? row.text : null;
  };
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
    if (event.key === "l" && !event.repeat) onLook();
    else if (event.key === "n" || event.key === "p") go(event.key === "n");
    else return;
    event.preventDefault();
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
            { title: "Looked at it, or not", hint: "L", run: onLook },
          ],
          row?.kind === "line" ? [copying("Copy the line", row.text)] : [],
        ];
      }}
    >
      <PrintedLines
        printed={printed}
        className="changes-diff-lines"
        role="group"
        aria-label="Lines; N and P go to the next and the previous change, L says that they were looked at"
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
            <Between row={row} acts={acts} onAct={onAct} onOpen={onOpen} />
          ) : (
            <Line
              line={row}
              at={index}
              fresh={fresh.has(index)}
              other={otherOf(index)}
            />
          );
        }}
      />
    </ContextMenu>
  );
}

/** What stands between two hunks: the lines that can be shown, and what can be done with the hunk below. */
function Between({
  row: { from, count, heading, hunk },
  acts,
  onAct,
  onOpen,
}: {
  row: Fold;
  acts: Act[];
  onAct: (what: Act, hunk: number) => void;
  onOpen: (from: number) => void;
}) {
  return (
    <div className="changes-diff-between">
      <div className="changes-diff-fold">
        {count !== 0 && (
          <button
            type="button"
            data-testid="diff-fold"
            onClick={() => onOpen(from)}
          >
            {folded(count)}
          </button>
        )}
        {heading !== "" && <span>{heading}</span>}
        {hunk !== null &&
          acts.map((what) => (
            <button
              key={what}
              type="button"
              className="changes-diff-act"
              data-testid={`hunk-${what}`}
              onClick={() => onAct(what, hunk)}
            >
              {WORDS[what]}
            </button>
          ))}
      </div>
    </div>
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

function Line({
  line,
  at,
  fresh,
  other,
}: {
  line: DiffLine;
  at: number;
  /** It came since the file was seen last. */
  fresh: boolean;
  /** The line in whose place it stands. */
  other: string | null;
}) {
  const { text, more, carriage } = shownText(line.text);
  const parts = useMemo(
    () => (other === null ? null : wordParts(text, shownText(other).text)),
    [text, other],
  );
  return (
    <div
      className="changes-diff-line"
      data-change={line.change}
      data-row={at}
      data-fresh={fresh}
      title={fresh ? "New since you saw this file last" : undefined}
    >
      <span className="changes-diff-number">{line.old}</span>
      <span className="changes-diff-number">{line.new}</span>
      <span className="changes-diff-sign">{SIGNS[line.change]}</span>
      <span className="changes-diff-text">
        {parts?.map((part, place) =>
          part.differs ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name
            <mark key={place}>{part.text}</mark>
          ) : (
            part.text
          ),
        ) ?? text}
      </span>
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
