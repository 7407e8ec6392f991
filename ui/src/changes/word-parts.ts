import { diffWordsWithSpace } from "diff";
import type { DiffRow } from "./diff-rows";

/** A stretch of a line, and whether the other line has another one there. */
export interface Part {
  text: string;
  differs: boolean;
}

/** Longer lines are not compared by words. */
const LONGEST = 600;
/** Above so many words that differ, the lines have nothing to do with each other. */
const EDITS = 60;

/**
 * Which line stands in the place of which other one: of a block of lines that went and as many that came in their place, the first of the first,
 * and so on. Of other blocks nothing is said.
 */
export function partners(rows: DiffRow[]): Map<number, number> {
  const found = new Map<number, number>();
  const changeAt = (at: number) => {
    const row = rows[at];
    return row?.kind === "line" ? row.change : null;
  };
  let at = 0;
  while (at < rows.length) {
    const removed = at;
    while (changeAt(at) === "removed") at++;
    const added = at;
    while (changeAt(at) === "added") at++;
    const count = added - removed;
    if (count > 0 && at - added === count)
      for (let line = 0; line < count; line++) {
        found.set(removed + line, added + line);
        found.set(added + line, removed + line);
      }
    if (at === removed) at++;
  }
  return found;
}

/** The stretches of a line beside the one in whose place it stands; `null` when they have too little in common. */
export function wordParts(line: string, other: string): Part[] | null {
  if (line.length > LONGEST || other.length > LONGEST) return null;
  const changes = diffWordsWithSpace(other, line, { maxEditLength: EDITS });
  if (!changes) return null;
  const own = changes.filter(({ removed }) => !removed);
  const same = own.filter(({ added }) => !added);
  const common = same.reduce((sum, { value }) => sum + value.trim().length, 0);
  if (common * 3 < Math.max(line.trim().length, other.trim().length))
    return null;
  return own.map(({ value, added }) => ({ text: value, differs: added }));
}
