import { type Grid, isBefore, printedLine, type Spot } from "./grid";

/** Where the keys of copy mode go. All of it is pure. */

const isBlank = (chars: string) => chars.trim() === "";
const isWord = (chars: string) => /^[\p{L}\p{N}_]/u.test(chars);

/** What a word is made of: letters, or signs; blanks are between words. */
function kindAt(grid: Grid, { row, col }: Spot): "blank" | "word" | "signs" {
  const cells = grid.cells(row);
  // The second half of a wide character is of its first half's kind.
  const chars = cells[col] || cells[col - 1] || " ";
  if (isBlank(chars)) return "blank";
  return isWord(chars) ? "word" : "signs";
}

/** The cell behind one, over the end of a row; `null` at the very end. */
function next(grid: Grid, { row, col }: Spot): Spot | null {
  if (col + 1 < grid.cols) return { row, col: col + 1 };
  return row + 1 < grid.rows ? { row: row + 1, col: 0 } : null;
}

function previous(grid: Grid, { row, col }: Spot): Spot | null {
  if (col > 0) return { row, col: col - 1 };
  return row > 0 ? { row: row - 1, col: grid.cols - 1 } : null;
}

/** Whether a new row that is no continuation lies between. */
function breaks(grid: Grid, from: Spot, to: Spot): boolean {
  return from.row !== to.row && !grid.wrapped(Math.max(from.row, to.row));
}

export function nextWord(grid: Grid, from: Spot): Spot {
  let at = from;
  const kind = kindAt(grid, at);
  let left = kind === "blank";
  for (;;) {
    const on = next(grid, at);
    if (!on) return at;
    if (breaks(grid, at, on) || kindAt(grid, on) !== kind) left = true;
    at = on;
    if (left && kindAt(grid, at) !== "blank") return at;
  }
}

export function wordEnd(grid: Grid, from: Spot): Spot {
  let at = next(grid, from) ?? from;
  while (kindAt(grid, at) === "blank") {
    const on = next(grid, at);
    if (!on) return at;
    at = on;
  }
  const kind = kindAt(grid, at);
  for (;;) {
    const on = next(grid, at);
    if (!on || breaks(grid, at, on) || kindAt(grid, on) !== kind) return at;
    at = on;
  }
}

export function previousWord(grid: Grid, from: Spot): Spot {
  let at = previous(grid, from) ?? from;
  while (kindAt(grid, at) === "blank") {
    const back = previous(grid, at);
    if (!back) return at;
    at = back;
  }
  const kind = kindAt(grid, at);
  for (;;) {
    const back = previous(grid, at);
    if (!back || breaks(grid, at, back) || kindAt(grid, back) !== kind)
      return at;
    at = back;
  }
}

/** The first cell of a row that shows something. */
export function firstShown(grid: Grid, row: number): number {
  const at = grid.cells(row).findIndex((chars) => !isBlank(chars));
  return Math.max(at, 0);
}

/** The last one. */
export function lastShown(grid: Grid, row: number): number {
  const at = grid
    .cells(row)
    .findLastIndex((chars) => chars !== "" && !isBlank(chars));
  return Math.max(at, 0);
}

/** The nearest empty row above (−1) or below (1), else the first or the last. */
export function nextGap(grid: Grid, from: number, step: 1 | -1): number {
  const empty = (row: number) => grid.cells(row).every(isBlank);
  let row = from;
  while (row + step >= 0 && row + step < grid.rows) {
    const before = empty(row);
    row += step;
    if (empty(row) && !before) return row;
  }
  return row;
}

/**
 * The next place of a text from a cell on, or the one before, round the end; `null` when there is none. Small letters
 * find large ones.
 */
export function occurrence(
  grid: Grid,
  from: Spot,
  wanted: string,
  step: 1 | -1,
): Spot | null {
  if (wanted === "") return null;
  const exact = wanted !== wanted.toLowerCase();
  const needle = exact ? wanted : wanted.toLowerCase();
  const placesIn = (row: number) => {
    const line = printedLine(grid, row);
    const text = exact ? line.text : lowered(line.text);
    const places: Spot[] = [];
    for (let at = text.indexOf(needle); at >= 0; ) {
      const spot = line.spots[at];
      if (spot) places.push(spot);
      at = text.indexOf(needle, at + 1);
    }
    return { line, places: step === 1 ? places : places.reverse() };
  };
  const begin = printedLine(grid, from.row).from;
  let row = begin;
  for (let first = true; first || row !== begin; first = false) {
    const { line, places } = placesIn(row);
    const found = places.find((place) =>
      !first
        ? true
        : step === 1
          ? !isBefore(place, from)
          : !isBefore(from, place),
    );
    if (found) return found;
    row = step === 1 ? line.to : line.from - 1;
    if (row >= grid.rows) row = 0;
    if (row < 0) row = grid.rows - 1;
    row = printedLine(grid, row).from;
  }
  // Round to where one is: an earlier place of the same line, or the very one.
  return placesIn(begin).places[0] ?? null;
}

/** In small letters, unit for unit: some letters have more units when they are small. */
function lowered(text: string): string {
  const small = text.toLowerCase();
  return small.length === text.length
    ? small
    : [...text]
        .map((char) => {
          const one = char.toLowerCase();
          return one.length === char.length ? one : char;
        })
        .join("");
}
