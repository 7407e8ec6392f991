import { type ReactNode, useEffect, useState } from "react";
import { backend } from "../backend/backend";
import type {
  AttemptView,
  Decision,
  StepAgent,
  StepDetail,
  StepView,
} from "../bindings";
import { Button, IconButton } from "../shared/Button";
import { CloseIcon } from "../shared/icons";
import { ApprovalForm } from "./ApprovalForm";
import {
  cancelRun,
  closeStep,
  markStep,
  rerunFrom,
  showStep,
  surroundings,
} from "./actions";
import { causesOf } from "./causes";
import { type Picked, useFlows } from "./flow-store";
import { KIND_PATHS, Shape, StepIcon } from "./icons";
import { OutputView } from "./OutputView";
import { hasEnded, isTerminal, lastAttempt, type RunModel } from "./run-model";
import { Elapsed } from "./StepCard";
import "./step.css";
import {
  formatDuration,
  formatWhen,
  KIND_WORDS,
  STATE_WORDS,
  stepWords,
} from "./words";

/** One step in full: what it was asked, what it printed, how it was tried, why it is as it is. */
export function StepAside() {
  const picked = useFlows((state) => state.picked);
  const model = useFlows((state) =>
    picked ? state.models[picked.run] : undefined,
  );
  if (!picked || !model)
    return <p className="empty">Pick a step in a graph to see it here.</p>;
  return (
    <StepInFull
      key={`${picked.run}/${picked.step}`}
      picked={picked}
      model={model}
    />
  );
}

function StepInFull({ picked, model }: { picked: Picked; model: RunModel }) {
  const node = model.graph.nodes.find((one) => one.id === picked.step);
  const step = model.steps[picked.step];
  const detail = useDetail(picked, step);
  const [chosen, setChosen] = useState<number | null>(null);
  if (!node || !step)
    return <p className="empty">The flow has no step of that name any more.</p>;
  const attempts = detail?.view.attempts ?? step.attempts;
  const shown =
    attempts.find((one) => one.attempt === chosen) ?? attempts.at(-1);
  const data = detail?.data[shown ? attempts.indexOf(shown) : -1];
  const asks =
    step.state === "awaiting_approval" ? lastAttempt(step) : undefined;
  const decision =
    shown?.decision ??
    (step.guard ? { taken: null, tried: [step.guard] } : null);
  return (
    <section
      className="step-aside"
      aria-label={`Step ${node.id}`}
      data-testid="step-aside"
    >
      <header className="step-head">
        <Shape path={KIND_PATHS[node.kind]} size={16} />
        <h2>{node.id}</h2>
        <span className="faint">{KIND_WORDS[node.kind]}</span>
        <span className="spacer" />
        <IconButton label="Close" onClick={closeStep}>
          <CloseIcon size={14} />
        </IconButton>
      </header>
      <div className="step-body">
        <p className="step-line" data-state={step.state}>
          <StepIcon state={step.state} />
          <strong>{stepWords(step)}</strong>
          <Elapsed step={step} />
        </p>
        {node.description && <p className="step-about">{node.description}</p>}
        {asks && (
          <Section title="Your answer is needed">
            <ApprovalForm
              key={asks.attempt}
              run={picked.run}
              step={picked.step}
              attempt={asks}
            />
            <Basis model={model} step={picked.step} run={picked.run} />
          </Section>
        )}
        <Why model={model} picked={picked} why={detail?.why ?? null} />
        {decision && <Decided decision={decision} kind={node.kind} />}
        {!decision && node.when && (
          <Section title="Condition">
            <pre className="code-block">{node.when}</pre>
          </Section>
        )}
        {shown?.answer && <Answered attempt={shown} />}
        {attempts.length > 1 && (
          <Attempts
            attempts={attempts}
            shown={shown?.attempt ?? 0}
            onShow={setChosen}
          />
        )}
        {shown && attempts.length === 1 && <OneAttempt attempt={shown} />}
        <Asked detail={detail} attempt={shown} />
        {shown && node.kind !== "approval" && node.kind !== "switch" && (
          <Section
            title={
              attempts.length > 1
                ? `Output of attempt ${shown.attempt}`
                : "Output"
            }
          >
            <OutputView
              run={picked.run}
              step={picked.step}
              attempt={shown.attempt}
              live={shown.state === "running"}
            />
          </Section>
        )}
        {data != null && (
          <Section title="Data">
            <pre className="code-block">{data}</pre>
          </Section>
        )}
        <Acts
          model={model}
          step={step}
          pane={shown?.pane ?? null}
          agent={shown?.agent ?? null}
        />
      </div>
    </section>
  );
}

