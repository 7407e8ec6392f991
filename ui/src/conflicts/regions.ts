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

/** One line of a side, with what differs in it. */
export interface Line {
  change: RowChange;
  /** As the worktree counts it, or the merge base where the worktree has it no more; null when that isn't known. */
  number: number | null;
  parts: Piecewise[];
  /** It belongs to a change that meets one of the other side. */
  meets: boolean;
}

/** The lines of both sides, the same line of the merge base in the same row; null where a side has nothing there. */
export interface Aligned {
  left: (Line | null)[];
  right: (Line | null)[];
  /** Rows that are left out: a generated file may have a hundred thousand. */
  more: number;
}

/** What a side has in a region, by the lines of the merge base. */
interface SideLines {
  /** In the place of a line of the merge base. */
  at: Map<number, Line>;
  /** Behind it. */
  after: Map<number, Line[]>;
}

function linesOf(hunks: HunkView[]): SideLines {
  const lines: SideLines = { at: new Map(), after: new Map() };
  for (const hunk of hunks) {
    const parts = differing(hunk.rows);
    let base = hunk.base.start - 1;
    hunk.rows.forEach(({ change, base_line, line, text }, index) => {
      const shown: Line = {
        change,
        number: change === "removed" ? base_line : line,
        parts: parts[index] ?? [{ text, differs: false }],
        meets: hunk.meets && change !== "same",
      };
      if (base_line === null) {
        lines.after.set(base, [...(lines.after.get(base) ?? []), shown]);
        return;
      }
      base = base_line;
      // What lies around one change may be another one.
      if (change !== "same" || !lines.at.has(base)) lines.at.set(base, shown);
    });
  }
  return lines;
}

/** How far a side's numbers are from those of the merge base where it shows the first line that it kept. */
function shiftOf({ at, after }: SideLines, places: number[]): number | null {
  let moved = 0;
  for (const base of places) {
    const line = at.get(base);
    if (line?.change === "same" && line.number !== null)
      return line.number - base - moved;
    moved += movedBy(line, after.get(base));
  }
  return null;
}

function movedBy(line: Line | undefined, added: Line[] = []): number {
  return added.length - (line?.change === "removed" ? 1 : 0);
}

/** Puts the lines of both sides beside each other. A line that only one side shows is there on the other one, too. */
export function aligned(region: Region, cap = 400): Aligned {
  const sides = [linesOf(region.left), linesOf(region.right)] as const;
  const places = [
    ...new Set(
      sides.flatMap(({ at, after }) => [...at.keys(), ...after.keys()]),
    ),
  ].sort((a, b) => a - b);
  const columns = sides.map((side, index) => {
    const other = sides[1 - index] as SideLines;
    const shift = shiftOf(side, places);
    const column: (Line | null)[] = [];
    let moved = 0;
    for (const base of places) {
      const mine = side.at.get(base);
      const theirs = other.at.get(base);
      if (mine) column.push(mine);
      else if (theirs)
        column.push({
          change: "same",
          number: shift === null ? null : base + shift + moved,
          parts: [
            {
              text: theirs.parts.map(({ text }) => text).join(""),
              differs: false,
            },
          ],
          meets: false,
        });
      const added = side.after.get(base) ?? [];
      const rows = Math.max(added.length, other.after.get(base)?.length ?? 0);
      for (let row = 0; row < rows; row++) column.push(added[row] ?? null);
      moved += movedBy(mine, added);
    }
    return column;
  });
  const [left = [], right = []] = columns;
  return {
    left: left.slice(0, cap),
    right: right.slice(0, cap),
    more: Math.max(0, left.length - cap),
  };
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
