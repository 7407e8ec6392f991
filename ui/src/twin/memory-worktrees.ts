import type { Backend, Result } from "../backend/backend";
import type { NewWorktree, RemoveWorktree, WorktreeRow } from "../bindings";

/** The twin's worktrees, and what a test may do to them. */
export interface MemoryWorktrees {
  /** The one repository has these. */
  setWorktrees(worktrees: WorktreeRow[]): void;
  /** What was made, and whether it was set up. */
  readonly made: (NewWorktree & { setUp: boolean })[];
  /** What is run in a new one. */
  runInNew: string[];
  readonly removed: (RemoveWorktree & { worktree: string })[];
  readonly renamed: [worktree: string, branch: string][];
}

/** A worktree as a test needs it. */
export function worktreeRow(change: Partial<WorktreeRow> = {}): WorktreeRow {
  return {
    path: "/w/shop-topic",
    branch: "topic",
    main: false,
    present: true,
    locked: null,
    base: null,
    merged: "no",
    holds: { uncommitted: 0, commits: 0, doing: null },
    unknown: null,
    at_work: { panes: [], agents: [] },
    ...change,
  };
}

export function memoryWorktrees() {
  let worktrees: WorktreeRow[] = [];
  const made: (NewWorktree & { setUp: boolean })[] = [];
  const removed: (RemoveWorktree & { worktree: string })[] = [];
  const renamed: [string, string][] = [];
  const ok = <T>(data: T): Promise<Result<T>> =>
    Promise.resolve({ status: "ok", data });
  const no = (message: string) =>
    Promise.resolve({
      status: "error" as const,
      error: { code: "refused" as const, message, position: null },
    });

  return {
    setWorktrees(rows) {
      worktrees = rows;
    },
    made,
    removed,
    renamed,
    runInNew: [] as string[],

    makeWorktree(directory, wanted, setUp) {
      const { branch } = wanted;
      if (worktrees.some((one) => one.branch === branch))
        return no(`\`${branch}\` is checked out already`);
      made.push({ ...wanted, setUp });
      const path = wanted.path ?? `${directory}-${branch}`;
      worktrees = [...worktrees, worktreeRow({ path, branch })];
      const run = setUp ? this.runInNew : [];
      return ok({ path, branch, copied: [], left_out: [], run });
    },
    listWorktrees: () => ok(worktrees),
    worktreeSize: () => ok(3 * 1024 * 1024),
    renameWorktree(worktree, branch) {
      if (worktrees.some((one) => one.branch === branch))
        return no(`there is a branch \`${branch}\` already`);
      renamed.push([worktree, branch]);
      return ok(null);
    },
    removeWorktree(worktree, how) {
      const found = worktrees.find(({ path }) => path === worktree);
      if (!found) return no(`there is no worktree \`${worktree}\``);
      removed.push({ ...how, worktree });
      worktrees = worktrees.filter((one) => one !== found);
      const branch = how.branch ? found.branch : null;
      const kept = found.holds.uncommitted > 0 ? "1-1-0" : null;
      return ok({ path: worktree, branch, snapshot: kept });
    },
    pruneWorktrees(_directory, really) {
      const gone = worktrees.filter(
        ({ main, merged }) =>
          !main && (merged === "yes" || merged === "as_others"),
      );
      if (really) worktrees = worktrees.filter((one) => !gone.includes(one));
      return ok(
        gone.map(({ path, branch }) => ({ path, branch, stays: null })),
      );
    },
  } satisfies MemoryWorktrees & Partial<Backend>;
}
