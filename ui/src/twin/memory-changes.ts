import type { Backend, Result } from "../backend/backend";
import type {
  ActRequest,
  FileDiff,
  SnapshotId,
  View,
  WorktreeChanges,
} from "../bindings";

/** What one worktree of the twin changed. */
export interface MemoryWorktree {
  changes: WorktreeChanges;
  /** By view and path: its lines, with a little around them, and all of them. */
  diffs: Map<string, { near: FileDiff; all: FileDiff }>;
}

/** The twin's changes, and what a test may do to them. */
export interface MemoryChanges {
  /** What a worktree changed becomes this, and it is told that it was touched. */
  setChanges(worktree: MemoryWorktree): void;
  tellTouched(worktrees: string[] | null): void;
  /** What was asked to be done. */
  readonly acted: ActRequest[];
  /** The snapshots that were given back. */
  readonly restored: SnapshotId[];
}

export function keyOfDiff(view: View, path: string): string {
  return `${view}\u0000${path}`;
}

const ok = <T>(data: T): Promise<Result<T>> =>
  Promise.resolve({ status: "ok", data });

export function memoryChanges() {
  const worktrees = new Map<string, MemoryWorktree>();
  const acted: ActRequest[] = [];
  const restored: SnapshotId[] = [];
  const listeners = new Set<(worktrees: string[] | null) => void>();

  function tellTouched(touched: string[] | null) {
    for (const listener of listeners) listener(touched);
  }

  function within<T>(
    path: string,
    act: (worktree: MemoryWorktree) => T,
  ): Promise<Result<T>> {
    const worktree = worktrees.get(path);
    if (worktree) return ok(act(worktree));
    const message = `\`${path}\` is in no worktree of git`;
    return Promise.resolve({
      status: "error",
      error: { code: "bad_id", message, position: null },
    });
  }

  return {
    setChanges(worktree) {
      worktrees.set(worktree.changes.worktree, worktree);
      tellTouched([worktree.changes.worktree]);
    },
    tellTouched,
    acted,
    restored,

    worktreeChanges: (path, views) =>
      within(path, ({ changes }) => ({
        ...changes,
        views: views.map(
          (view) =>
            changes.views.find((one) => one.view === view) ?? {
              view,
              files: [],
            },
        ),
      })),
    fileDiff: (path, { view, path: file, context }) =>
      within(path, ({ diffs }) => {
        const found = diffs.get(keyOfDiff(view, file));
        const told = context === null ? found?.all : found?.near;
        const none: FileDiff = {
          file: null,
          content: {
            content: "text",
            hunks: [],
            encoding: "utf8",
            cut: false,
          },
        };
        return told ?? none;
      }),
    actOnChanges: (path, request) =>
      within(path, () => {
        acted.push(request);
        return request.act === "discard" ? `${acted.length}-1-0` : null;
      }),
    restoreChanges: (path, snapshot) =>
      within(path, () => {
        restored.push(snapshot);
        return `${snapshot}-again`;
      }),
    onWorktreesTouched: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } satisfies MemoryChanges & Partial<Backend>;
}
