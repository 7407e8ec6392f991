import type { AttemptView } from "../bindings";
import { formatDuration } from "../shared/durations";
import { StepIcon } from "./icons";
import { Section } from "./StepSection";
import { STATE_WORDS } from "./words";

/** Every round of a step that repeats, and what its steps came to; one of them is shown. */
export function Rounds({
  attempts,
  shown,
  onShow,
  onStep,
}: {
  attempts: AttemptView[];
  shown: number;
  onShow: (attempt: number) => void;
  onStep: (step: string) => void;
}) {
  const judged = attempts.filter((attempt) => attempt.round);
  if (judged.length === 0) return null;
  return (
    <Section title="Rounds">
      <table className="step-attempts-table" data-testid="rounds">
        <thead>
          <tr>
            <th>#</th>
            <th>came to</th>
            <th>took</th>
          </tr>
        </thead>
        <tbody>
          {judged.map((attempt, index) => (
            <tr key={attempt.attempt} aria-selected={attempt.attempt === shown}>
              <td>
                <button
                  type="button"
                  className="link-button"
                  onClick={() => onShow(attempt.attempt)}
                >
                  {attempt.round?.number}
                </button>
              </td>
              <td>
                {attempt.round?.steps.map(({ step, state, attempt: last }) => (
                  <button
                    key={step}
                    type="button"
                    className="step-link round-step"
                    title={`${step}: ${STATE_WORDS[state]}${state === "skipped" ? "" : `, attempt ${last}`}`}
                    onClick={() => onStep(step)}
                  >
                    <StepIcon state={state} size={13} />
                    {step}
                  </button>
                ))}
              </td>
              <td>{took(judged[index - 1], attempt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

/** How long a round took: since the one before it was judged. */
function took(before: AttemptView | undefined, attempt: AttemptView): string {
  if (!before || !attempt.round || attempt.round.number === 1) return "–";
  return formatDuration(attempt.started_at - before.started_at);
}
