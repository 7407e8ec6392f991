import {
  type KeyboardEvent,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { backend } from "../backend/backend";
import type { OutputLine } from "../bindings";
import { IconButton } from "../shared/Button";
import { CopyIcon, DownIcon, SearchIcon, UpIcon } from "../shared/icons";
import { notify, reportFailure } from "../shared/notices";
import { PrintedLine } from "../shared/printed/PrintedLine";
import { PrintedLines } from "../shared/printed/PrintedLines";
import { occurrences } from "../shared/printed/pieces";
import { usePrinted } from "../shared/printed/use-printed";
import { Sentence } from "../shared/Sentence";
import { useTextScale } from "../shared/settings-store";
import { AT_FIRST, type Loaded, useOutput } from "./use-output";

/** How much is read at most, for a search, in bytes. */
const AT_MOST = 64 << 20;
const ROW = 17;

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
  if (problem !== null)
    return (
      <p className="form-problem">
        <Sentence text={problem} />
      </p>
    );
  if (!loaded) return <p className="faint">Reading…</p>;
  if (loaded.lines.length === 0)
    return (
      <p className="faint">{live ? "Nothing yet." : "It printed nothing."}</p>
    );
  return <Output loaded={loaded} more={more} live={live} />;
}

function Output({
  loaded,
  more,
  live,
}: {
  loaded: Loaded;
  more: (until: number) => void;
  live: boolean;
}) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const { lines } = loaded;
  const rowHeight = Math.round(ROW * useTextScale());
  const printed = usePrinted(lines.length, rowHeight);
  const { list } = printed;
  const hits = useMemo(() => hitsIn(lines, query), [lines, query]);

  // A search is of all of it.
  useEffect(() => {
    if (query !== "" && loaded.next < loaded.total) more(AT_MOST);
  }, [query, loaded, more]);
  // What is being printed stays in view, unless the person looks at something above.
  const atEnd = useRef(true);
  useEffect(() => {
    if (live && atEnd.current)
      list.scrollToIndex(lines.length - 1, { align: "end" });
  }, [live, lines.length, list]);

  function go(way: 1 | -1) {
    if (hits.length === 0) return;
    const next = (at + way + hits.length) % hits.length;
    setAt(next);
    const line = hits[next];
    if (line !== undefined) list.scrollToIndex(line, { align: "center" });
  }

  const left = loaded.total - loaded.next;
  return (
    <div className="output" data-testid="output">
      <OutputTools
        lines={lines}
        query={query}
        onQuery={(text) => {
          setAt(-1);
          setQuery(text);
        }}
        found={
          hits.length === 0
            ? "none"
            : `${Math.max(at, 0) + 1} of ${hits.length}`
        }
        onGo={go}
      />
      <PrintedLines
        printed={printed}
        className="output-lines"
        role="log"
        aria-label="Output"
        style={{
          height: Math.min(Math.max(lines.length * rowHeight + 14, 40), 360),
        }}
        onScroll={(event) => {
          const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
          atEnd.current = scrollTop + clientHeight > scrollHeight - rowHeight;
        }}
        row={(index) => {
          const line = lines[index];
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

function OutputTools({
  lines,
  query,
  onQuery,
  found,
  onGo,
}: {
  lines: OutputLine[];
  query: string;
  onQuery: (text: string) => void;
  /** Which of how many matches one is at. */
  found: string;
  onGo: (way: 1 | -1) => void;
}) {
  function key(event: KeyboardEvent) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    onGo(event.shiftKey ? -1 : 1);
  }
  async function copy() {
    const text = lines.map(({ text }) => text).join("\n");
    if (!reportFailure(await backend.writeClipboard(text)))
      notify("info", "The output is on the clipboard.");
  }
  return (
    <div className="output-tools">
      <SearchIcon size={12} />
      <input
        aria-label="Find in the output"
        placeholder="Find in the output"
        value={query}
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={key}
      />
      {query !== "" && <span className="faint">{found}</span>}
      <IconButton label="Previous match" onClick={() => onGo(-1)}>
        <UpIcon size={13} />
      </IconButton>
      <IconButton label="Next match" onClick={() => onGo(1)}>
        <DownIcon size={13} />
      </IconButton>
      <IconButton label="Copy the output" onClick={() => void copy()}>
        <CopyIcon size={13} />
      </IconButton>
    </div>
  );
}

/** The lines in which the words stand, by their place. */
function hitsIn(lines: OutputLine[], query: string): number[] {
  const wanted = query.toLowerCase();
  if (wanted === "") return [];
  return lines.flatMap((line, index) =>
    line.text.toLowerCase().includes(wanted) ? [index] : [],
  );
}

function size(bytes: number): string {
  return bytes < 1 << 20
    ? `${Math.ceil(bytes / 1024)} KB`
    : `${(bytes / (1 << 20)).toFixed(1)} MB`;
}
