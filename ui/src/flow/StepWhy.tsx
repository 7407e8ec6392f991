import type { Decision } from "../bindings";
import { Sentence } from "../shared/Sentence";
import { showStep } from "./actions";
import { causesOf } from "./causes";
import type { Picked } from "./flow-store";
import { StepIcon } from "./icons";
import type { RunModel } from "./run-model";
import { Section } from "./StepSection";
import { stepWords } from "./words";

/** Why a step is as it is, and the steps that led to it. */
export function Why({
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
    .filter((line) => !/^ {2}(case|round) /.test(line))
    .join("\n");
  if (!sentences && chain.length === 0) return null;
  return (
    <Section title="Why">
      {sentences && (
        <p className="step-why" data-testid="why">
          <Sentence text={sentences} />
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

const TITLES: Record<string, string> = {
  switch: "What it decided",
  repeat: "Until",
};

/** The conditions that were tried, and what they saw. */
export function Decided({
  decision,
  kind,
}: {
  decision: Decision;
  kind: string;
}) {
  return (
    <Section title={TITLES[kind] ?? "Its condition"}>
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
