import type { AttemptView } from "../bindings";
import { formatDuration } from "../shared/durations";
import { Sentence } from "../shared/Sentence";
import { saidInLetters } from "../shared/said-parts";
import { Section } from "./StepSection";
import { formatWhen, STATE_WORDS } from "./words";

/** When the only attempt was, and where. */
export function OneAttempt({ attempt }: { attempt: AttemptView }) {
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

/** Every attempt; one of them is shown. */
export function Attempts({
  attempts,
  rounds,
  shown,
  onShow,
}: {
  attempts: AttemptView[];
  /** Which round an attempt was of; none: the step is done in none. */
  rounds: Map<number, number>;
  shown: number;
  onShow: (attempt: number) => void;
}) {
  return (
    <Section title="Attempts">
      <table className="step-attempts-table">
        <thead>
          <tr>
            <th>#</th>
            {rounds.size > 0 && <th>round</th>}
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
              {rounds.size > 0 && <td>{rounds.get(attempt.attempt) ?? "–"}</td>}
              <td
                title={
                  attempt.message === null
                    ? undefined
                    : saidInLetters(attempt.message)
                }
              >
                {attempt.state === "skipped"
                  ? "cut off"
                  : STATE_WORDS[attempt.state]}
                {attempt.message && (
                  <span className="faint attempt-message">
                    <Sentence text={attempt.message} />
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
