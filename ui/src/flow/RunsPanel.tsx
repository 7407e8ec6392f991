import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import type { RunInfo, RunState } from "../bindings";
import { Button } from "../shared/Button";
import { showRun } from "./actions";
import { Comparison } from "./Comparison";
import { useFlows } from "./flow-store";
import { RunIcon } from "./icons";
import "./run.css";
import { formatDuration } from "../shared/durations";
import { RunMenu } from "./RunMenu";
import { formatWhen, RUN_WORDS } from "./words";

const ROW = 32;
const STATES: RunState[] = [
  "running",
  "waiting",
  "interrupted",
  "succeeded",
  "failed",
  "cancelled",
];

/** Which runs are wanted: by words in their flow's name, path or id, and by state. Pure. */
export function filterRuns(
  runs: RunInfo[],
  words: string,
  state: RunState | "",
): RunInfo[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return runs.filter((run) => {
    if (state !== "" && run.state !== state) return false;
    const text = `${run.flow} ${run.path ?? ""} ${run.id}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

/** All runs, with filters; two of them side by side. */
export function RunsPanel() {
  const runs = useFlows((state) => state.runs);
  const listed = useFlows((state) => state.listed);
  const [words, setWords] = useState("");
  const [state, setState] = useState<RunState | "">("");
  const [compared, setCompared] = useState<string[]>([]);
  const [comparing, setComparing] = useState(false);
  const shown = useMemo(
    () => filterRuns(runs, words, state),
    [runs, words, state],
  );
  const holder = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => holder.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  const [first, second] = compared;
  if (comparing && first !== undefined && second !== undefined)
    return (
      <Comparison
        left={first}
        right={second}
        onClose={() => setComparing(false)}
      />
    );
  return (
    <section className="runs" aria-label="Runs" data-testid="runs">
      <header className="run-head">
        <Filters
          words={words}
          onWords={setWords}
          state={state}
          onState={setState}
        />
        <span className="faint">
          {shown.length} of {runs.length}
        </span>
        <span className="spacer" />
        <Button
          disabled={compared.length !== 2}
          title="Tick two runs"
          data-testid="compare"
          onClick={() => setComparing(true)}
        >
          Compare
        </Button>
      </header>
      {listed && runs.length === 0 && (
        <div className="run-empty">
          No flow has run yet. Start one from the sidebar.
        </div>
      )}
      {runs.length > 0 && shown.length === 0 && (
        <div className="run-empty">No run is like that.</div>
      )}
      <div className="runs-list" ref={holder}>
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map((item) => {
            const run = shown[item.index];
            if (!run) return null;
            const ticked = compared.includes(run.id);
            return (
              <RunRow
                key={run.id}
                run={run}
                top={item.start}
                ticked={ticked}
                onTick={() =>
                  setCompared((before) =>
                    ticked
                      ? before.filter((id) => id !== run.id)
                      : [...before, run.id].slice(-2),
                  )
                }
              />
            );
          })}
        </div>
      </div>
    </section>
  );
}

function Filters({
  words,
  onWords,
  state,
  onState,
}: {
  words: string;
  onWords: (words: string) => void;
  state: RunState | "";
  onState: (state: RunState | "") => void;
}) {
  return (
    <>
      <input
        className="text-input runs-words"
        aria-label="Flow, path or run"
        placeholder="Flow, path or run"
        value={words}
        onChange={(event) => onWords(event.target.value)}
      />
      <select
        className="text-input runs-state"
        aria-label="State"
        value={state}
        onChange={(event) => onState(event.target.value as RunState | "")}
      >
        <option value="">every state</option>
        {STATES.map((one) => (
          <option key={one} value={one}>
            {RUN_WORDS[one]}
          </option>
        ))}
      </select>
    </>
  );
}

function RunRow({
  run,
  top,
  ticked,
  onTick,
}: {
  run: RunInfo;
  /** Where in the list it is drawn, in pixels. */
  top: number;
  ticked: boolean;
  onTick: () => void;
}) {
  return (
    <RunMenu run={run}>
      <div className="runs-row" style={{ transform: `translateY(${top}px)` }}>
        <input
          type="checkbox"
          aria-label={`Compare ${run.flow}, ${run.id}`}
          checked={ticked}
          onChange={onTick}
        />
        <button
          type="button"
          className="runs-open"
          data-testid={`run-row-${run.id}`}
          onClick={() => showRun(run.id)}
        >
          <RunIcon state={run.state} size={14} />
          <span className="runs-flow">{run.flow}</span>
          <span className="runs-said">
            {run.asks.length > 0 ? "needs you" : RUN_WORDS[run.state]}
          </span>
          <span className="runs-steps">
            {run.done} of {run.steps}
          </span>
          <span className="runs-when">{formatWhen(run.started_at)}</span>
          <span className="runs-took">
            {run.ended_at === null
              ? ""
              : formatDuration(run.ended_at - run.started_at)}
          </span>
          <span className="runs-id">{run.id}</span>
        </button>
      </div>
    </RunMenu>
  );
}
