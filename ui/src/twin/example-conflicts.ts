import type {
  HunkView,
  RepositoryView,
  RowChange,
  Verdict,
  VerdictDetails,
  VerdictSide,
  WorktreeView,
} from "../bindings";
import type { MemoryRepository } from "./memory-conflicts";

/** Made-up repositories for tests and for the page in a plain browser. */

const COMMIT = "4f0c2d8e6a1b3c5d7e9f0a2b4c6d8e0f1a3b5c7d";

export function worktree(
  path: string,
  change: Partial<WorktreeView> = {},
): WorktreeView {
  return {
    path,
    name: path.split("/").pop() ?? path,
    branch: path.split("/").pop() ?? null,
    main: false,
    present: true,
    agent: null,
    changed_files: 0,
    conflicts: 0,
    would_conflict: 0,
    worst: null,
    ...change,
  };
}

export function side(
  worktree: string,
  change: Partial<VerdictSide> = {},
): VerdictSide {
  const name = worktree.split("/").pop() ?? worktree;
  return {
    worktree,
    name,
    branch: name,
    agent: null,
    path: "src/parse.rs",
    change: { kind: "modify" },
    ranges: [{ start: 41, end: 45 }],
    status: "applied",
    since: 0,
    ...change,
  };
}

export function verdict(change: Partial<Verdict> = {}): Verdict {
  return {
    path: "src/parse.rs",
    left: side("/w/one"),
    right: side("/w/two"),
    severity: "same_line",
    would_conflict: true,
    overlaps: [{ start: 41, end: 45 }],
    breaks: [],
    base: COMMIT,
    note: null,
    since: 0,
    quiet: false,
    ...change,
  };
}

/** A hunk from rows such as `" same"`, `"-gone"`, `"+new"`, whose first row is line `from`. */
export function hunk(from: number, rows: string[], meets = true): HunkView {
  let base = from;
  let line = from;
  const changes: Record<string, RowChange> = {
    " ": "same",
    "-": "removed",
    "+": "added",
  };
  const replaced: number[] = [];
  const shown = rows.map((row) => {
    const change = changes[row.charAt(0)] ?? "same";
    if (change === "removed") replaced.push(base);
    return {
      change,
      base_line: change === "added" ? null : base++,
      line: change === "removed" ? null : line++,
      text: row.slice(1),
    };
  });
  const start = replaced[0] ?? from;
  return { base: { start, end: start + replaced.length }, meets, rows: shown };
}

export function details(change: Partial<VerdictDetails> = {}): VerdictDetails {
  return {
    verdict: verdict(),
    left: [
      hunk(39, [
        " fn parse(input: &str) -> Result<Flow, Error> {",
        "     let mut steps = Vec::new();",
        "-    for line in input.lines() {",
        "+    for (number, line) in input.lines().enumerate() {",
        "         steps.push(step(line)?);",
        "     }",
      ]),
    ],
    right: [
      hunk(39, [
        " fn parse(input: &str) -> Result<Flow, Error> {",
        "     let mut steps = Vec::new();",
        "-    for line in input.lines() {",
        "+    for line in input.lines().filter(|line| !line.is_empty()) {",
        "         steps.push(step(line)?);",
        "     }",
      ]),
    ],
    merged:
      "fn parse(input: &str) -> Result<Flow, Error> {\n    let mut steps = Vec::new();\n<<<<<<< one\n    for (number, line) in input.lines().enumerate() {\n=======\n    for line in input.lines().filter(|line| !line.is_empty()) {\n>>>>>>> two\n        steps.push(step(line)?);\n    }\n",
    ...change,
  };
}

/** A repository with these worktrees and verdicts. */
export function repositoryOf(
  root: string,
  worktrees: WorktreeView[],
  all: VerdictDetails[] = [],
  change: Partial<RepositoryView> = {},
): MemoryRepository {
  const repository = `${root}/.git`;
  return {
    view: {
      repository,
      root,
      name: root.split("/").pop() ?? root,
      added: false,
      state: { state: "watched", health: "live", reasons: [], watches: 40 },
      worktrees,
      ...change,
    },
    conflicts: {
      repository,
      verdicts: all.map(({ verdict }) => verdict),
      groups: [],
      quiets: [],
      notes: [],
    },
    details: new Map(
      all.map((one) => [
        [
          one.verdict.path,
          one.verdict.left.worktree,
          one.verdict.right.worktree,
        ].join("\n"),
        one,
      ]),
    ),
  };
}
