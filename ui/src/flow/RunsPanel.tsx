import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import type { RunInfo, RunState } from "../bindings";
import { Button } from "../shared/Button";
import { showRun, showStep } from "./actions";
import { openRun, useFlows } from "./flow-store";
import { RunIcon, StepIcon } from "./icons";
import type { RunModel } from "./run-model";
import "./run.css";
import { RunMenu } from "./RunMenu";
import { formatDuration, formatWhen, RUN_WORDS, stepWords } from "./words";

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
        <input
          className="text-input runs-words"
          aria-label="Flow, path or run"
          placeholder="Flow, path or run"
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
        <select
          className="text-input runs-state"
          aria-label="State"
          value={state}
          onChange={(event) => setState(event.target.value as RunState | "")}
        >
          <option value="">every state</option>
          {STATES.map((one) => (
            <option key={one} value={one}>
              {RUN_WORDS[one]}
            </option>
          ))}
        </select>
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
              <RunMenu key={run.id} run={run}>
                <div
                  className="runs-row"
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <input
                    type="checkbox"
                    aria-label={`Compare ${run.flow}, ${run.id}`}
                    checked={ticked}
                    onChange={() =>
                      setCompared((before) =>
                        ticked
                          ? before.filter((id) => id !== run.id)
                          : [...before, run.id].slice(-2),
                      )
                    }
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
                    <span className="runs-when">
                      {formatWhen(run.started_at)}
                    </span>
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
          })}
        </div>
      </div>
    </section>
  );
}

export interface Difference {
  step: string;
  left: string | null;
  right: string | null;
  differs: boolean;
}

/** Two runs' ways, step by step, in the order of the first one's file; steps that only one has come last. Pure. */
export function compareRuns(left: RunModel, right: RunModel): Difference[] {
  const ids = [...left.order, ...right.order.filter((id) => !left.steps[id])];
  return ids.map((step) => {
    const a = left.steps[step];
    const b = right.steps[step];
    const words = [a && stepWords(a), b && stepWords(b)];
    return {
      step,
      left: words[0] ?? null,
      right: words[1] ?? null,
      differs: words[0] !== words[1],
    };
  });
}

function Comparison({
  left,
  right,
  onClose,
}: {
  left: string;
  right: string;
  onClose: () => void;
}) {
  const [a, b] = [
    useFlows((state) => state.models[left]),
    useFlows((state) => state.models[right]),
  ];
  const [all, setAll] = useState(true);
  useEffect(() => {
    void openRun(left);
    void openRun(right);
  }, [left, right]);
  const rows = useMemo(() => (a && b ? compareRuns(a, b) : []), [a, b]);
  if (!a || !b) return <div className="run-empty">Reading the runs…</div>;
  const differing = rows.filter((row) => row.differs).length;
  const head = (model: RunModel) => (
    <th>
      <button
        type="button"
        className="link-button"
        onClick={() => showRun(model.run.id)}
      >
        {model.run.flow} {model.run.id}
      </button>
      <span className="faint"> {formatWhen(model.run.started_at)}</span>
    </th>
  );
  const cell = (model: RunModel, step: string, words: string | null) => {
    const view = model.steps[step];
    return (
      <td>
        {view && words !== null ? (
          <button
            type="button"
            className="step-link"
            onClick={() => showStep(model.run.id, step)}
          >
            <StepIcon state={view.state} size={13} />
            {words}
          </button>
        ) : (
          <span className="faint">no such step</span>
        )}
      </td>
    );
  };
  return (
    <section className="runs" aria-label="Comparison" data-testid="comparison">
      <header className="run-head">
        <Button onClick={onClose}>Back to the runs</Button>
        <span className="faint">
          {differing === 0
            ? "Both went the same way."
            : `${differing} of ${rows.length} steps differ.`}
        </span>
        <span className="spacer" />
        <label className="runs-all">
          <input
            type="checkbox"
            checked={!all}
            onChange={() => setAll((on) => !on)}
          />
          only what differs
        </label>
      </header>
      <div className="runs-list">
        <table className="compare">
          <thead>
            <tr>
              <th>Step</th>
              {head(a)}
              {head(b)}
            </tr>
          </thead>
          <tbody>
            {rows
              .filter((row) => all || row.differs)
              .map((row) => (
                <tr key={row.step} data-differs={row.differs}>
                  <th scope="row">
                    {row.differs && <span title="They differ">≠ </span>}
                    {row.step}
                  </th>
                  {cell(a, row.step, row.left)}
                  {cell(b, row.step, row.right)}
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
