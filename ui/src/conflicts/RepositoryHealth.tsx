import { backend } from "../backend/backend";
import type { RepositoryView } from "../bindings";
import { reportFailure } from "../shared/notices";
import { Sentence } from "../shared/Sentence";

/** Says when a repository is not watched live, and why. */
export function RepositoryHealth({ view }: { view: RepositoryView }) {
  const { state, name, repository } = view;
  if (state.state === "looking")
    return <p className="conflicts-note">Looking through {name}…</p>;
  if (state.state === "watched" && state.health === "live") return null;
  const gone = state.state === "watched" && state.health === "gone";
  const reasons = state.state === "failed" ? [state.message] : state.reasons;
  return (
    <div
      className="conflicts-degraded"
      role="status"
      data-testid="conflicts-degraded"
    >
      <p>
        <b>{name}</b>{" "}
        {state.state === "failed"
          ? "can't be watched."
          : gone
            ? "is gone."
            : "is looked at every few seconds: some changes may show late."}
      </p>
      <ul>
        {reasons.slice(0, 4).map((reason) => (
          <li key={reason}>
            <Sentence text={reason} />
          </li>
        ))}
        {reasons.length > 4 && <li>and {reasons.length - 4} more</li>}
      </ul>
      {state.state === "watched" && !gone && (
        <button
          type="button"
          className="link-button"
          onClick={() =>
            void backend.rescanRepository(repository).then(reportFailure)
          }
        >
          Look now
        </button>
      )}
    </div>
  );
}

/** What could not be compared, and why. */
export function Notes({ notes }: { notes: Record<string, string[]> }) {
  const all = [...new Set(Object.values(notes).flat())];
  if (all.length === 0) return null;
  return (
    <ul className="conflicts-notes" aria-label="What could not be compared">
      {all.slice(0, 8).map((note) => (
        <li key={note}>{note}</li>
      ))}
      {all.length > 8 && <li>and {all.length - 8} more</li>}
    </ul>
  );
}
