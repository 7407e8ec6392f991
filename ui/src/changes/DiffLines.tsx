import {
  type CSSProperties,
  type KeyboardEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Remark } from "../bindings";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import { PrintedLines } from "../shared/printed/PrintedLines";
import { usePrinted } from "../shared/printed/use-printed";
import { useTextScale } from "../shared/settings-store";
import { type PartAct, WORDS } from "./acting";
import { arranged, placesOf, turnSideBySide, useSideBySide } from "./arranged";
import { changesIn, type DiffLine, type DiffRow, type Fold } from "./diff-rows";
import {
  chosen,
  lineBeside,
  type Place,
  type Selection,
  selectionOf,
} from "./remark-places";
import { shownText } from "./shown-text";
import { partners, wordParts } from "./word-parts";

const ROW = 19;

/** The rows of a diff, however many; keys go from change to change. */
export function DiffLines({
  rows,
  fresh,
  acts,
  remarks,
  remark,
  onRemark,
  onLook,
  onAct,
  onOpen,
}: {
  rows: DiffRow[];
  /** Those that came since the file was seen last. */
  fresh: ReadonlySet<number>;
  /** What is said of lines, by the row below which it stands. */
  remarks: ReadonlyMap<number, Remark[]>;
  /** Draws one of them. */
  remark: (remark: Remark) => ReactNode;
  /** Something is to be said of these lines. */
  onRemark: (place: Place) => void;
  onLook: () => void;
  /** What can be done with a hunk alone. */
  acts: PartAct[];
  onAct: (what: PartAct, hunk: number) => void;
  onOpen: (from: number) => void;
}) {
  const scale = useTextScale();
  const height = Math.round(ROW * scale);
  const sideBySide = useSideBySide((state) => state.sideBySide);
  const shown = useMemo(() => arranged(rows, sideBySide), [rows, sideBySide]);
  const placeIn = useMemo(() => placesOf(shown), [shown]);
  /** What is said, by where it is drawn. */
  const said = useMemo(() => {
    const all = new Map<number, Remark[]>();
    for (const [at, some] of remarks) {
      const place = placeIn[at] ?? 0;
      all.set(place, [...(all.get(place) ?? []), ...some]);
    }
    return all;
  }, [remarks, placeIn]);
  const heightOf = useCallback(
    (index: number) => height + height * rowsOf(said.get(index)),
    [height, said],
  );
  const printed = usePrinted(shown.length, heightOf);
  const { scroller } = printed;
  const widest = useMemo(() => widestOf(rows), [rows]);
  const others = useMemo(() => partners(rows), [rows]);
  const otherOf = (at: number) => {
    const row = rows[others.get(at) ?? -1];
    return row?.kind === "line" ? row.text : null;
  };
  const starts = useMemo(() => changesIn(rows), [rows]);
  const digits = useMemo(() => String(lastNumber(rows)).length, [rows]);

  const topOf = useCallback(
    (at: number) => {
      const place = placeIn[at] ?? 0;
      let more = 0;
      for (const [below, some] of said) if (below < place) more += rowsOf(some);
      return (place + more) * height;
    },
    [said, placeIn, height],
  );

  const go = useCallback(
    (forward: boolean) => {
      // A change that was gone to has one line above it.
      const top = (scroller.current?.scrollTop ?? 0) + height;
      const next = forward
        ? starts.find((at) => topOf(at) > top + height / 2)
        : starts.findLast((at) => topOf(at) < top - height / 2);
      if (next !== undefined)
        scroller.current?.scrollTo({ top: topOf(next) - height });
    },
    [starts, height, topOf, scroller],
  );

  const [selection, setSelection] = useState<Selection | null>(null);
  const lines = chosen(rows, selection);
  const selecting = useRef(false);
  function select(anchor: number, head: number) {
    setSelection(selectionOf(rows, anchor, head));
  }
  function beginSelecting(at: number, extend: boolean) {
    select(extend && lines && selection ? selection.anchor : at, at);
    selecting.current = true;
    const end = () => {
      selecting.current = false;
      setEnded((count) => count + 1);
    };
    window.addEventListener("mouseup", end, { once: true });
  }
  // With the button let go of, what is chosen is to be remarked on.
  const [ended, setEnded] = useState(0);
  const latest = useRef(() => {});
  latest.current = () => lines && onRemark(lines);
  useEffect(() => {
    if (ended > 0) latest.current();
  }, [ended]);
  /** By keys, from the first change in view on. */
  function walk(step: 1 | -1, extend: boolean) {
    const top = scroller.current?.scrollTop ?? 0;
    const first = starts.find((at) => topOf(at) >= top) ?? starts[0] ?? 0;
    const next =
      lines && selection ? lineBeside(rows, selection.head, step) : first;
    if (next === null) return;
    select(extend && lines && selection ? selection.anchor : next, next);
    printed.list.scrollToIndex(placeIn[next] ?? 0);
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target !== event.currentTarget) return;
    if (event.key === "l" && !event.repeat) onLook();
    else if (event.key === "n" || event.key === "p") go(event.key === "n");
    else if (event.key === "ArrowDown") walk(1, event.shiftKey);
    else if (event.key === "ArrowUp") walk(-1, event.shiftKey);
    else if (event.key === "r" && lines) onRemark(lines);
    else if (event.key === "v" && !event.repeat) turnSideBySide();
    else if (event.key === "Escape" && lines) setSelection(null);
    else return;
    event.preventDefault();
  };

  /** A line, or the half of one: as it was, or as it is. */
  function lineAt(at: number | null, half: "old" | "new" | null) {
    const row = at === null ? null : rows[at];
    if (at === null || row?.kind !== "line")
      return <div className="changes-diff-line" data-change="none" />;
    return (
      <Line
        line={row}
        at={at}
        half={half}
        fresh={fresh.has(at)}
        chosen={lines !== null && isWithin(lines, at)}
        other={otherOf(at)}
        onPress={(extend) => beginSelecting(at, extend)}
        onPass={() => {
          if (selecting.current && selection) select(selection.anchor, at);
        }}
      />
    );
  }

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
            {
              title: sideBySide ? "One below the other" : "Side by side",
              hint: "V",
              run: turnSideBySide,
            },
          ],
          row?.kind === "line"
            ? [
                {
                  title: "Remark…",
                  hint: "R",
                  run: () => onRemark(within(lines, Number(at))),
                },
                copying("Copy the line", row.text),
              ]
            : [],
        ];
      }}
    >
      <PrintedLines
        printed={printed}
        className={`changes-diff-lines${sideBySide ? " beside" : ""}`}
        role="group"
        aria-label="Lines; N and P go to the next and the previous change, the arrow keys choose lines, R remarks on them, V shows both sides, L says that they were looked at"
        tabIndex={0}
        onKeyDown={onKeyDown}
        data-testid="diff-lines"
        style={
          {
            "--digits": `${digits}ch`,
            "--widest": `${widest}ch`,
            "--row": `${height}px`,
          } as CSSProperties
        }
        row={(index) => {
          const one = shown[index];
          if (!one) return null;
          const below = said.has(index) && (
            <div className="changes-remarks">
              {said.get(index)?.map(remark)}
            </div>
          );
          if (!("at" in one))
            return (
              <>
                <div className="changes-diff-pair">
                  {lineAt(one.left, "old")}
                  {lineAt(one.right, "new")}
                </div>
                {below}
              </>
            );
          const row = rows[one.at];
          return row?.kind === "fold" ? (
            <Between row={row} acts={acts} onAct={onAct} onOpen={onOpen} />
          ) : (
            <>
              {lineAt(one.at, null)}
              {below}
            </>
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
  acts: PartAct[];
  onAct: (what: PartAct, hunk: number) => void;
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
  half,
  fresh,
  chosen,
  other,
  onPress,
  onPass,
}: {
  line: DiffLine;
  at: number;
  /** Only as it was, or as it is; none: both. */
  half: "old" | "new" | null;
  /** It came since the file was seen last. */
  fresh: boolean;
  /** It is one of those that a remark would be about. */
  chosen: boolean;
  /** The line in whose place it stands. */
  other: string | null;
  /** Its number is pressed; `extend`: with Shift. */
  onPress: (extend: boolean) => void;
  /** The pointer comes over it. */
  onPass: () => void;
}) {
  const { text, more, carriage } = shownText(line.text);
  const parts = useMemo(
    () => (other === null ? null : wordParts(text, shownText(other).text)),
    [text, other],
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys choose lines as well
    <div
      className="changes-diff-line"
      data-change={line.change}
      data-row={at}
      data-fresh={fresh}
      data-chosen={chosen}
      title={fresh ? "New since you saw this file last" : undefined}
      onMouseEnter={onPass}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys choose lines as well */}
      <span
        className="changes-diff-numbers"
        title="Press, or draw, to remark on lines"
        onMouseDown={(event) => {
          if (event.button !== 0) return;
          event.preventDefault();
          onPress(event.shiftKey);
        }}
      >
        {half !== "new" && (
          <span className="changes-diff-number">{line.old}</span>
        )}
        {half !== "old" && (
          <span className="changes-diff-number">{line.new}</span>
        )}
      </span>
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

/** So many lines of a remark are in view at most, and so many characters are in one, about. */
const REMARK_ROWS = 6;
const REMARK_COLUMNS = 80;

/** How many rows of the diff remarks take. */
function rowsOf(remarks: Remark[] | undefined): number {
  let rows = 0;
  for (const { text } of remarks ?? []) {
    const lines = text
      .split("\n")
      .reduce(
        (sum, line) => sum + Math.ceil((line.length || 1) / REMARK_COLUMNS),
        0,
      );
    // With its head, and what is around it.
    rows += Math.min(lines, REMARK_ROWS) + 2;
  }
  return rows;
}

const isWithin = ({ from, to }: Place, at: number) => from <= at && at <= to;

/** What is chosen, when this row is a part of it; else the row alone. */
function within(lines: Place | null, at: number): Place {
  return lines && isWithin(lines, at) ? lines : { from: at, to: at };
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
