import type { Hunk } from "../bindings";

/** A line of a file, before the change, after it, or both. */
export interface DiffLine {
  kind: "line";
  change: "same" | "added" | "removed";
  /** Its number before the change. */
  old: number | null;
  /** Its number after it. */
  new: number | null;
  text: string;
  /** It is the last one of its file, and has no end. */
  open: boolean;
}

/** What stands between two places that changed: lines that are the same and not shown, if any. */
export interface Fold {
  kind: "fold";
  /** The first of them, after the change; which is also its name. */
  from: number;
  /** How many they are; unknown at the end of a file that was not read to there. */
  count: number | null;
  /** What the lines after it are a part of. */
  heading: string;
  /** Which hunk comes after it; none at the end. */
  hunk: number | null;
}

export type DiffRow = DiffLine | Fold;

const CHANGES: Record<string, DiffLine["change"]> = {
  "+": "added",
  "-": "removed",
  " ": "same",
};

/** So many unchanged lines stand around a change; fewer of them at the end are the end of the file. */
export const CONTEXT = 3;

/** The first line of a hunk after the change: of one that has none, git tells the line before. */
function startOf({ new_start, new_lines }: Hunk): number {
  return new_lines === 0 ? new_start + 1 : new_start;
}

/** The lines of a hunk with their numbers. */
export function linesOf(hunk: Hunk): DiffLine[] {
  const lines: DiffLine[] = [];
  let old = hunk.old_start;
  let now = startOf(hunk);
  if (hunk.text === "") return lines;
  for (const line of hunk.text.split("\n")) {
    const change = CHANGES[line.charAt(0)];
    const last = lines.at(-1);
    if (change)
      lines.push({
        kind: "line",
        change,
        old: change === "added" ? null : old++,
        new: change === "removed" ? null : now++,
        text: line.slice(1),
        open: false,
      });
    else if (last) last.open = true;
  }
  return lines;
}

/**
 * The rows of a diff: what changed with a little around it, and in between folds. `all` is the same file with every line, as
 * soon as that is known; of it, what is `opened` is shown, by the names of the folds. Where `parts` can be acted on, there is a fold before
 * each hunk, also without lines in it.
 */
export function diffRows(
  near: Hunk[],
  all: Hunk[] | null,
  opened: ReadonlySet<number>,
  parts = false,
): DiffRow[] {
  const same = new Map<number, DiffLine>();
  let last = 0;
  for (const line of all?.flatMap(linesOf) ?? []) {
    if (line.new === null) continue;
    last = line.new;
    if (line.change === "same") same.set(line.new, line);
  }
  const rows: DiffRow[] = [];
  function gap(
    from: number,
    count: number | null,
    heading: string,
    hunk: number | null,
  ) {
    const place = { kind: "fold" as const, from, heading, hunk };
    const stays = parts && hunk !== null;
    if (all && opened.has(from)) {
      const end = count === null ? last + 1 : from + count;
      for (let at = from; at < end; at++) {
        const line = same.get(at);
        if (line) rows.push(line);
      }
      if (stays) rows.push({ ...place, count: 0 });
      return;
    }
    const known = count === null && all ? last + 1 - from : count;
    if (known !== 0 || stays) rows.push({ ...place, count: known });
  }
  let next = 1;
  for (const [at, hunk] of near.entries()) {
    const start = startOf(hunk);
    gap(next, Math.max(0, start - next), hunk.heading, at);
    for (const line of linesOf(hunk)) rows.push(line);
    next = start + hunk.new_lines;
  }
  if (near.length > 0 && endsInContext(rows)) gap(next, null, "", null);
  return rows;
}

/** Whether the last change has as many lines after it as are shown, so that there may be more. */
function endsInContext(rows: DiffRow[]): boolean {
  const end = rows.slice(-CONTEXT);
  return (
    end.length === CONTEXT &&
    end.every(
      (row) => row.kind === "line" && row.change === "same" && !row.open,
    )
  );
}

/** Where the changes begin. */
export function changesIn(rows: DiffRow[]): number[] {
  const changed = (row: DiffRow | undefined) =>
    row?.kind === "line" && row.change !== "same";
  return rows.flatMap((row, at) =>
    changed(row) && !changed(rows[at - 1]) ? [at] : [],
  );
}
