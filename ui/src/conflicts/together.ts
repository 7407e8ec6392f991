import type { BaseLines } from "../bindings";
import {
  type ConflictsState,
  keyOf,
  nameOf,
  type Said,
  sideName,
} from "./conflict-store";

/** Verdicts that speak of the same lines of a file: one thing to look at, however many worktrees have a part in it. */
export interface Together {
  /** Tells it from the others. */
  name: string;
  /** At least one; by the names of their worktrees. */
  said: [Said, ...Said[]];
  /** The lines of the merge base at which they meet. */
  lines: BaseLines[];
  /** How the worktrees are called, each once, by name. */
  worktrees: string[];
}

const nameOfSaid = ({ repository, verdict }: Said) =>
  `${repository}\u0000${nameOf(keyOf(verdict))}`;

/** Puts verdicts together as the backend does; what it has not put anywhere yet stands by itself. The order is kept. */
export function together(
  all: Said[],
  groups: ConflictsState["groups"],
): Together[] {
  const groupOf = new Map<string, { name: string; lines: BaseLines[] }>();
  for (const [repository, list] of Object.entries(groups))
    list.forEach(({ path, lines, verdicts }, at) => {
      const name = `${repository}\u0000${path}\u0000${at}`;
      for (const key of verdicts)
        groupOf.set(`${repository}\u0000${nameOf(key)}`, { name, lines });
    });
  const found = new Map<string, Together>();
  for (const said of all) {
    const { name, lines } = groupOf.get(nameOfSaid(said)) ?? {
      name: nameOfSaid(said),
      lines: said.verdict.overlaps,
    };
    const { left, right } = said.verdict;
    const one = found.get(name);
    if (!one)
      found.set(name, {
        name,
        lines,
        said: [said],
        worktrees: [sideName(left), sideName(right)],
      });
    else {
      one.said.push(said);
      for (const side of [left, right])
        if (!one.worktrees.includes(sideName(side)))
          one.worktrees.push(sideName(side));
    }
  }
  for (const { said, worktrees } of found.values()) {
    worktrees.sort(byName);
    const names = ({ verdict: { left, right } }: Said) =>
      [left.name, right.name].sort(byName).join("\u0000");
    said.sort((a, b) => byName(names(a), names(b)));
  }
  return [...found.values()];
}

/** `agent-2` before `agent-10`. */
const byName = new Intl.Collator("en", { numeric: true }).compare;

/** Those that each word of `filter` is found in: in their path, a worktree, a branch or an agent. */
export function matching(
  all: Said[],
  filter: string,
  repositoryName: (repository: string) => string,
): Said[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return all;
  return all.filter(({ repository, verdict }) => {
    const { path, left, right } = verdict;
    const text = [
      path,
      repositoryName(repository),
      ...[left, right].flatMap(({ name, branch, agent, path: own }) => [
        name,
        branch,
        agent,
        own,
      ]),
    ]
      .join("\n")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
