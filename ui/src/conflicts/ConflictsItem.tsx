import { keyOf as keyOfCommand, useCommands } from "../shared/commands";
import { ConflictIcon } from "../shared/icons";
import { useRepositories } from "../shared/repositories";
import { grouped, useConflicts } from "./conflict-store";

/** What the status bar says of conflicts: how many, how bad, and whether that is fresh. */
export function ConflictsItem({ onClick }: { onClick: () => void }) {
  const verdicts = useConflicts((state) => state.verdicts);
  const repositories = useRepositories((state) => state.repositories);
  useCommands((state) => state.keys);
  if (repositories.length === 0) return null;
  const { warnings } = grouped(verdicts);
  const stops = warnings.filter(({ verdict }) => verdict.would_conflict).length;
  const late = repositories.some(
    ({ state }) =>
      state.state === "failed" ||
      (state.state === "watched" && state.health !== "live"),
  );
  const tone = stops > 0 ? "conflict" : warnings.length > 0 ? "near" : "calm";
  const count = warnings.length;
  return (
    <button
      type="button"
      className="status-item status-conflicts"
      data-tone={tone}
      data-testid="status-conflicts"
      title={`Conflicts between worktrees (${keyOfCommand("conflicts.panel")})`}
      onClick={onClick}
    >
      <ConflictIcon size={13} />
      {count === 0
        ? "No conflicts"
        : count === 1
          ? "1 conflict"
          : `${count} conflicts`}
      {late && (
        <span className="status-late" data-testid="status-late">
          watching late
        </span>
      )}
    </button>
  );
}
