import type { Line, Match, PaneId } from "../bindings";

/** One row of the results: a pane's heading, a line around a match, a match, or a gap between two stretches. */
export type ResultRow =
  | { kind: "pane"; pane: PaneId; count: number; folded: boolean }
  | { kind: "context"; pane: PaneId; line: Line }
  | { kind: "match"; match: Match; index: number }
  | { kind: "gap" };

/** The rows of the results, by pane in the order in which the panes' first matches came. */
export function resultRows(
  matches: Match[],
  folded: ReadonlySet<PaneId>,
): ResultRow[] {
  const groups = new Map<PaneId, { match: Match; index: number }[]>();
  matches.forEach((match, index) => {
    const group = groups.get(match.pane);
    if (group) group.push({ match, index });
    else groups.set(match.pane, [{ match, index }]);
  });
  const rows: ResultRow[] = [];
  for (const [pane, group] of groups) {
    const isFolded = folded.has(pane);
    rows.push({ kind: "pane", pane, count: group.length, folded: isFolded });
    if (isFolded) continue;
    let last: { first: number; last: number } | null = null;
    for (const { match, index } of group) {
      const first = match.context_before[0]?.id ?? match.line;
      const end = match.context_after.at(-1)?.id ?? match.line;
      const touches =
        last !== null && (first === last.last + 1 || end === last.first - 1);
      if (last && !touches && (first !== match.line || end !== match.line))
        rows.push({ kind: "gap" });
      for (const line of match.context_before)
        rows.push({ kind: "context", pane, line });
      rows.push({ kind: "match", match, index });
      for (const line of match.context_after)
        rows.push({ kind: "context", pane, line });
      last = { first, last: end };
    }
  }
  return rows;
}
