import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  memo,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { backend } from "../backend/backend";
import { IconButton } from "../shared/Button";
import { CopyIcon, DownIcon, SearchIcon, UpIcon } from "../shared/icons";
import { notify, reportFailure } from "../shared/notices";
import { useScheme } from "../shared/settings-store";
import { terminalThemes } from "../shared/terminal-themes";
import { AnsiLines, type Span, textOf } from "./ansi";

/** The colours that a program names by number, in their order. */
const PALETTE = [
  "black",
  "red",
  "green",
  "yellow",
  "blue",
  "magenta",
  "cyan",
  "white",
  "brightBlack",
  "brightRed",
  "brightGreen",
  "brightYellow",
  "brightBlue",
  "brightMagenta",
  "brightCyan",
  "brightWhite",
] as const;

/** How much is read without being asked for. */
const AT_FIRST = 1 << 20;
/** How much is read at most, for a search. */
const AT_MOST = 64 << 20;
const LOOK_AGAIN_MS = 600;
const ROW = 17;
/** Up to so many lines all are drawn; of more, those in view. */
const FEW = 200;

interface Loaded {
  lines: AnsiLines;
  next: number;
  total: number;
  /** Counts what was read, so that the view follows. */
  version: number;
}

/** What an attempt printed, with its colours, searchable, read in pieces; it grows while the attempt runs. */
export function OutputView({
  run,
  step,
  attempt,
  live,
}: {
  run: string;
  step: string;
  attempt: number;
  live: boolean;
}) {
  const { loaded, more, problem } = useOutput(run, step, attempt, live);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const holder = useRef<HTMLDivElement>(null);
  const scheme = useScheme();
  const colours = useMemo(() => {
    const theme = terminalThemes[scheme];
    return Object.fromEntries(
      PALETTE.map((name, index) => [`--c${index}`, theme[name]]),
    );
  }, [scheme]);
  const rows = loaded?.lines.lines ?? [];
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => holder.current,
    estimateSize: () => ROW,
    overscan: 20,
  });
  const version = loaded?.version ?? 0;
  const hits = useMemo(() => {
    const wanted = query.toLowerCase();
    if (wanted === "" || version === 0) return [];
    const found: number[] = [];
    rows.forEach((line, index) => {
      if (textOf(line).toLowerCase().includes(wanted)) found.push(index);
    });
    return found;
  }, [rows, query, version]);

  // A search is of all of it.
  useEffect(() => {
    if (query !== "" && loaded && loaded.next < loaded.total) more(AT_MOST);
  }, [query, loaded, more]);
  // What is being printed stays in view, unless the person looks at something above.
  const atEnd = useRef(true);
  useEffect(() => {
    if (live && atEnd.current && rows.length > 0)
      virtual.scrollToIndex(rows.length - 1, { align: "end" });
  }, [live, rows.length, virtual]);

  function go(way: 1 | -1) {
    if (hits.length === 0) return;
    const next = (at + way + hits.length) % hits.length;
    setAt(next);
    const line = hits[next];
    if (line !== undefined) virtual.scrollToIndex(line, { align: "center" });
  }
  function key(event: KeyboardEvent) {
    if (event.key === "Enter") {
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    }
  }
  async function copy() {
    const text = rows.map(textOf).join("\n");
    if (!reportFailure(await backend.writeClipboard(text)))
      notify("info", "The output is on the clipboard.");
  }

  if (problem !== null) return <p className="form-problem">{problem}</p>;
  if (!loaded) return <p className="faint">Reading…</p>;
  if (rows.length === 0)
    return (
      <p className="faint">{live ? "Nothing yet." : "It printed nothing."}</p>
    );
  const left = loaded.total - loaded.next;
  return (
    <div className="output" data-testid="output">
      <div className="output-tools">
        <SearchIcon size={12} />
        <input
          aria-label="Find in the output"
          placeholder="Find in the output"
          value={query}
          onChange={(event) => {
            setAt(-1);
            setQuery(event.target.value);
          }}
          onKeyDown={key}
        />
        {query !== "" && (
          <span className="faint">
            {hits.length === 0
              ? "none"
              : `${Math.max(at, 0) + 1} of ${hits.length}`}
          </span>
        )}
        <IconButton label="Previous match" onClick={() => go(-1)}>
          <UpIcon size={13} />
        </IconButton>
        <IconButton label="Next match" onClick={() => go(1)}>
          <DownIcon size={13} />
        </IconButton>
        <IconButton label="Copy the output" onClick={() => void copy()}>
          <CopyIcon size={13} />
        </IconButton>
      </div>
      <div
        className="output-lines"
        ref={holder}
        role="log"
        aria-label="Output"
        style={{
          ...colours,
          height: Math.min(Math.max(rows.length * ROW + 14, 40), 360),
        }}
        onScroll={(event) => {
          const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
          atEnd.current = scrollTop + clientHeight > scrollHeight - ROW;
        }}
      >
        {rows.length <= FEW ? (
          rows.map((spans, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line has no other name
            <div key={index} className="output-line few">
              <Line spans={spans} query={query} current={hits[at] === index} />
            </div>
          ))
        ) : (
          <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
            {virtual.getVirtualItems().map((item) => (
              <div
                key={item.key}
                className="output-line"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Line
                  spans={rows[item.index] ?? []}
                  query={query}
                  current={hits[at] === item.index}
                />
              </div>
            ))}
          </div>
        )}
      </div>
      {left > 0 && query === "" && (
        <button
          type="button"
          className="link-button"
          onClick={() => more(loaded.next + AT_FIRST)}
        >
          Read on: {size(left)} more
        </button>
      )}
    </div>
  );
}

