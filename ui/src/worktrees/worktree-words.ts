import type { WorktreeRow } from "../bindings";

/** Something that goes with a worktree, and that a person has to say yes to. */
export interface Loss {
  id: "files" | "commits" | "doing" | "work";
  text: string;
  hint: string;
}

const count = (count: number, one: string, more: string) =>
  count === 1 ? `1 ${one}` : `${count} ${more}`;

/** What would be lost with a worktree, or with its branch. */
export function losses(
  { holds, at_work: work, branch, unknown }: WorktreeRow,
  withBranch: boolean,
): Loss[] {
  const all: Loss[] = [];
  if (unknown !== null) {
    const text = `What it holds could not be told: ${unknown}`;
    all.push({ id: "files", text, hint: "" });
  }
  const { uncommitted, commits, doing } = holds;
  if (uncommitted > 0 || doing !== null) {
    const parts = [
      uncommitted > 0 &&
        count(
          uncommitted,
          "file that is not committed",
          "files that are not committed",
        ),
      doing !== null && "what git is in the middle of",
    ].filter((part) => part !== false);
    const hint = uncommitted > 0 ? "Files are kept for a month." : "";
    all.push({ id: "files", text: parts.join(", and "), hint });
  }
  // With the branch, they stay.
  if (commits > 0 && (withBranch || branch === null))
    all.push({
      id: "commits",
      text: count(
        commits,
        "commit that is nowhere else",
        "commits that are nowhere else",
      ),
      hint: "",
    });
  const names = [...work.panes, ...work.agents];
  if (names.length > 0)
    all.push({
      id: "work",
      text: `What works there: ${names.join(", ")}`,
      hint: "Panes are closed, turns of agents are stopped.",
    });
  return all;
}

/** How a worktree stands to what it began at. */
export function mergedInWords({ main, present, merged, base }: WorktreeRow) {
  if (main) return "the main worktree";
  if (!present) return "its directory is gone";
  const name = base?.name ?? "its base";
  switch (merged) {
    case "yes":
      return `merged into ${name}`;
    case "as_others":
      return `in ${name} as other commits`;
    case "nothing":
      return "nothing committed yet";
    case "no":
      return base
        ? `${count(base.ahead, "commit", "commits")} not in ${name}`
        : "";
  }
}

/** So many bytes, as people say it. */
export function sizeInWords(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let size = bytes;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size < 10 && unit > 0 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}