/** What is known of a step in full, read anew whenever something happens to it. */
function useDetail(picked: Picked, step: StepView | undefined) {
  const [detail, setDetail] = useState<StepDetail | null>(null);
  useEffect(() => {
    // Read again for each state of the step.
    if (!step || picked.run.startsWith("plan:")) return;
    let wanted = true;
    void backend.runStep(picked.run, picked.step).then((answer) => {
      if (wanted && answer.status === "ok") setDetail(answer.data);
    });
    return () => {
      wanted = false;
    };
  }, [picked.run, picked.step, step]);
  return detail;
}

export function Section({
  title,
  children,
}: {
  title: string;
  children: ReactNode;
}) {
  return (
    <section className="step-section" aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** What an approval is about: the outputs of the steps that it needs. */
function Basis({
  model,
  run,
  step,
}: {
  model: RunModel;
  run: string;
  step: string;
}) {
  const needs = model.graph.edges
    .filter((edge) => edge.to === step && edge.kind !== "goto")
    .map((edge) => edge.from)
    .filter((id) => {
      const need = model.steps[id];
      const kind = model.graph.nodes.find((node) => node.id === id)?.kind;
      return (
        need !== undefined &&
        need.attempts.length > 0 &&
        kind !== "switch" &&
        kind !== "approval"
      );
    });
  return [...new Set(needs)].map((id) => {
    const attempt = model.steps[id]?.attempts.at(-1);
    return (
      <details className="step-basis" key={id} open={needs.length === 1}>
        <summary>
          Output of{" "}
          <button
            type="button"
            className="link-button"
            onClick={() => showStep(run, id)}
          >
            {id}
          </button>
        </summary>
        {attempt && (
          <OutputView
            run={run}
            step={id}
            attempt={attempt.attempt}
            live={false}
          />
        )}
      </details>
    );
  });
}

function Why({
  model,
  picked,
  why,
}: {
  model: RunModel;
  picked: Picked;
  why: string | null;
}) {
  const chain = causesOf(model.graph, model.steps, picked.step);
  // The conditions that a switch tried have a place of their own.
  const sentences = why
    ?.split("\n")
    .filter((line) => !line.startsWith("  case "))
    .join("\n");
  if (!sentences && chain.length === 0) return null;
  return (
    <Section title="Why">
      {sentences && (
        <p className="step-why" data-testid="why">
          {sentences}
        </p>
      )}
      {chain.length > 0 && (
        <ol className="step-chain" aria-label="Chain of causes">
          {chain.map((id) => {
            const step = model.steps[id];
            return (
              <li key={id}>
                <button
                  type="button"
                  className="step-link"
                  data-testid={`cause-${id}`}
                  onClick={() => showStep(picked.run, id)}
                >
                  {step && <StepIcon state={step.state} size={13} />}
                  {id}
                  <span className="faint">{step && stepWords(step)}</span>
                </button>
              </li>
            );
          })}
        </ol>
      )}
    </Section>
  );
}

function Decided({ decision, kind }: { decision: Decision; kind: string }) {
  return (
    <Section title={kind === "switch" ? "What it decided" : "Its condition"}>
      <ul className="step-tried">
        {decision.tried.map((tried) => (
          <li key={`${tried.case}${tried.when}`}>
            <div className="tried-head">
              <span className={`tried-said said-${String(tried.holds)}`}>
                {tried.holds === null
                  ? "could not be evaluated"
                  : tried.holds
                    ? "✓ true"
                    : "✗ false"}
              </span>
              {tried.case !== null && <strong>{tried.case}</strong>}
            </div>
            <pre className="code-block">{tried.when}</pre>
            {Object.keys(tried.saw).length > 0 && (
              <dl className="tried-saw">
                {Object.entries(tried.saw).map(([name, value]) => (
                  <div key={name}>
                    <dt>{name}</dt>
                    <dd>{JSON.stringify(value)}</dd>
                  </div>
                ))}
              </dl>
            )}
          </li>
        ))}
      </ul>
      {kind === "switch" && (
        <p>
          {decision.taken === null ? (
            "No case was taken."
          ) : (
            <>
              It took <strong>{decision.taken}</strong>.
            </>
          )}
        </p>
      )}
    </Section>
  );
}

function Answered({ attempt }: { attempt: AttemptView }) {
  const { answer, question } = attempt;
  if (!answer) return null;
  return (
    <Section title="Answer">
      {question && <p className="approval-message">{question.message}</p>}
      <p>
        <strong>{answer.approved ? "Approved" : "Rejected"}</strong>
        {answer.by_timeout && " because nobody answered in time"}
        {answer.comment && `: ${answer.comment}`}
      </p>
      {Object.keys(answer.form).length > 0 && (
        <dl className="tried-saw">
          {Object.entries(answer.form).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{JSON.stringify(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Section>
  );
}

function OneAttempt({ attempt }: { attempt: AttemptView }) {
  return (
    <p className="step-times faint">
      Began {formatWhen(attempt.started_at)}
      {attempt.ended_at !== null &&
        `, took ${formatDuration(attempt.ended_at - attempt.started_at)}`}
      {attempt.exit_code !== null && `, exit code ${attempt.exit_code}`}
      {attempt.worktree !== null && (
        <span className="step-path">{attempt.worktree}</span>
      )}
    </p>
  );
}

function Attempts({
  attempts,
  shown,
  onShow,
}: {
  attempts: AttemptView[];
  shown: number;
  onShow: (attempt: number) => void;
}) {
  return (
    <Section title="Attempts">
      <table className="step-attempts-table">
        <thead>
          <tr>
            <th>#</th>
            <th>came to</th>
            <th>began</th>
            <th>took</th>
            <th>exit</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map((attempt) => (
            <tr key={attempt.attempt} aria-selected={attempt.attempt === shown}>
              <td>
                <button
                  type="button"
                  className="link-button"
                  onClick={() => onShow(attempt.attempt)}
                >
                  {attempt.attempt}
                </button>
              </td>
              <td title={attempt.message ?? undefined}>
                {attempt.state === "skipped"
                  ? "cut off"
                  : STATE_WORDS[attempt.state]}
                {attempt.message && (
                  <span className="faint attempt-message">
                    {attempt.message}
                  </span>
                )}
              </td>
              <td>{formatWhen(attempt.started_at)}</td>
              <td>
                {attempt.ended_at === null
                  ? "–"
                  : formatDuration(attempt.ended_at - attempt.started_at)}
              </td>
              <td>{attempt.exit_code ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

const ASKED_TITLES: Record<string, string> = {
  agent: "Prompt",
  run: "Script",
  value: "Template",
};

/** The prompt as it was sent, or the script as it ran. */
function Asked({
  detail,
  attempt,
}: {
  detail: StepDetail | null;
  attempt: AttemptView | undefined;
}) {
  if (!detail) return null;
  const { definition } = detail;
  const title = ASKED_TITLES[definition.kind];
  const text = attempt?.prompt ?? definition.text;
  if (!title || text === null) return null;
  const rendered = definition.kind !== "agent" || attempt?.prompt != null;
  const env = Object.entries(definition.env);
  return (
    <Section title={rendered ? title : `${title}, as it is written`}>
      {definition.agent && <p className="faint">{definition.agent}</p>}
      <pre className="code-block">{text.replace(/\n$/, "")}</pre>
      {attempt?.asked_again && (
        <>
          <p className="faint">
            Its answer could not be used; asked once more:
          </p>
          <pre className="code-block">{attempt.asked_again.trimEnd()}</pre>
        </>
      )}
      {env.length > 0 && (
        <dl className="tried-saw" aria-label="Environment">
          {env.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </Section>
  );
}

/** What a person can do with a step. */
function Acts({
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
  const [output, setOutput] = useState("");
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
        <form
          className="fields"
          onSubmit={(event) => {
            event.preventDefault();
            setMarking(false);
            void markStep(run, step.id, { mark: "succeeded", output });
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
      )}
    </fieldset>
  );
}
