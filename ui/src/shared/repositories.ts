import { create } from "zustand";
import { backend } from "../backend/backend";
import type { RepositoryView, Severity, WorktreeView } from "../bindings";
import { reportFailure } from "./notices";

/** The repositories of the workspace with their worktrees, as the backend told them last. */
export const useRepositories = create<{ repositories: RepositoryView[] }>(
  () => ({ repositories: [] }),
);

/** Lists the repositories and follows what becomes of them. */
export async function startRepositories(): Promise<() => void> {
  let told = false;
  const stop = backend.onRepositoriesChanged((repositories) => {
    told = true;
    useRepositories.setState({ repositories });
  });
  const listed = await backend.listRepositories();
  // What was told meanwhile is newer.
  if (listed.status === "ok" && !told)
    useRepositories.setState({ repositories: listed.data });
  return stop;
}

/** Adds the repository that a folder is in; whether there is one. */
export async function addRepository(path: string): Promise<boolean> {
  return !reportFailure(await backend.addRepository(path));
}

export async function removeRepository(repository: string): Promise<void> {
  reportFailure(await backend.removeRepository(repository));
}

/** Looks at all files of a repository anew. */
export async function rescanRepository(repository: string): Promise<void> {
  reportFailure(await backend.rescanRepository(repository));
}

/** A worktree and the repository that it belongs to. */
export interface Place {
  repository: RepositoryView;
  worktree: WorktreeView;
}

/** The worktree that a directory lies in: the innermost, when one lies inside another. */
export function placeOfDirectory(
  repositories: RepositoryView[],
  directory: string,
): Place | null {
  let best: Place | null = null;
  for (const repository of repositories) {
    for (const worktree of repository.worktrees) {
      const inside =
        directory === worktree.path ||
        directory.startsWith(`${worktree.path.replace(/\/$/, "")}/`);
      if (inside && worktree.path.length > (best?.worktree.path.length ?? -1))
        best = { repository, worktree };
    }
  }
  return best;
}

/** What a badge says: how many warnings, and how bad the worst is. */
export interface Badge {
  count: number;
  tone: Tone;
  /** The same in words. */
  title: string;
}

export type Tone = "conflict" | "near" | "calm";

/** A merge would stop, or the lines are the same: `conflict`; lines near each other, or one breaks the other: `near`. */
export function toneOf(
  severity: Severity | null,
  wouldConflict: boolean,
): Tone {
  if (wouldConflict || severity === "same_line") return "conflict";
  return severity === "adjacent_line" || severity === "breaks"
    ? "near"
    : "calm";
}

/** The badge of a worktree; `null` when there is nothing to warn of. */
export function badgeOf(
  worktree: Pick<WorktreeView, "conflicts" | "would_conflict" | "worst">,
): Badge | null {
  const { conflicts: count, would_conflict: stops, worst } = worktree;
  if (count === 0) return null;
  const files = count === 1 ? "1 conflict" : `${count} conflicts`;
  const merge =
    stops === 0
      ? ""
      : stops === count
        ? ", no clean merge"
        : `, ${stops} without a clean merge`;
  return {
    count,
    tone: toneOf(worst, stops > 0),
    title: `${files} with other worktrees${merge}`,
  };
}
