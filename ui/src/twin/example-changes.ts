import type {
  ChangedFile,
  FileDiff,
  Hunk,
  View,
  WorktreeChanges,
} from "../bindings";
import { keyOfDiff, type MemoryWorktree } from "./memory-changes";

/** Made-up changes for tests and for the page in a plain browser. */

export function fileChange(
  path: string,
  change: Partial<ChangedFile> = {},
): ChangedFile {
  return {
    path,
    from: null,
    kind: "modified",
    old: "file",
    new: "file",
    lines: { added: 2, removed: 1 },
    ...change,
  };
}

export function hunk(change: Partial<Hunk> = {}): Hunk {
  return {
    old_start: 10,
    old_lines: 4,
    new_start: 10,
    new_lines: 5,
    heading: "fn parse()",
    text: [
      " line 10",
      "-let limit = 10;",
      "+let limit = 20;",
      "+let rest = 1;",
      " line 12",
      " line 13",
    ].join("\n"),
    ...change,
  };
}

export function fileDiff(file: ChangedFile, hunks: Hunk[]): FileDiff {
  return {
    file,
    content: { content: "text", hunks, encoding: "utf8", cut: false },
  };
}

/** A worktree with these files in its views, each with the same lines. */
export function changedWorktree(
  worktree: string,
  views: Partial<Record<View, ChangedFile[]>>,
  change: Partial<WorktreeChanges> = {},
): MemoryWorktree {
  const all = Object.entries(views) as [View, ChangedFile[]][];
  const diffs = all.flatMap(([view, files]) =>
    files.map((file) => {
      const near = fileDiff(file, [hunk()]);
      return [
        keyOfDiff(view, file.path),
        { near, all: fileDiff(file, [wholeOf(hunk())]) },
      ] as const;
    }),
  );
  return {
    changes: {
      worktree,
      branch: worktree.split("/").pop() ?? null,
      head: "4f0c2d8e6a1b3c5d7e9f0a2b4c6d8e0f1a3b5c7d",
      base: {
        name: "main",
        commit: "1f0c2d8e6a1b3c5d7e9f0a2b4c6d8e0f1a3b5c7d",
        tip: "2f0c2d8e6a1b3c5d7e9f0a2b4c6d8e0f1a3b5c7d",
        ahead: 2,
        behind: 1,
      },
      doing: null,
      views: all.map(([view, files]) => ({ view, files })),
      notes: [],
      ...change,
    },
    diffs: new Map(diffs),
  };
}

/** The one hunk with nine lines before it, and five after it. */
function wholeOf({ text }: Hunk): Hunk {
  const before = Array.from({ length: 9 }, (_, at) => ` line ${at + 1}`);
  const after = Array.from({ length: 5 }, (_, at) => ` line ${at + 14}`);
  return {
    old_start: 1,
    old_lines: 18,
    new_start: 1,
    new_lines: 19,
    heading: "",
    text: [...before, text, ...after].join("\n"),
  };
}
