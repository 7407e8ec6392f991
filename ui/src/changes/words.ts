import type {
  ChangedFile,
  DiffContent,
  Doing,
  FileChangeKind,
  FileKind,
  View,
  WorktreeChanges,
} from "../bindings";

/** What a view is called; commits are told by what they are compared with. */
export function viewName(view: View, base: string | undefined): string {
  switch (view) {
    case "staged":
      return "Staged";
    case "unstaged":
      return "Not staged";
    case "untracked":
      return "Not tracked";
    case "committed":
      return `Committed since ${base ?? "the beginning"}`;
    case "whole":
      return base === undefined ? "Not committed" : `All since ${base}`;
  }
}

const KINDS: Record<FileChangeKind, [letter: string, word: string]> = {
  added: ["A", "new"],
  untracked: ["N", "new, not tracked"],
  modified: ["M", "changed"],
  deleted: ["D", "deleted"],
  renamed: ["R", "renamed"],
  copied: ["C", "copied"],
  type_changed: ["T", "of another kind"],
  unmerged: ["!", "not merged"],
};

export function letterOf(kind: FileChangeKind): string {
  return KINDS[kind][0];
}

const FILES: Record<FileKind, string> = {
  file: "a file",
  executable: "an executable file",
  link: "a symbolic link",
  repository: "a repository",
};

/** What happened to a file, in words. */
export function changeOf({ kind, from, old, new: now }: ChangedFile): string {
  const word =
    kind === "renamed" || kind === "copied"
      ? `${KINDS[kind][1]} from ${from}`
      : KINDS[kind][1];
  const special = now === "link" || now === "repository";
  if (old && now && old !== now)
    return `${word}: ${FILES[old]} is ${FILES[now]} now`;
  if (now && special) return `${word}: ${FILES[now]}`;
  return word;
}

const DOING: Record<Doing, string> = {
  merge: "a merge",
  rebase: "a rebase",
  cherry_pick: "a cherry-pick",
  revert: "a revert",
  bisect: "a bisection",
};

export const commitCount = (count: number) =>
  count === 1 ? "1 commit" : `${count} commits`;

/** The first of some files, and how many more there are. */
export function listed(files: string[]): string {
  const first = files.slice(0, 3);
  const more = files.length - first.length;
  return more > 0 ? `${first.join(", ")} and ${more} more` : first.join(", ");
}

/** How the commits of a worktree stand to what they are compared with, and what git is in the middle of. */
export function standing({ base, doing }: WorktreeChanges): string {
  const parts: string[] = [];
  if (base) {
    const commits = base.ahead === 0 ? "no commits" : commitCount(base.ahead);
    parts.push(`${commits} since ${base.name}`);
    if (base.behind > 0) parts.push(`${base.behind} behind`);
  }
  if (doing) parts.push(`in the middle of ${DOING[doing]}`);
  return parts.join(", ");
}

/** Why there are no lines to show; `null` when there are some. */
export function withoutLines(
  file: ChangedFile | null,
  content: DiffContent,
): string | null {
  if (file === null) return "This file does not differ any more.";
  if (content.content === "binary")
    return "This file is not text, as git sees it.";
  if (content.content === "too_large")
    return `This file is too large to be shown by lines: ${Math.round(content.bytes / 1_048_576)} MiB.`;
  if (content.hunks.length > 0) return null;
  if (file.new === "repository") return "This is a repository of its own.";
  if (file.old !== null && file.new !== null && file.old !== file.new)
    return "Its content is the same.";
  if (file.kind === "renamed" || file.kind === "copied")
    return "Its content is the same.";
  if (file.kind === "modified") return "Only white space differs.";
  return "It is empty.";
}
