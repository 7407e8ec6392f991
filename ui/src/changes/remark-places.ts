import type { Remark, RemarkedLines } from "../bindings";
import type { DiffRow } from "./diff-rows";

/** Where a remark stands among the rows of a diff. */
export interface Place {
  /** The row of its first line. */
  from: number;
  /** The row of its last line, below which it stands. */
  to: number;
}

/** The lines that are chosen, by their rows; of those that were and those that are, these when there are some. */
export function linesAt(
  rows: DiffRow[],
  path: string,
  { from, to }: Place,
): RemarkedLines | null {
  const chosen = rows.slice(from, to + 1).filter((row) => row.kind === "line");
  const side = chosen.some((line) => line.new !== null) ? "new" : "old";
  const lines: string[] = [];
  let first: number | null = null;
  for (const line of chosen) {
    const number = line[side];
    if (number === null) continue;
    first ??= number;
    // What is folded in between is not meant.
    if (number !== first + lines.length) break;
    lines.push(line.text);
  }
  return first === null ? null : { path, side, first, lines };
}

/** Finds the lines of a remark, wherever they are by now: those nearest to where they were. None: they are others. */
export function placeOf(
  rows: DiffRow[],
  { side, first, lines }: RemarkedLines,
): Place | null {
  let best: { place: Place; away: number } | null = null;
  for (const [from, row] of rows.entries()) {
    if (row.kind !== "line" || row[side] === null) continue;
    if (row.text !== lines[0]) continue;
    const away = Math.abs((row[side] ?? 0) - first);
    if (best && best.away <= away) continue;
    const to = endOf(rows, from, side, lines);
    if (to !== null) best = { place: { from, to }, away };
  }
  return best?.place ?? null;
}

function endOf(
  rows: DiffRow[],
  from: number,
  side: RemarkedLines["side"],
  lines: string[],
): number | null {
  let number: number | null = null;
  let at = 0;
  for (let index = from; index < rows.length; index++) {
    const row = rows[index];
    if (row?.kind !== "line" || row[side] === null) continue;
    if (number !== null && row[side] !== number + 1) return null;
    if (row.text !== lines[at]) return null;
    number = row[side];
    at++;
    if (at === lines.length) return index;
  }
  return null;
}

/** The remarks on a file, by the row below which they stand; and those whose lines are others, or not in view here. */
export interface Placed {
  at: Map<number, Remark[]>;
  elsewhere: Remark[];
}

export function placed(rows: DiffRow[], remarks: Remark[]): Placed {
  const at = new Map<number, Remark[]>();
  const elsewhere: Remark[] = [];
  for (const remark of remarks) {
    const place = placeOf(rows, remark.about);
    if (!place) elsewhere.push(remark);
    else at.set(place.to, [...(at.get(place.to) ?? []), remark]);
  }
  return { at, elsewhere };
}

/** Lines that a person chooses, from the one that they began at to the one that they went to. */
export interface Selection {
  anchor: number;
  head: number;
  /** What these two say: when that is another, nothing is chosen any more. */
  says: [string, string];
}

export function selectionOf(
  rows: DiffRow[],
  anchor: number,
  head: number,
): Selection | null {
  const [first, last] = [rows[anchor], rows[head]];
  if (first?.kind !== "line" || last?.kind !== "line") return null;
  return { anchor, head, says: [first.text, last.text] };
}

/** The rows of a selection, as long as they say what they said. */
export function chosen(
  rows: DiffRow[],
  selection: Selection | null,
): Place | null {
  if (!selection) return null;
  const { anchor, head, says } = selection;
  const same = (at: number, text: string) => {
    const row = rows[at];
    return row?.kind === "line" && row.text === text;
  };
  if (!same(anchor, says[0]) || !same(head, says[1])) return null;
  return { from: Math.min(anchor, head), to: Math.max(anchor, head) };
}

/** The next row with a line, this way. */
export function lineBeside(
  rows: DiffRow[],
  at: number,
  step: 1 | -1,
): number | null {
  for (let index = at + step; rows[index]; index += step)
    if (rows[index]?.kind === "line") return index;
  return null;
}
