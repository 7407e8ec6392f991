import { useVirtualizer } from "@tanstack/react-virtual";
import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { backend } from "../backend/backend";
import type { Line, LineId, PaneId, Range } from "../bindings";
import { IconButton } from "../shared/Button";
import { CopyIcon, HistoryIcon, SaveIcon, SearchIcon } from "../shared/icons";
import { notify, reportFailure } from "../shared/notices";
import { FindBar } from "./FindBar";
import { Highlighted } from "./Highlighted";
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
}

/** What a pane printed, to read: every line that is kept, more on both sides as one scrolls, with a find of its own. */
export function HistoryView({ pane, line, visit, label }: HistoryViewProps) {
  const place: Place = `history-${pane}`;
  const own = usePlace(place);
  const panel = usePlace("panel");
  const [window, setWindow] = useState<LinesWindow>(emptyWindow);
  const [target, setTarget] = useState<LineId | null>(line);
  const [failure, setFailure] = useState<string | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const reading = useRef(false);
  /** How many lines were put before the first: the view moves by as much, so that it seems not to. */
  const prepended = useRef(0);
  const wanted = useRef<LineId | null>(null);

  const list = useVirtualizer({
    count: window.lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 20,
  });

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
      wanted.current = id ?? Number.POSITIVE_INFINITY;
      reading.current = true;
      const from = Math.max((id ?? 0) - CHUNK / 2, 0);
      const answer = await backend.readLines(
        pane,
        id === null
          ? { from: "newest", count: CHUNK }
          : { from: "after", line: from, count: CHUNK },
      );
      reading.current = false;
      if (answer.status === "error") {
        setFailure(answer.error.message);
        return;
      }
      setFailure(null);
      prepended.current = 0;
      setWindow({
        lines: answer.data,
        moreBefore: (answer.data[0]?.id ?? 0) > 0,
        moreAfter: id !== null && answer.data.length >= CHUNK,
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
      element.scrollTop += prepended.current * ROW;
      prepended.current = 0;
    }
  }, [window, list]);

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
        { from: "after", line: last.id + 1, count: CHUNK },
        (now, more) => addAfter(now, more, CHUNK),
      );
  }, [firstSeen, lastSeen, window, read]);

  const ranges = new Map<LineId, Range[]>();
  // What led here is marked, until one looks for something else.
  for (const match of foundOf((own.open ? own : panel).search).matches)
    if (match.pane === pane) ranges.set(match.line, match.ranges);

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
          {label.title} · {label.detail}
          {label.closed ? " · closed" : ""} · read only
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
      <div
        ref={scroller}
        className="history-lines"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keys
        tabIndex={0}
      >
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {items.map((item) => {
            const row = window.lines[item.index];
            if (!row) return null;
            return (
              <div
                key={row.id}
                className="history-line"
                data-target={row.id === target}
                data-line={row.id}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <span className="result-number">{row.id + 1}</span>
                <span>
                  <Highlighted
                    text={row.text.slice(0, 4000)}
                    ranges={ranges.get(row.id) ?? []}
                  />
                </span>
              </div>
            );
          })}
        </div>
      </div>
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

/** Every line of a pane that is kept, as one text. */
async function everything(pane: PaneId): Promise<string | null> {
  const COUNT = 10_000;
  const all: string[] = [];
  let from = 0;
  while (all.length < SAVED_AT_MOST) {
    const lines = await backend.readLines(pane, {
      from: "after",
      line: from,
      count: COUNT,
    });
    if (lines.status === "error") {
      reportFailure(lines);
      return null;
    }
    for (const line of lines.data) all.push(line.text);
    const last = lines.data.at(-1);
    if (!last || last.id < from || lines.data.length === 0) break;
    from = last.id + 1;
  }
  return `${all.join("\n")}\n`;
}
