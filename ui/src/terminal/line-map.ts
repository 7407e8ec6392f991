/**
 * Lines and rows. The backend names *lines* (what a program printed up to a newline); xterm keeps *rows* (a line that
 * was wrapped is several). One row whose line is known is enough to find every other by counting.
 */
export interface Rows {
  readonly length: number;
  /** Whether a row goes on with the line of the row above. */
  wrapped(row: number): boolean;
  /** The text of a row; `trim`: without the empty cells at its end. */
  text(row: number, trim: boolean): string;
}

/** A row that is known to begin a line. */
export interface Anchor {
  row: number;
  line: number;
}

/** The first row of the line that `row` belongs to. */
export function firstRow(rows: Rows, row: number): number {
  let first = Math.min(row, rows.length - 1);
  while (first > 0 && rows.wrapped(first)) first--;
  return first;
}

/** The row after the last one of the line that begins at `row`. */
export function endRow(rows: Rows, row: number): number {
  let end = row + 1;
  while (end < rows.length && rows.wrapped(end)) end++;
  return end;
}

/** The whole text of the line that begins at `row`. */
export function lineText(rows: Rows, row: number): string {
  const end = endRow(rows, row);
  let text = "";
  for (let at = row; at < end; at++) text += rows.text(at, at === end - 1);
  return text;
}

/** The row at which a line begins; `null` when xterm does not hold it. */
export function rowOfLine(
  rows: Rows,
  anchor: Anchor,
  line: number,
): number | null {
  let at = firstRow(rows, anchor.row);
  let id = anchor.line;
  while (id < line) {
    at = endRow(rows, at);
    if (at >= rows.length) return null;
    id++;
  }
  while (id > line) {
    if (at === 0) return null;
    at = firstRow(rows, at - 1);
    id--;
  }
  return at;
}

/** The line that a row belongs to. */
export function lineOfRow(rows: Rows, anchor: Anchor, row: number): number {
  let at = firstRow(rows, anchor.row);
  let line = anchor.line;
  const target = firstRow(rows, row);
  while (at < target) {
    at = endRow(rows, at);
    line++;
  }
  while (at > target) {
    at = firstRow(rows, at - 1);
    line--;
  }
  return line;
}

/** A text as a screen shows it: tabs are blanks there, and blanks at the end are nothing. */
function asShown(text: string): string {
  return text.replace(/\s+/g, " ").trimEnd();
}

/** Whether a line of the screen is the one that was meant. A very long one is named by a piece of it, between `…`. */
export function sameLine(shown: string, meant: string): boolean {
  const line = asShown(shown);
  const whole = asShown(meant);
  if (line === whole) return true;
  const piece = whole.replace(/^…|…$/g, "").trimEnd();
  return piece !== whole && piece !== "" && line.includes(piece);
}

/**
 * The row of the line that reads `text`, nearest to `guess`: counting can be off by what a program erased or
 * rewrote, so the text decides. `null` when no line reads so, `within` so many lines.
 */
export function nearestRow(
  rows: Rows,
  guess: number,
  text: string,
  within = Number.POSITIVE_INFINITY,
): number | null {
  let up = firstRow(rows, Math.max(0, Math.min(guess, rows.length - 1)));
  let down = up;
  if (rows.length === 0) return null;
  if (sameLine(lineText(rows, up), text)) return up;
  for (let far = 0; far < within; far++) {
    const above = up > 0;
    if (above) {
      up = firstRow(rows, up - 1);
      if (sameLine(lineText(rows, up), text)) return up;
    }
    const next = endRow(rows, down);
    const below = next < rows.length;
    if (below) {
      down = next;
      if (sameLine(lineText(rows, down), text)) return down;
    }
    if (!above && !below) return null;
  }
  return null;
}

/** A stretch of cells in one row. */
export interface Cells {
  row: number;
  column: number;
  width: number;
}

/**
 * Where columns `from..to` of a line are on rows that are `cols` wide. `widths[i]` is how many cells row `i` of the
 * line really uses: one fewer than `cols` where a wide character did not fit.
 */
export function cellsOf(
  first: number,
  widths: number[],
  from: number,
  to: number,
): Cells[] {
  const cells: Cells[] = [];
  let start = 0;
  widths.forEach((width, index) => {
    // The last row has no end: what is matched there may be blank cells that xterm trims.
    const end =
      index === widths.length - 1 ? Number.POSITIVE_INFINITY : start + width;
    const a = Math.max(from, start);
    const b = Math.min(to, end);
    if (a < b)
      cells.push({ row: first + index, column: a - start, width: b - a });
    start += width;
  });
  return cells;
}
