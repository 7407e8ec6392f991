import type { IBuffer } from "@xterm/xterm";
import { withoutTiles } from "./image-tiles";

/** A cell of a terminal, by its row from the oldest one on. */
export interface Spot {
  row: number;
  col: number;
}

/** What is on screen and above it, row by row. */
export interface Grid {
  rows: number;
  cols: number;
  /** What each cell of a row shows: empty for the second half of a wide character, a blank for nothing. */
  cells: (row: number) => string[];
  /** Whether a row goes on with the line of the one before. */
  wrapped: (row: number) => boolean;
}

export function gridOf(buffer: IBuffer, cols: number): Grid {
  return {
    rows: buffer.length,
    cols,
    cells: (row) => {
      const line = buffer.getLine(row);
      return Array.from({ length: cols }, (_, col) => {
        const cell = line?.getCell(col);
        if (!cell) return " ";
        return cell.getWidth() === 0
          ? ""
          : withoutTiles(cell.getChars()) || " ";
      });
    },
    wrapped: (row) => buffer.getLine(row)?.isWrapped ?? false,
  };
}

/** A printed line over all of its rows, and which cell each UTF-16 unit of it stands in. */
export interface PrintedLine {
  text: string;
  spots: Spot[];
  /** Its first row, and the one behind its last. */
  from: number;
  to: number;
}

/** The line that a row belongs to; of a very long one no more than about `most` characters. */
export function printedLine(
  grid: Grid,
  row: number,
  most = Number.POSITIVE_INFINITY,
): PrintedLine {
  let from = row;
  while (from > 0 && grid.wrapped(from)) from--;
  const line: PrintedLine = { text: "", spots: [], from, to: from };
  do {
    grid.cells(line.to).forEach((chars, col) => {
      line.text += chars;
      for (let unit = 0; unit < chars.length; unit++)
        line.spots.push({ row: line.to, col });
    });
    line.to++;
  } while (
    line.to < grid.rows &&
    grid.wrapped(line.to) &&
    line.text.length < most
  );
  return line;
}

/** Whether one cell comes before another, or is it. */
export function isBefore(one: Spot, other: Spot): boolean {
  return one.row < other.row || (one.row === other.row && one.col <= other.col);
}
