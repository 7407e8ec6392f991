import type { DiffRow } from "./diff-rows";

/** The lines that are new in a file, each with how often it stands there. */
export type Lines = ReadonlyMap<string, number>;

/** The lines that came, of what is shown of a file. */
export function addedLines(rows: DiffRow[]): Lines {
  const lines = new Map<string, number>();
  for (const row of rows)
    if (row.kind === "line" && row.change === "added")
      lines.set(row.text, (lines.get(row.text) ?? 0) + 1);
  return lines;
}

/** Where lines came that were not there when the file was seen last; a line that only moved is none of them. */
export function newSince(rows: DiffRow[], seen: Lines): ReadonlySet<number> {
  const left = new Map(seen);
  const places = new Set<number>();
  for (const [at, row] of rows.entries()) {
    if (row.kind !== "line" || row.change !== "added") continue;
    const count = left.get(row.text) ?? 0;
    if (count > 0) left.set(row.text, count - 1);
    else places.add(at);
  }
  return places;
}

/** So many files are remembered. */
const KEPT = 500;

/** What was seen last of each file, the latest last. */
const seen = new Map<string, Lines>();

export function seenOf(file: string): Lines | null {
  return seen.get(file) ?? null;
}

export function remember(file: string, lines: Lines): void {
  seen.delete(file);
  seen.set(file, lines);
  const [oldest] = seen.keys();
  if (seen.size > KEPT && oldest !== undefined) seen.delete(oldest);
}
