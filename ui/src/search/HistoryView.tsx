import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { backend, type Result } from "../backend/backend";
import type { Line, LineId, Match, PaneId } from "../bindings";
import { IconButton } from "../shared/Button";
import { CopyIcon, HistoryIcon, SaveIcon, SearchIcon } from "../shared/icons";
import { notify, reportFailure } from "../shared/notices";
import {
  PrintedLine,
  type PrintedLineProps,
} from "../shared/printed/PrintedLine";
import { PrintedLines } from "../shared/printed/PrintedLines";
import { usePrinted } from "../shared/printed/use-printed";
import { useTextScale } from "../shared/settings-store";
import { FindBar } from "./FindBar";
import { LineNumber } from "./LineNumber";
import {
  addAfter,
  addBefore,
  emptyWindow,
  holds,
  indexOfLine,
  type LinesWindow,
} from "./lines-window";
import type { PaneLabel } from "./SearchPanel";
import { foundOf, openSearch, type Place, usePlace } from "./search-store";

/** How many lines are read at once. */
const CHUNK = 400;
/** No line has this id: it stands for the one after the last. */
const NEWEST = Number.POSITIVE_INFINITY;
/** More of one line is not drawn. */
const DRAWN_AT_MOST = 4000;
const ROW = 18;
/** More than this in one file helps nobody, and memory least of all. */
const SAVED_AT_MOST = 2_000_000;

export interface HistoryViewProps {
  pane: PaneId;
  /** The line to show; none: the newest. */
  line: LineId | null;
  /** Counts up when the same line is asked for again. */
  visit: number;
  label: PaneLabel;
  /** Told which line is in the middle. */
  onPlace?: (line: LineId) => void;
}

