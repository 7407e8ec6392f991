import { fileNamesIn } from "./file-names";
import { type Grid, printedLine, type Spot } from "./grid";

/** What quick select offers: what people copy from a terminal, each under letters that are typed. All of it is pure. */

export type FoundKind =
  | "link"
  | "mail"
  | "path"
  | "uuid"
  | "hash"
  | "address"
  | "number";

export interface Hint {
  kind: FoundKind;
  text: string;
  /** Its first cell. */
  at: Spot;
  /** The cells that it takes. */
  cells: Spot[];
  /** What is typed for it. */
  label: string;
}

/** What can't be taken for a path; the first that matches at a place wins. */
const PLAIN: [FoundKind, RegExp][] = [
  ["link", /\b(?:https?|ftp|file|ssh|git):\/\/[^\s<>"'`|\\^{}]+/gu],
  ["mail", /\b[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+\b/gu],
  ["uuid", /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/giu],
  ["address", /\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5}|\/\d{1,2})?\b/gu],
  ["address", /\b(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}\b/giu],
];
const HASH = /\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b/giu;
/** But for what is a year, of which a list of files is full. */
const NUMBER = /\b(?!(?:19|20)\d\d\b)\d{4,}\b/gu;

/** So much of a line is looked through. */
const READ = 8_000;
/** So many are offered. */
const MOST = 200;
const LETTERS = "asdfghjklqwertyuiopzxcvbnm";

interface Found {
  kind: FoundKind;
  from: number;
  to: number;
}

/** What of a line people copy, in order; nothing twice. */
export function foundIn(line: string): Found[] {
  const text = line.slice(0, READ);
  const found: Found[] = [];
  const add = (kind: FoundKind, from: number, to: number) => {
    if (to <= from) return;
    if (found.some((other) => from < other.to && other.from < to)) return;
    found.push({ kind, from, to });
  };
  const all = (kind: FoundKind, pattern: RegExp) => {
    for (const match of text.matchAll(pattern)) {
      const said = kind === "link" ? withoutTail(match[0]) : match[0];
      add(kind, match.index, match.index + said.length);
    }
  };
  for (const [kind, pattern] of PLAIN) all(kind, pattern);
  for (const { start, end, path, line } of fileNamesIn(text))
    if (path.includes("/") || line !== null) add("path", start, end);
  all("hash", HASH);
  for (const { start, end } of fileNamesIn(text)) {
    // `a.rs`, and not `3.14`.
    if (/\.\p{L}[\p{L}\p{N}]{0,5}$/u.test(text.slice(start, end)))
      add("path", start, end);
  }
  all("number", NUMBER);
  return found.sort((one, other) => one.from - other.from);
}

/** A link in a sentence does not end with the sentence's signs. */
function withoutTail(link: string): string {
  const tail = link.replace(/[.,;:!?]+$/u, "");
  const count = (sign: string) => tail.split(sign).length - 1;
  return tail.endsWith(")") && count(")") > count("(")
    ? tail.slice(0, -1)
    : tail;
}

/** So many labels, none of which begins another. */
export function labels(count: number): string[] {
  if (count <= LETTERS.length) return [...LETTERS].slice(0, count);
  const all: string[] = [];
  // As many first letters as are needed begin two; the rest are labels by themselves.
  const doubles = Math.min(
    Math.ceil((count - LETTERS.length) / (LETTERS.length - 1)),
    LETTERS.length,
  );
  const singles = LETTERS.length - doubles;
  all.push(...[...LETTERS].slice(0, singles));
  for (const first of [...LETTERS].slice(singles))
    for (const second of LETTERS) all.push(first + second);
  return all.slice(0, count);
}

/** What there is between two rows; the nearest to the last row have the shortest labels, the same text has the same one. */
export function hintsIn(grid: Grid, top: number, height: number): Hint[] {
  const found: Omit<Hint, "label">[] = [];
  const last = Math.min(top + height, grid.rows);
  for (let row = top; row < last; ) {
    const line = printedLine(grid, row, READ);
    for (const { kind, from, to } of foundIn(line.text)) {
      const cells = line.spots.slice(from, to);
      const [at] = cells;
      if (!at || at.row < top || at.row >= last) continue;
      found.push({ kind, text: line.text.slice(from, to), at, cells });
    }
    row = Math.max(line.to, row + 1);
  }
  const offered = found.slice(-MOST).reverse();
  const texts = [...new Set(offered.map(({ text }) => text))];
  const named = labels(texts.length);
  return offered.map((hint) => ({
    ...hint,
    label: named[texts.indexOf(hint.text)] ?? "",
  }));
}