function size(bytes: number): string {
  return bytes < 1 << 20
    ? `${Math.ceil(bytes / 1024)} KB`
    : `${(bytes / (1 << 20)).toFixed(1)} MB`;
}

function useOutput(
  run: string,
  step: string,
  attempt: number,
  live: boolean,
): {
  loaded: Loaded | null;
  more: (until: number) => void;
  problem: string | null;
} {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const reading = useRef<{ until: number; wake: () => void } | null>(null);
  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const lines = new AnsiLines();
    let next = 0;
    let version = 0;
    let busy = false;
    setLoaded(null);
    setProblem(null);
    const state = { until: AT_FIRST, wake: () => void read() };
    reading.current = state;
    async function read() {
      if (busy) return;
      busy = true;
      for (;;) {
        const piece = await backend.stepOutput(run, step, attempt, next);
        if (!wanted) return;
        if (piece.status === "error") {
          setProblem(piece.error.message);
          break;
        }
        const { data } = piece;
        lines.push(data.text);
        const grew = data.next > next || version === 0;
        next = data.next;
        if (grew) {
          version += 1;
          setLoaded({ lines, next, total: data.total, version });
        }
        if (next >= data.total || next >= state.until || !grew) break;
      }
      busy = false;
      if (live && wanted) timer = setTimeout(() => void read(), LOOK_AGAIN_MS);
    }
    void read();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [run, step, attempt, live]);
  const more = useCallback((until: number) => {
    if (!reading.current) return;
    reading.current.until = until;
    reading.current.wake();
  }, []);
  return { loaded, more, problem };
}

const Line = memo(function Line({
  spans,
  query,
  current,
}: {
  spans: Span[];
  query: string;
  current: boolean;
}) {
  const pieces = query === "" ? spans : marked(spans, query);
  return pieces.map((span, index) => {
    const style = {
      ...(span.color && { color: span.color }),
      ...(span.background && { background: span.background }),
    };
    const hit = "hit" in span && span.hit;
    return hit ? (
      <mark
        // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line have no other name
        key={index}
        className={current ? `${span.look} current` : span.look}
        style={style}
      >
        {span.text}
      </mark>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: as above
      <span key={index} className={span.look || undefined} style={style}>
        {span.text}
      </span>
    );
  });
});

/** The spans of a line, cut at the places where `query` is. */
export function marked(
  spans: Span[],
  query: string,
): (Span & { hit?: boolean })[] {
  const text = textOf(spans).toLowerCase();
  const wanted = query.toLowerCase();
  const ranges: [number, number][] = [];
  for (
    let from = text.indexOf(wanted);
    from >= 0;
    from = text.indexOf(wanted, from + wanted.length)
  )
    ranges.push([from, from + wanted.length]);
  if (ranges.length === 0) return spans;
  const cut: (Span & { hit?: boolean })[] = [];
  let at = 0;
  for (const span of spans) {
    const end = at + span.text.length;
    let from = at;
    for (const [start, stop] of ranges) {
      if (stop <= from || start >= end) continue;
      if (start > from)
        cut.push({ ...span, text: span.text.slice(from - at, start - at) });
      const until = Math.min(stop, end);
      cut.push({
        ...span,
        text: span.text.slice(Math.max(start, from) - at, until - at),
        hit: true,
      });
      from = until;
    }
    if (from < end) cut.push({ ...span, text: span.text.slice(from - at) });
    at = end;
  }
  return cut;
}