/** What a pane printed, to read: every line that is kept, more on both sides as one scrolls, with a find of its own. */
export function HistoryView({
  pane,
  line,
  visit,
  label,
  onPlace,
}: HistoryViewProps) {
  const place: Place = `history-${pane}`;
  const own = usePlace(place);
  const panel = usePlace("panel");
  const [window, setWindow] = useState<LinesWindow>(emptyWindow);
  const [target, setTarget] = useState<LineId | null>(line);
  const [failure, setFailure] = useState<string | null>(null);
  const reading = useRef(false);
  /** How many lines were put before the first: the view moves by as much, so that it seems not to. */
  const prepended = useRef(0);
  const wanted = useRef<LineId | null>(null);

  const rowHeight = Math.round(ROW * useTextScale());
  const printed = usePrinted(window.lines.length, rowHeight);
  const { list, scroller } = printed;

  const read = useCallback(
    async (
      lines: Parameters<typeof backend.readLines>[1],
      take: (window: LinesWindow, lines: Line[]) => LinesWindow,
    ) => {
      if (reading.current) return;
      reading.current = true;
      const answer = await backend.readLines(pane, lines);
      reading.current = false;
      if (answer.status === "error") {
        setFailure(answer.error.message);
        return;
      }
      setFailure(null);
      setWindow((before) => {
        const after = take(before, answer.data);
        const first = before.lines[0];
        if (first) prepended.current += indexOfLine(after, first.id);
        return after;
      });
    },
    [pane],
  );

  /** Shows a line: scrolls to it, or reads the stretch around it. */
  const show = useCallback(
    async (id: LineId | null) => {
      setTarget(id);
      wanted.current = id ?? NEWEST;
      reading.current = true;
      const [before, after] = await Promise.all(
        id === null
          ? [backend.readLines(pane, { from: "newest", count: CHUNK })]
          : [
              backend.readLines(pane, {
                from: "before",
                line: id,
                count: CHUNK,
              }),
              backend.readLines(pane, {
                from: "after",
                line: id,
                count: CHUNK,
              }),
            ],
      );
      reading.current = false;
      for (const answer of [before, after])
        if (answer?.status === "error") {
          setFailure(answer.error.message);
          return;
        }
      const older = before?.status === "ok" ? before.data : [];
      const newer = after?.status === "ok" ? after.data : [];
      setFailure(null);
      prepended.current = 0;
      setWindow({
        lines: [...older, ...newer],
        moreBefore: older.length >= CHUNK,
        moreAfter: newer.length >= CHUNK,
      });
    },
    [pane],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another visit asks for the same line again
  useEffect(() => {
    void show(line);
  }, [show, line, visit]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    if (wanted.current !== null && window.lines.length > 0) {
      const index = Math.min(
        indexOfLine(window, wanted.current),
        window.lines.length - 1,
      );
      wanted.current = null;
      prepended.current = 0;
      list.scrollToIndex(index, { align: "center" });
    } else if (prepended.current > 0) {
      element.scrollTop += prepended.current * rowHeight;
      prepended.current = 0;
    }
  }, [window, list, scroller, rowHeight]);

  const items = list.getVirtualItems();
  const firstSeen = items[0]?.index ?? 0;
  const lastSeen = items.at(-1)?.index ?? 0;
  useEffect(() => {
    const { lines, moreBefore, moreAfter } = window;
    const first = lines[0];
    const last = lines.at(-1);
    if (!first || !last) return;
    if (moreBefore && firstSeen < 30)
      void read({ from: "before", line: first.id, count: CHUNK }, (now, more) =>
        addBefore(now, more, CHUNK),
      );
    else if (moreAfter && lastSeen > lines.length - 30)
      void read(
        // From the last one on, which is known: who follows it is not.
        { from: "after", line: last.id, count: CHUNK + 1 },
        (now, more) => addAfter(now, more, CHUNK + 1),
      );
  }, [firstSeen, lastSeen, window, read]);

  const middle = window.lines[Math.round((firstSeen + lastSeen) / 2)]?.id;
  useEffect(() => {
    // Before the line that is asked for is scrolled to, the view is somewhere else.
    if (middle !== undefined && wanted.current === null) onPlace?.(middle);
  }, [middle, onPlace]);

  const matches = new Map<LineId, Match>();
  // What led here is marked, until one looks for something else.
  for (const match of foundOf((own.open ? own : panel).search).matches)
    if (match.pane === pane) matches.set(match.line, match);

  // A mark far to the right comes into view, too.
  useEffect(() => {
    if (target === null || window.lines.length === 0) return;
    const frame = requestAnimationFrame(() =>
      scroller.current
        ?.querySelector('[data-target="true"] mark')
        ?.scrollIntoView({ block: "nearest", inline: "nearest" }),
    );
    return () => cancelAnimationFrame(frame);
  }, [target, window, scroller]);

  async function save() {
    const text = await everything(pane);
    if (text === null) return;
    const name = `${label.title.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60) || "pane"}.txt`;
    const saved = await backend.saveText(name, text);
    if (saved.status === "error") reportFailure(saved);
    else notify("info", `Saved as ${saved.data}`);
  }

  async function copy() {
    const chosen = document.getSelection()?.toString() ?? "";
    const text = chosen || window.lines.map((one) => one.text).join("\n");
    if (!reportFailure(await backend.writeClipboard(text)))
      notify(
        "info",
        chosen
          ? "The selection is on the clipboard."
          : `${window.lines.length.toLocaleString("en")} lines are on the clipboard.`,
      );
  }

  return (
    <section
      className="history"
      aria-label={`History of ${label.title}`}
      data-testid={`history-${pane}`}
    >
      <header className="history-head">
        <HistoryIcon size={14} />
        <span className="history-name" title={label.detail}>
          {[label.title, label.detail, label.closed && "closed", "read only"]
            .filter(Boolean)
            .join(" · ")}
        </span>
        <IconButton label="Find" onClick={() => openSearch(place)}>
          <SearchIcon size={14} />
        </IconButton>
        <IconButton
          label="Copy the selection, or the lines that were read"
          onClick={() => void copy()}
        >
          <CopyIcon size={14} />
        </IconButton>
        <IconButton label="Save all of it as text" onClick={() => void save()}>
          <SaveIcon size={14} />
        </IconButton>
      </header>
      {failure !== null && <p className="history-end">{failure}</p>}
      {!window.moreBefore && window.lines.length > 0 && firstSeen < 5 && (
        <p className="history-end">This is the oldest line that is kept.</p>
      )}
      {window.lines.length === 0 && failure === null && (
        <p className="history-end">Nothing is kept of this pane.</p>
      )}
      <PrintedLines
        printed={printed}
        className="history-lines"
        tabIndex={0}
        row={(index) => {
          const line = window.lines[index];
          return (
            line && (
              <div
                className="history-line"
                data-target={line.id === target}
                data-line={line.id}
              >
                <LineNumber line={line.id} />
                <span>
                  <PrintedLine {...drawn(line, matches.get(line.id))} />
                </span>
              </div>
            )
          );
        }}
      />
      <FindBar
        place={place}
        onMatch={(match) => {
          if (!holds(window, match.line)) {
            void show(match.line);
            return;
          }
          setTarget(match.line);
          list.scrollToIndex(indexOfLine(window, match.line), {
            align: "center",
          });
        }}
        onClose={() => scroller.current?.focus()}
      />
    </section>
  );
}

/** What is drawn of a line: all of it, or the stretch around its first match. */
function drawn(line: Line, match: Match | undefined): PrintedLineProps {
  // What is too long to be searched as it is comes cut, with ranges to match.
  if (match && match.content !== line.text)
    return { text: match.content, ranges: match.ranges };
  return {
    text: line.text.slice(0, DRAWN_AT_MOST),
    spans: line.spans,
    ...(match && { ranges: match.ranges }),
  };
}

/** Every line of a pane that is kept, as one text; the newest, when there are too many. */
async function everything(pane: PaneId): Promise<string | null> {
  const COUNT = 10_000;
  const pieces: string[] = [];
  let count = 0;
  let first: LineId | null = null;
  while (count < SAVED_AT_MOST) {
    const lines: Result<Line[]> = await backend.readLines(
      pane,
      first === null
        ? { from: "newest", count: COUNT }
        : { from: "before", line: first, count: COUNT },
    );
    if (lines.status === "error") {
      reportFailure(lines);
      return null;
    }
    const oldest = lines.data[0];
    if (!oldest) break;
    pieces.push(lines.data.map(({ text }) => text).join("\n"));
    count += lines.data.length;
    first = oldest.id;
  }
  return `${pieces.reverse().join("\n")}\n`;
}
