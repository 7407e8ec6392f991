import type {
  Line,
  LineId,
  Match,
  PaneId,
  TranscriptConversation,
  TranscriptHit,
} from "../bindings";
import type { Found } from "./search-store";

/** One row of the results: a heading, a line around a match, a match, a gap between two stretches, or a line of a conversation. */
export type ResultRow =
  | { kind: "pane"; pane: PaneId; count: number; folded: boolean }
  | { kind: "context"; pane: PaneId; line: Line }
  | { kind: "match"; match: Match; index: number }
  | { kind: "gap" }
  | {
      kind: "conversation";
      conversation: TranscriptConversation;
      when: number | null;
      count: number;
      folded: boolean;
    }
  | { kind: "said"; hit: TranscriptHit; index: number };

/** What a heading is called, by which it is folded. */
export function nameOfPane(pane: PaneId): string {
  return `pane ${pane}`;
}

/** What a conversation's heading is called. */
export function nameOfConversation({
  file,
  session,
}: TranscriptConversation): string {
  return `conversation ${file} ${session}`;
}

/** The rows of the results: by pane and by conversation, in the order in which the first matches of each came. */
export function resultRows(
  { matches, said }: Pick<Found, "matches" | "said">,
  folded: ReadonlySet<string>,
): ResultRow[] {
  return [
    ...paneRows(matches, folded),
    ...conversationRows(said, matches.length, folded),
  ];
}

function conversationRows(
  said: TranscriptHit[],
  before: number,
  folded: ReadonlySet<string>,
): ResultRow[] {
  const groups = new Map<string, { hit: TranscriptHit; index: number }[]>();
  said.forEach((hit, at) => {
    const name = nameOfConversation(hit.conversation);
    const group = groups.get(name);
    const one = { hit, index: before + at };
    if (group) group.push(one);
    else groups.set(name, [one]);
  });
  return [...groups].flatMap(([name, group]): ResultRow[] => {
    const isFolded = folded.has(name);
    const { hit } = group[0] as { hit: TranscriptHit };
    const { conversation, when } = hit;
    return [
      {
        kind: "conversation",
        conversation,
        when,
        count: group.length,
        folded: isFolded,
      },
      ...(isFolded
        ? []
        : group.map((one): ResultRow => ({ kind: "said", ...one }))),
    ];
  });
}

function paneRows(matches: Match[], folded: ReadonlySet<string>): ResultRow[] {
  const groups = new Map<PaneId, { match: Match; index: number }[]>();
  matches.forEach((match, index) => {
    const group = groups.get(match.pane);
    if (group) group.push({ match, index });
    else groups.set(match.pane, [{ match, index }]);
  });
  const rows: ResultRow[] = [];
  for (const [pane, group] of groups) {
    const isFolded = folded.has(nameOfPane(pane));
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

/** Whether one can go to a row. */
export function isStop(
  row: ResultRow,
): row is Extract<ResultRow, { kind: "match" | "said" }> {
  return row.kind === "match" || row.kind === "said";
}

/** What a row is called as long as it is on screen, whatever comes before it. */
export function keyOfRow(row: ResultRow | undefined): string | null {
  switch (row?.kind) {
    case "pane":
      return nameOfPane(row.pane);
    case "conversation":
      return nameOfConversation(row.conversation);
    case "said":
      return `${nameOfConversation(row.hit.conversation)} ${row.index}`;
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
