import { useState } from "react";
import type { StepAgent, StepView } from "../bindings";
import { Button } from "../shared/Button";
import { useDraftText } from "../shared/drafts";
import { cancelRun, markStep, rerunFrom, surroundings } from "./actions";
import { hasEnded, isTerminal, type RunModel } from "./run-model";

/** What a person can do with a step. */
export function Acts({
  model,
  step,
  pane,
  agent,
}: {
  model: RunModel;
  step: StepView;
  pane: number | null;
  agent: StepAgent | null;
}) {
  const run = model.run.id;
  const [marking, setMarking] = useState(false);
  if (run.startsWith("plan:")) return null;
  const terminal = isTerminal(step.state);
  const atWork =
    step.state === "running" ||
    step.state === "retry_wait" ||
    step.state === "queued" ||
    step.state === "awaiting_approval";
  return (
    <fieldset className="step-acts" aria-label="What can be done">
      {agent !== null && (
        <Button
          data-testid="open-agent"
          onClick={() => surroundings().showAgent(agent.backend, agent.id)}
        >
          Go to its agent
        </Button>
      )}
      {pane !== null && (
        <Button
          data-testid="open-pane"
          onClick={() => surroundings().showPane(pane)}
        >
          Go to its pane
        </Button>
      )}
      {terminal && (
        <Button onClick={() => void rerunFrom(run, step.id)}>
          Rerun from here
        </Button>
      )}
      {atWork && (
        <Button
          onClick={() => void cancelRun(run, { what: "step", step: step.id })}
        >
          Cancel the step
        </Button>
      )}
      {(step.state !== "succeeded" || hasEnded(model.run.state)) && (
        <Button onClick={() => setMarking((on) => !on)}>
          Mark as succeeded…
        </Button>
      )}
      {step.state !== "skipped" && (
        <Button
          onClick={() => void markStep(run, step.id, { mark: "skipped" })}
        >
          Skip
        </Button>
      )}
      {marking && (
        <MarkForm
          run={run}
          step={step.id}
          onMark={(output) => {
            setMarking(false);
            void markStep(run, step.id, { mark: "succeeded", output });
          }}
        />
      )}
    </fieldset>
  );
}

/** What a step that a person marks as succeeded is to have given. */
function MarkForm({
  run,
  step,
  onMark,
}: {
  run: string;
  step: string;
  onMark: (output: string) => void;
}) {
  const [output, setOutput] = useDraftText(`mark:${run}/${step}`);
  return (
    <form
      className="fields"
      onSubmit={(event) => {
        event.preventDefault();
        setOutput("");
        onMark(output);
      }}
    >
      <div className="field">
        <label htmlFor="mark-output">With this output</label>
        <textarea
          id="mark-output"
          className="text-input"
          rows={2}
          value={output}
          onChange={(event) => setOutput(event.target.value)}
        />
      </div>
      <div className="approval-buttons">
        <Button type="submit" look="primary">
          Mark as succeeded
        </Button>
      </div>
    </form>
  );
}
