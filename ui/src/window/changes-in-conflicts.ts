import { useMemo } from "react";
import type { Near } from "../changes/LandRow";
import { grouped, type Said, useConflicts } from "../conflicts/conflict-store";
import { openConflict, showConflicts } from "./conflicts-in-panes";

/** Where changes meet conflicts: what else stands in the way of a landing, and where both sides are seen. */

/** The other side of a verdict; none when the worktree is no part of it. */
function otherSide({ verdict: { left, right } }: Said, worktree: string) {
  if (left.worktree === worktree) return right;
  return right.worktree === worktree ? left : null;
}

/** What is said of a worktree and others, by the other one; what a person quieted is left out. */
export function nearOf(warnings: Said[], worktree: string): Near[] {
  const all = new Map<string, Near>();
  for (const said of warnings) {
    const other = otherSide(said, worktree);
    if (!other || said.verdict.severity !== "same_line") continue;
    const { path } = said.verdict;
    const known = all.get(other.worktree);
    if (known) known.files.push(path);
    else
      all.set(other.worktree, {
        name: other.branch ?? other.name,
        worktree: other.worktree,
        files: [path],
        open: () => openConflict(said),
      });
  }
  return [...all.values()];
}

export function useNear(worktree: string | null): Near[] {
  const verdicts = useConflicts((state) => state.verdicts);
  return useMemo(
    () =>
      worktree === null ? [] : nearOf(grouped(verdicts).warnings, worktree),
    [verdicts, worktree],
  );
}

/** Shows the conflicts, and both sides of the first file of these in which two worktrees meet. */
export function showMeeting(
  worktree: string,
  other: string | null,
  files: string[],
): void {
  showConflicts();
  const { warnings } = grouped(useConflicts.getState().verdicts);
  const theirs = warnings.filter(
    (said) => otherSide(said, worktree)?.worktree === other,
  );
  const told = theirs.find(({ verdict }) => files.includes(verdict.path));
  const first = told ?? theirs[0];
  if (first) openConflict(first);
}
