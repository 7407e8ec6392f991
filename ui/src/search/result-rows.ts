import type { Line, LineId, Match, PaneId } from "../bindings";

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
    // Lines without any context around them need nothing between them.
    const inContext = group.some(({ match }) => hasContext(match));
    blocksOf(pane, group, inContext).forEach((block, nth) => {
      if (inContext && nth > 0) rows.push({ kind: "gap" });
      rows.push(...block);
    });
  }
  return rows;
}

/** What a row is called as long as it is on screen, whatever comes before it. */
export function keyOfRow(row: ResultRow | undefined): string | null {
  switch (row?.kind) {
    case "pane":
      return `pane ${row.pane}`;
    case "context":
      return `${row.pane} ${row.line.id}`;
    case "match":
      return `${row.match.pane} ${row.match.line}`;
    case "gap":
    case undefined:
      return null;
  }
}

/** Lines of a pane that follow one another, and whether each part of them came before the one found last. */
interface Block {
  parts: ResultRow[][];
  first: LineId;
  last: LineId;
  way: "earlier" | "later" | null;
}

/** The stretches of a pane's results; those that touch are one, oldest line first, whichever was found first. */
function blocksOf(
  pane: PaneId,
  group: { match: Match; index: number }[],
  inContext: boolean,
): ResultRow[][] {
  const blocks: Block[] = [];
  for (const { match, index } of group) {
    const context = (line: Line): ResultRow => ({
      kind: "context",
      pane,
      line,
    });
    const first = match.context_before[0]?.id ?? match.line;
    const last = match.context_after.at(-1)?.id ?? match.line;
    const part: ResultRow[] = [
      ...match.context_before.map(context),
      { kind: "match", match, index },
      ...match.context_after.map(context),
    ];
    const before = inContext ? blocks.at(-1) : undefined;
    if (before && last + 1 === before.first && before.way !== "later") {
      Object.assign(before, { first, way: "earlier" });
      before.parts.push(part);
    } else if (
      before &&
      before.last + 1 === first &&
      before.way !== "earlier"
    ) {
      Object.assign(before, { last, way: "later" });
      before.parts.push(part);
    } else blocks.push({ parts: [part], first, last, way: null });
  }
  return blocks.map(({ parts, way }) =>
    (way === "earlier" ? parts.reverse() : parts).flat(),
  );
}

function hasContext({ context_before, context_after }: Match): boolean {
  return context_before.length > 0 || context_after.length > 0;
}
