import { keyOf as keyOfCommand, useCommands } from "../shared/commands";
import { ConflictIcon } from "../shared/icons";
import { useRepositories } from "../shared/repositories";
import { grouped, useConflicts } from "./conflict-store";
import { together } from "./together";

/** What the status bar says of conflicts: how many, how bad, and whether that is fresh. */
export function ConflictsItem({ onClick }: { onClick: () => void }) {
  const { verdicts, groups } = useConflicts();
  const repositories = useRepositories((state) => state.repositories);
  useCommands((state) => state.keys);
  if (repositories.length === 0) return null;
  const warnings = together(grouped(verdicts).warnings, groups);
  const stops = warnings.filter(
    ({ said: [{ verdict }] }) => verdict.would_conflict,
  ).length;
  const late = repositories.some(
    ({ state }) =>
      state.state === "failed" ||
      (state.state === "watched" && state.health !== "live"),
  );
  const tone = stops > 0 ? "conflict" : warnings.length > 0 ? "near" : "calm";
  return (
    <button
      type="button"
      className="status-item yields status-conflicts"
      data-tone={tone}
      data-testid="status-conflicts"
      title={`Conflicts between worktrees (${keyOfCommand("conflicts.panel")})`}
      onClick={onClick}
    >
      <ConflictIcon size={13} />
      {countInWords(stops, warnings.length - stops)}
      {late && (
        <span className="status-late" data-testid="status-late">
          watching late
        </span>
      )}
    </button>
  );
}

/** How many stop a merge; what would merge is no conflict, and counted apart. */
export function countInWords(stops: number, merge: number): string {
  const words = [
    stops > 0 && `${stops} ${stops === 1 ? "conflict" : "conflicts"}`,
    merge > 0 && `${merge} close`,
  ].filter((one) => one !== false);
  return words.length > 0 ? words.join(", ") : "No conflicts";
}
