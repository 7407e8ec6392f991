import type { HunkRow, HunkView, RowChange } from "../bindings";

/** A stretch of the merge base that one or both sides changed, side by side. */
export interface Region {
  left: HunkView[];
  right: HunkView[];
  /** Changes of both sides meet in it. */
  meets: boolean;
  /** The first line of the merge base that is shown; tells it from the others. */
  from: number;
}

/** Puts the changes of both sides beside each other: what shares a stretch of the merge base is one region. */
export function regions(left: HunkView[], right: HunkView[]): Region[] {
  const all = [
    ...left.map((hunk) => ({ hunk, side: "left" as const })),
    ...right.map((hunk) => ({ hunk, side: "right" as const })),
  ]
    .map((one) => ({ ...one, span: spanOf(one.hunk) }))
    .sort((a, b) => a.span.from - b.span.from || a.span.to - b.span.to);
  const found: (Region & { to: number })[] = [];
  for (const { hunk, side, span } of all) {
    let region = found.at(-1);
    if (!region || span.from > region.to) {
      region = { left: [], right: [], meets: false, ...span };
      found.push(region);
    }
    region[side].push(hunk);
    region.meets ||= hunk.meets;
    region.to = Math.max(region.to, span.to);
  }
  return found.map(({ to: _end, ...region }) => region);
}

/** The lines of the merge base that a hunk shows, those around its change included. */
function spanOf(hunk: HunkView): { from: number; to: number } {
  let { start: from, end: to } = hunk.base;
  for (const { base_line: line } of hunk.rows) {
    if (line === null) continue;
    from = Math.min(from, line);
    to = Math.max(to, line);
  }
  return { from, to };
}

/** A piece of a text with conflict markers, as the preview shows it. */
export type Piece =
  | { kind: "lines"; rows: MergedRow[] }
  | { kind: "skipped"; count: number };

export interface MergedRow {
  number: number;
  text: string;
  part: "both" | "left" | "right" | "marker";
}

/** How many lines to show around a conflict. */
const AROUND = 4;

/** Reads a merged text: which lines are whose, leaving out what lies far from every conflict. */
export function mergedPieces(text: string, whole = false): Piece[] {
  const all: MergedRow[] = [];
  let part: MergedRow["part"] = "both";
  const rows = text.replace(/\n$/, "").split("\n");
  rows.forEach((line, index) => {
    const row = { number: index + 1, text: line };
    const before: MergedRow["part"] = part;
    if (line.startsWith("<<<<<<< ") && part === "both") part = "left";
    else if (line.startsWith("=======") && part === "left") part = "right";
    else if (line.startsWith(">>>>>>> ") && part === "right") part = "both";
    all.push({ ...row, part: part === before ? part : "marker" });
  });
  if (whole) return [{ kind: "lines", rows: all }];
  const near = new Set<number>();
  all.forEach((row, index) => {
    if (row.part === "both") return;
    for (let at = index - AROUND; at <= index + AROUND; at++) near.add(at);
  });
  const pieces: Piece[] = [];
  all.forEach((row, index) => {
    const last = pieces.at(-1);
    if (near.has(index)) {
      if (last?.kind === "lines") last.rows.push(row);
      else pieces.push({ kind: "lines", rows: [row] });
    } else if (last?.kind === "skipped") last.count++;
    else pieces.push({ kind: "skipped", count: 1 });
  });
  return pieces;
}

/** The first rows of a hunk, and how many are left out: a generated file may have a hundred thousand. */
export function cappedRows(
  rows: HunkRow[],
  cap = 400,
): { rows: HunkRow[]; more: number } {
  return { rows: rows.slice(0, cap), more: Math.max(0, rows.length - cap) };
}

/** A stretch of a line: the same in the line it took the place of (or that took its place), or not. */
export interface Piecewise {
  text: string;
  differs: boolean;
}

/**
 * Tells which part of each line differs, for runs of removed lines that as many added ones replace: the first with
 * the first, and so on. Other lines are whole.
 */
export function differing(rows: HunkRow[]): Piecewise[][] {
  const parts = rows.map(({ text }) => [{ text, differs: false }]);
  let at = 0;
  while (at < rows.length) {
    const removed = runOf(rows, at, "removed");
    const added = runOf(rows, at + removed, "added");
    for (let line = 0; removed === added && line < removed; line++) {
      const [old, now] = [at + line, at + removed + line];
      const pair = apart(rows[old]?.text ?? "", rows[now]?.text ?? "");
      if (pair) [parts[old], parts[now]] = pair;
    }
    at += Math.max(1, removed + added);
  }
  return parts;
}

function runOf(rows: HunkRow[], from: number, change: RowChange): number {
  let end = from;
  while (rows[end]?.change === change) end++;
  return end - from;
}

/** What two lines begin and end with alike, and what is between; none when they have too little in common. */
function apart(one: string, two: string): [Piecewise[], Piecewise[]] | null {
  const [left, right] = [[...one], [...two]];
  const shorter = Math.min(left.length, right.length);
  let head = 0;
  while (head < shorter && left[head] === right[head]) head++;
  let tail = 0;
  while (tail < shorter - head && left.at(-1 - tail) === right.at(-1 - tail))
    tail++;
  const common = [...left.slice(0, head), ...left.slice(left.length - tail)];
  if (common.join("").trim().length * 3 < shorter) return null;
  const pieces = (all: string[]) =>
    [
      { text: all.slice(0, head).join(""), differs: false },
      { text: all.slice(head, all.length - tail).join(""), differs: true },
      { text: all.slice(all.length - tail).join(""), differs: false },
    ].filter(({ text }) => text !== "");
  return [pieces(left), pieces(right)];
}
