import { describe, expect, test } from "vitest";
import {
  cellsOf,
  endRow,
  firstRow,
  lineOfRow,
  lineText,
  nearestRow,
  type Rows,
  rowOfLine,
} from "./line-map";

/** Rows of a view `cols` wide on which `lines` were printed. */
function printed(lines: string[], cols: number): Rows {
  const rows: { text: string; wrapped: boolean }[] = [];
  for (const line of lines) {
    for (let at = 0; at === 0 || at < line.length; at += cols)
      rows.push({ text: line.slice(at, at + cols), wrapped: at > 0 });
  }
  return {
    length: rows.length,
    wrapped: (row) => rows[row]?.wrapped ?? false,
    text: (row, trim) => {
      const text = rows[row]?.text ?? "";
      return trim ? text.trimEnd() : text.padEnd(cols);
    },
  };
}

// Rows:   0      1 2 3 (one line)        4   5      6 7
const lines = ["first", "abcdefghijklmnopqrstu", "", "last", "wrapped once"];
const rows = printed(lines, 8);
const starts = [0, 1, 4, 5, 6];

describe("lines and rows", () => {
  test.each(
    starts.map((row, line) => ({ row, line })),
  )("line $line begins at row $row, from whatever anchor one counts", ({
    row,
    line,
  }) => {
    for (const [known, at] of starts.entries()) {
      const anchor = { row: at, line: 100 + known };
      expect(rowOfLine(rows, anchor, 100 + line)).toBe(row);
      expect(lineOfRow(rows, anchor, row)).toBe(100 + line);
      expect(lineText(rows, row)).toBe(lines[line]);
    }
  });

  test("a row in the middle of a wrapped line belongs to that line", () => {
    expect(firstRow(rows, 3)).toBe(1);
    expect(endRow(rows, 1)).toBe(4);
    expect(lineOfRow(rows, { row: 0, line: 7 }, 3)).toBe(8);
  });

  test("a line that is older or newer than what is held has no row", () => {
    expect(rowOfLine(rows, { row: 4, line: 50 }, 47)).toBeNull();
    expect(rowOfLine(rows, { row: 4, line: 50 }, 53)).toBeNull();
  });
});

describe("the nearest line that reads so", () => {
  const repeated = printed(["x", "same", "y", "same", "z"], 8);

  test.each([
    [0, 1],
    [1, 1],
    [3, 3],
    [4, 3],
    [99, 3],
  ])("from row %i is at row %i", (guess, row) => {
    expect(nearestRow(repeated, guess, "same")).toBe(row);
  });

  test("blanks at its end do not matter: a screen cannot tell them from nothing", () => {
    expect(nearestRow(repeated, 0, "same   ")).toBe(1);
  });

  test("of a line too long to be named whole, a piece between dots is enough", () => {
    expect(nearestRow(rows, 0, "…fghij…")).toBe(1);
    expect(nearestRow(rows, 0, "…")).toBeNull();
  });

  test("tabs are blanks on a screen", () => {
    expect(nearestRow(printed(["a       b"], 20), 0, "a\tb")).toBe(0);
  });

  test("is none when no line does", () => {
    expect(nearestRow(repeated, 2, "other")).toBeNull();
    expect(nearestRow(printed([], 8), 0, "other")).toBeNull();
  });
});

describe("the cells of a match", () => {
  test.each([
    ["within a row", 2, 5, [{ row: 10, column: 2, width: 3 }]],
    [
      "over the edge of a row",
      6,
      10,
      [
        { row: 10, column: 6, width: 2 },
        { row: 11, column: 0, width: 2 },
      ],
    ],
    [
      "over three rows",
      7,
      17,
      [
        { row: 10, column: 7, width: 1 },
        { row: 11, column: 0, width: 8 },
        { row: 12, column: 0, width: 1 },
      ],
    ],
  ])("%s", (_name, from, to, cells) => {
    expect(cellsOf(10, [8, 8, 8], from, to)).toEqual(cells);
  });

  test("a row whose last cell a wide character left empty counts one less", () => {
    expect(cellsOf(0, [7, 8], 7, 9)).toEqual([{ row: 1, column: 0, width: 2 }]);
  });
});
