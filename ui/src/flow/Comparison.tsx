import { useEffect, useMemo, useState } from "react";
import { Button } from "../shared/Button";
import { showRun, showStep } from "./actions";
import { openRun, useFlows } from "./flow-store";
import { StepIcon } from "./icons";
import type { RunModel } from "./run-model";
import { formatWhen, stepWords } from "./words";

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

/** Two runs side by side, step by step. */
export function Comparison({
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
        <Differences
          left={a}
          right={b}
          rows={rows.filter((row) => all || row.differs)}
        />
      </div>
    </section>
  );
}

function Differences({
  left,
  right,
  rows,
}: {
  left: RunModel;
  right: RunModel;
  rows: Difference[];
}) {
  return (
    <table className="compare">
      <thead>
        <tr>
          <th>Step</th>
          <RunHead model={left} />
          <RunHead model={right} />
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.step} data-differs={row.differs}>
            <th scope="row">
              {row.differs && <span title="They differ">≠ </span>}
              {row.step}
            </th>
            <StepCell model={left} step={row.step} words={row.left} />
            <StepCell model={right} step={row.step} words={row.right} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RunHead({ model: { run } }: { model: RunModel }) {
  return (
    <th>
      <button
        type="button"
        className="link-button"
        onClick={() => showRun(run.id)}
      >
        {run.flow} {run.id}
      </button>
      <span className="faint"> {formatWhen(run.started_at)}</span>
    </th>
  );
}

function StepCell({
  model,
  step,
  words,
}: {
  model: RunModel;
  step: string;
  words: string | null;
}) {
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
}
