import type { RepositoryView, WorktreeView } from "../bindings";
import { placeOfDirectory } from "../shared/repositories";
import type { TreeGroup, TreeItem } from "../shared/tree-item";

/** One worktree, with what works in it. */
export interface WorktreeGroup {
  worktree: WorktreeView;
  items: TreeItem[];
}

/** One repository, with the worktrees that something goes on in. */
export interface RepositoryGroup {
  repository: RepositoryView;
  worktrees: WorktreeGroup[];
  /** Worktrees without panes, agents and conflicts. */
  quiet: WorktreeView[];
}

/** A directory that is in no repository of the workspace. */
export interface DirectoryGroup {
  directory: string;
  items: TreeItem[];
}

export interface Tree {
  repositories: RepositoryGroup[];
  elsewhere: DirectoryGroup[];
}

/** Puts everything under the worktree that it works in, and the rest under its directory, in the order it came. */
export function workspaceTree(
  items: TreeItem[],
  repositories: RepositoryView[],
): Tree {
  const inWorktree = new Map<WorktreeView, TreeItem[]>();
  const elsewhere: TreeItem[] = [];
  for (const item of items) {
    const place = placeOfDirectory(repositories, item.directory);
    if (place) add(inWorktree, place.worktree, item);
    else elsewhere.push(item);
  }
  return {
    repositories: repositories.map((repository) => {
      const groups = repository.worktrees.map((worktree) => ({
        worktree,
        items: inWorktree.get(worktree) ?? [],
      }));
      const busy = groups.filter(
        ({ worktree, items }) => items.length > 0 || worktree.conflicts > 0,
      );
      // A repository without anything going on still shows where one can begin.
      const shown = busy.length > 0 ? busy : groups.slice(0, 1);
      return {
        repository,
        worktrees: shown,
        quiet: groups
          .filter((group) => !shown.includes(group))
          .map(({ worktree }) => worktree),
      };
    }),
    elsewhere: byDirectory(elsewhere),
  };
}

/** Everything under its directory, in the order it came. */
export function byDirectory(items: TreeItem[]): DirectoryGroup[] {
  const groups = new Map<string, TreeItem[]>();
  for (const item of items) add(groups, item.directory, item);
  return [...groups].map(([directory, found]) => ({
    directory,
    items: found,
  }));
}

/** A row, or the parts of something that are one row together. */
export interface Row {
  key: string;
  group: TreeGroup | null;
  items: TreeItem[];
}

/** Puts what is part of the same thing together, where the first of its parts stands. */
export function grouped(items: TreeItem[]): Row[] {
  const rows = new Map<string, Row>();
  for (const item of items) {
    const { group = null } = item;
    const key = group?.key ?? item.key;
    const row = rows.get(key);
    if (row) row.items.push(item);
    else rows.set(key, { key, group, items: [item] });
  }
  return [...rows.values()];
}

function add<K>(groups: Map<K, TreeItem[]>, key: K, item: TreeItem): void {
  const group = groups.get(key);
  if (group) group.push(item);
  else groups.set(key, [item]);
}
