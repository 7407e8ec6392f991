import { ConflictIcon } from "./icons";
import { badgeOf, placeOfDirectory, useRepositories } from "./repositories";
import "./conflict-badge.css";

/** How many conflicts the worktree has that a directory lies in; nothing when there is none. */
export function ConflictBadge({ directory }: { directory: string }) {
  const repositories = useRepositories((state) => state.repositories);
  const place = placeOfDirectory(repositories, directory);
  const badge = place && badgeOf(place.worktree);
  if (!badge) return null;
  return (
    <span
      className="conflict-badge"
      data-tone={badge.tone}
      data-testid="conflict-badge"
      title={badge.title}
    >
      <ConflictIcon size={11} />
      {badge.count}
      <span className="visually-hidden"> {badge.title}</span>
    </span>
  );
}
