import {
  type KeyboardEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { backend } from "../backend/backend";
import type { OutputLine, OutputPlace } from "../bindings";
import { IconButton } from "../shared/Button";
import { CopyIcon, DownIcon, SearchIcon, UpIcon } from "../shared/icons";
import { notify, reportFailure } from "../shared/notices";
import { PrintedLine } from "../shared/printed/PrintedLine";
import { PrintedLines } from "../shared/printed/PrintedLines";
import { occurrences } from "../shared/printed/pieces";
import { usePrinted } from "../shared/printed/use-printed";
import { Sentence } from "../shared/Sentence";
import { useTextScale } from "../shared/settings-store";

/** How much is read without being asked for. */
const AT_FIRST = 1 << 20;
/** How much is read at most, for a search. */
const AT_MOST = 64 << 20;
const LOOK_AGAIN_MS = 600;
const ROW = 17;

const noLines: OutputLine[] = [];

interface Loaded {
  /** Lines are added at the end; the one that is being printed comes anew each time. */
  lines: OutputLine[];
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
  const rows = loaded?.lines ?? noLines;
  const rowHeight = Math.round(ROW * useTextScale());
  const printed = usePrinted(rows.length, rowHeight);
  const { list } = printed;
  const version = loaded?.version ?? 0;
  const hits = useMemo(() => {
    const wanted = query.toLowerCase();
    if (wanted === "" || version === 0) return [];
    const found: number[] = [];
    rows.forEach((line, index) => {
      if (line.text.toLowerCase().includes(wanted)) found.push(index);
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
      list.scrollToIndex(rows.length - 1, { align: "end" });
  }, [live, rows.length, list]);

  function go(way: 1 | -1) {
    if (hits.length === 0) return;
    const next = (at + way + hits.length) % hits.length;
    setAt(next);
    const line = hits[next];
    if (line !== undefined) list.scrollToIndex(line, { align: "center" });
  }
  function key(event: KeyboardEvent) {
    if (event.key === "Enter") {
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    }
  }
  async function copy() {
    const text = rows.map(({ text }) => text).join("\n");
    if (!reportFailure(await backend.writeClipboard(text)))
      notify("info", "The output is on the clipboard.");
  }

  if (problem !== null)
    return (
      <p className="form-problem">
        <Sentence text={problem} />
      </p>
    );
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
      <PrintedLines
        printed={printed}
        className="output-lines"
        role="log"
        aria-label="Output"
        style={{
          height: Math.min(Math.max(rows.length * rowHeight + 14, 40), 360),
        }}
        onScroll={(event) => {
          const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
          atEnd.current = scrollTop + clientHeight > scrollHeight - rowHeight;
        }}
        row={(index) => {
          const line = rows[index];
          return (
            line && (
              <PrintedLine
                {...line}
                ranges={occurrences(line.text, query)}
                current={hits[at] === index ? 0 : null}
              />
            )
          );
        }}
      />
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
    let whole: OutputLine[] = [];
    let next: OutputPlace = { at: 0, style: {} };
    let shown = "";
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
        const piece = await backend.stepLines(run, step, attempt, next);
        if (!wanted) return;
        if (piece.status === "error") {
          setProblem(piece.error.message);
          break;
        }
        const { data } = piece;
        const grew = data.next.at > next.at;
        const open = data.open?.text ?? "";
        next = data.next;
        whole = whole.concat(data.lines);
        if (grew || version === 0 || open !== shown) {
          shown = open;
          version += 1;
          setLoaded({
            lines: data.open ? [...whole, data.open] : whole,
            next: next.at,
            total: data.total,
            version,
          });
        }
        if (next.at >= data.total || next.at >= state.until || !grew) break;
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
