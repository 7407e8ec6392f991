import type { AttemptView } from "../bindings";
import { Sentence } from "../shared/Sentence";
import { showStep } from "./actions";
import { OutputView } from "./OutputView";
import type { RunModel } from "./run-model";
import { Section } from "./StepSection";
import { leadsBack } from "./ways";

/** What an approval is about: the outputs of the steps that it needs. */
export function Basis({
  model,
  run,
  step,
}: {
  model: RunModel;
  run: string;
  step: string;
}) {
  const needs = model.graph.edges
    .filter((edge) => edge.to === step && !leadsBack(edge.kind))
    .map((edge) => edge.from)
    .filter((id) => {
      const need = model.steps[id];
      const kind = model.graph.nodes.find((node) => node.id === id)?.kind;
      return (
        need !== undefined &&
        need.attempts.length > 0 &&
        kind !== "switch" &&
        kind !== "repeat" &&
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

/** What was answered to an attempt that asked. */
export function Answered({ attempt }: { attempt: AttemptView }) {
  const { answer, question } = attempt;
  if (!answer) return null;
  return (
    <Section title="Answer">
      {question && (
        <p className="approval-message">
          <Sentence text={question.message} />
        </p>
      )}
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
