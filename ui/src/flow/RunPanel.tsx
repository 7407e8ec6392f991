import { type ReactNode, useCallback, useEffect, useState } from "react";
import { backend } from "../backend/backend";
import { Button, IconButton } from "../shared/Button";
import { SaveIcon } from "../shared/icons";
import {
  cancelRun,
  resumeRun,
  retryFailed,
  showFlow,
  showStep,
} from "./actions";
import { exportRun } from "./export";
import { FlowCanvas } from "./FlowCanvas";
import { openRun, useFlows } from "./flow-store";
import { RunIcon } from "./icons";
import { hasEnded, type RunModel } from "./run-model";
import { askToStart } from "./StartDialog";
import { useNow } from "./StepCard";
import { Timeline } from "./Timeline";
import "./run.css";
import { formatDuration, formatTicking } from "../shared/durations";
import { Sentence } from "../shared/Sentence";
import { formatWhen, RUN_WORDS } from "./words";

type View = "graph" | "timeline" | "text";

const VIEWS: { id: View; title: string }[] = [
  { id: "graph", title: "Graph" },
  { id: "timeline", title: "Timeline" },
  { id: "text", title: "Text" },
];

/** A run: its graph, its timeline, its flow's text, and what can be done with it. */
export function RunPanel({ run }: { run: string }) {
  const model = useFlows((state) => state.models[run]);
  const problem = useFlows((state) => state.problems[run]);
  const [view, setView] = useState<View>("graph");
  const onStep = useCallback((step: string) => showStep(run, step), [run]);
  useEffect(() => {
    void openRun(run);
  }, [run]);
  if (problem !== undefined && !model)
    return (
      <div className="run-empty">
        <p>{problem}</p>
        <Button onClick={() => void openRun(run)}>Try again</Button>
      </div>
    );
  if (!model) return <div className="run-empty">Reading the run…</div>;
  return (
    <section
      className="run"
      aria-label={`Run of ${model.run.flow}`}
      data-testid={`run-${run}`}
      data-state={model.run.state}
    >
      <RunHead model={model} view={view} onView={setView} />
      <Asks model={model} />
      {model.run.message && (
        <p className="run-message" role="status">
          <Sentence text={model.run.message} />
        </p>
      )}
      {view === "graph" && <FlowCanvas model={run} onStep={onStep} />}
      {view === "timeline" && <Timeline run={run} />}
      {view === "text" && <RunText run={run} />}
      {hasEnded(model.run.state) && model.run.output && view === "graph" && (
        <details className="run-output">
          <summary>What the run gave</summary>
          <pre>{model.run.output}</pre>
        </details>
      )}
    </section>
  );
}

function RunHead({
  model,
  view,
  onView,
}: {
  model: RunModel;
  view: View;
  onView: (view: View) => void;
}) {
  const { run } = model;
  const ended = hasEnded(run.state);
  const failed = run.state === "failed";
  return (
    <header className="run-head">
      <RunIcon state={run.state} />
      <strong data-testid="run-state">
        {run.nothing_ran ? "nothing ran" : RUN_WORDS[run.state]}
      </strong>
      <span className="run-progress" title="Steps that have ended">
        {run.done} of {run.steps}
      </span>
      <RunTime model={model} />
      <span className="run-id" title={`Run ${run.id}, in ${run.cwd}`}>
        {run.id}
      </span>
      <span className="spacer" />
      <div className="segmented" role="tablist" aria-label="View">
        {VIEWS.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            role="tab"
            aria-selected={view === id}
            data-testid={`view-${id}`}
            onClick={() => onView(id)}
          >
            {title}
          </button>
        ))}
      </div>
      {failed && (
        <Button onClick={() => void retryFailed(run.id)}>
          Retry what failed
        </Button>
      )}
      {(run.state === "interrupted" || run.state === "cancelled") && (
        <Button onClick={() => void resumeRun(run.id)}>Resume</Button>
      )}
      {ended && run.path !== null && (
        <Button onClick={() => run.path !== null && askToStart(run.path)}>
          Run again…
        </Button>
      )}
      {!ended && run.state !== "interrupted" && (
        <Button data-testid="cancel-run" onClick={() => void cancelRun(run.id)}>
          Cancel
        </Button>
      )}
      <ExportMenu model={model} />
    </header>
  );
}

function RunTime({ model }: { model: RunModel }) {
  const { started_at: start, ended_at: end, state } = model.run;
  const now = useNow(end === null && state !== "interrupted");
  return (
    <span className="run-time" title={`Began ${formatWhen(start)}`}>
      {end === null
        ? state === "interrupted"
          ? `began ${formatWhen(start)}`
          : formatTicking(now - start)
        : formatDuration(end - start)}
    </span>
  );
}

/** The steps of this run that wait for the person. */
function Asks({ model }: { model: RunModel }) {
  const { asks, state } = model.run;
  if (asks.length === 0 || (state !== "running" && state !== "waiting"))
    return null;
  return (
    <ul className="run-asks" aria-label="What waits for you">
      {asks.map((id) => (
        <li key={id}>
          <span className="run-ask-text">
            <strong>{id}</strong>{" "}
            {model.steps[id]?.attempts.at(-1)?.question?.message}
          </span>
          <Button
            look="primary"
            data-testid={`answer-${id}`}
            onClick={() => showStep(model.run.id, id)}
          >
            Look and answer
          </Button>
        </li>
      ))}
    </ul>
  );
}

function ExportMenu({ model }: { model: RunModel }) {
  const [open, setOpen] = useState(false);
  const item = (title: string, to: "svg" | "png" | "mermaid"): ReactNode => (
    <button
      type="button"
      className="run-menu-item"
      onClick={() => {
        setOpen(false);
        void exportRun(model, to);
      }}
    >
      {title}
    </button>
  );
  return (
    <div className="run-menu">
      <IconButton
        label="Save the graph"
        aria-expanded={open}
        data-testid="export"
        onClick={() => setOpen((on) => !on)}
      >
        <SaveIcon size={14} />
      </IconButton>
      {open && (
        // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what a button opened
        <div
          className="run-menu-list"
          onKeyDown={(event) => event.key === "Escape" && setOpen(false)}
        >
          {item("Save as SVG", "svg")}
          {item("Save as PNG", "png")}
          {item("Copy as Mermaid", "mermaid")}
        </div>
      )}
    </div>
  );
}

/** The text of the flow as it was when the run began. */
function RunText({ run }: { run: string }) {
  const [text, setText] = useState<string | null>(null);
  const path = useFlows((state) => state.models[run]?.run.path ?? null);
  const [now, setNow] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    void backend.runText(run).then((answer) => {
      if (wanted && answer.status === "ok") setText(answer.data);
    });
    if (path !== null)
      void backend.readFlow(path).then((answer) => {
        if (wanted && answer.status === "ok") setNow(answer.data);
      });
    return () => {
      wanted = false;
    };
  }, [run, path]);
  return (
    <div className="run-text">
      <p className="run-text-head">
        {now !== null && text !== null && now !== text
          ? "The file has changed since this run began; the run goes on with this text."
          : "The text that this run works with."}
        {path !== null && (
          <button
            type="button"
            className="link-button"
            onClick={() => showFlow(path)}
          >
            Open the file
          </button>
        )}
      </p>
      <pre className="code-block">{text ?? "Reading…"}</pre>
    </div>
  );
}
