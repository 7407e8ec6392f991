import type { ChangeEntry, Picture, Severity, Verdict } from "../bindings";

/** One file and what each worktree does to it. */
export interface MatrixRow {
  path: string;
  /** By worktree; absent: it does not touch the file. */
  entries: Record<string, ChangeEntry>;
  /** What is said of it, between any two. */
  verdicts: Verdict[];
  /** The worst of that; `null`: only one worktree touches it. */
  worst: Severity | null;
  stops: boolean;
}

const RANKS: Record<Severity, number> = {
  same_line: 4,
  breaks: 3,
  adjacent_line: 2,
  different_area: 1,
  identical: 0,
};

/** Files by what their worktrees make of each other, the worst first; then by path. */
export function matrixRows(
  { entries, verdicts }: Pick<Picture, "entries" | "verdicts">,
  filter = "",
  shared = false,
): MatrixRow[] {
  const rows = new Map<string, MatrixRow>();
  const row = (path: string) => {
    let found = rows.get(path);
    if (!found) {
      found = { path, entries: {}, verdicts: [], worst: null, stops: false };
      rows.set(path, found);
    }
    return found;
  };
  for (const entry of entries) row(entry.path).entries[entry.worktree] = entry;
  for (const verdict of verdicts) {
    const at = row(verdict.path);
    at.verdicts.push(verdict);
    if (verdict.quiet) continue;
    at.stops ||= verdict.would_conflict;
    if (at.worst === null || RANKS[verdict.severity] > RANKS[at.worst])
      at.worst = verdict.severity;
  }
  const wanted = filter.trim().toLowerCase();
  return [...rows.values()]
    .filter(
      ({ path, entries }) =>
        path.toLowerCase().includes(wanted) &&
        (!shared || Object.keys(entries).length > 1),
    )
    .sort(
      (a, b) =>
        Number(b.stops) - Number(a.stops) ||
        rank(b.worst) - rank(a.worst) ||
        a.path.localeCompare(b.path),
    );
}

function rank(severity: Severity | null): number {
  return severity === null ? -1 : RANKS[severity];
}

const LETTERS: Record<ChangeEntry["change"]["kind"], string> = {
  modify: "M",
  create: "A",
  delete: "D",
  rename: "R",
  mode: "X",
  binary: "B",
  symlink: "L",
  submodule: "S",
};

/** What a worktree did to a file, in a letter; as git says it, where git does. */
export function letterOf({ change, status }: ChangeEntry): string {
  return status === "pending" ? "…" : LETTERS[change.kind];
}
