import { expect, test } from "vitest";
import type { Hunk } from "../bindings";
import { changesIn, type DiffRow, diffRows } from "./diff-rows";

function hunk(
  [old_start, old_lines]: [number, number],
  [new_start, new_lines]: [number, number],
  ...lines: string[]
): Hunk {
  const heading = "";
  const text = lines.join("\n");
  return { old_start, old_lines, new_start, new_lines, heading, text };
}

/** Rows as a person would write them down. */
function told(rows: DiffRow[]): string[] {
  return rows.map((row) =>
    row.kind === "fold"
      ? `fold ${row.from} ${row.count ?? "?"}`
      : `${row.old ?? "."} ${row.new ?? "."} ${row.text}${row.open ? " (open)" : ""}`,
  );
}

const near = [
  hunk([4, 7], [4, 7], " 4", " 5", " 6", "-7", "+seven", " 8", " 9", " 10"),
  hunk([20, 6], [20, 4], " 20", " 21", " 22", "-23", "-24", " 25"),
];
const all = [
  hunk(
    [1, 25],
    [1, 23],
    ...[1, 2, 3, 4, 5, 6].map((line) => ` ${line}`),
    "-7",
    "+seven",
    ...Array.from({ length: 15 }, (_, at) => ` ${at + 8}`),
    "-23",
    "-24",
    " 25",
  ),
];

test("what is left out between changes is folded, and the numbers go on behind it", () => {
  expect(told(diffRows(near, null, new Set()))).toEqual([
    "fold 1 3",
    "4 4 4",
    "5 5 5",
    "6 6 6",
    "7 . 7",
    ". 7 seven",
    "8 8 8",
    "9 9 9",
    "10 10 10",
    "fold 11 9",
    "20 20 20",
    "21 21 21",
    "22 22 22",
    "23 . 23",
    "24 . 24",
    "25 23 25",
  ]);
});

test("a fold that was opened shows its lines, and the others stay", () => {
  const rows = told(diffRows(near, all, new Set([11])));
  expect(rows.slice(0, 1)).toEqual(["fold 1 3"]);
  expect(rows.slice(9, 18)).toEqual(
    Array.from({ length: 9 }, (_, at) => `${at + 11} ${at + 11} ${at + 11}`),
  );
});

test("until all lines are known, an opened fold stays one", () => {
  expect(told(diffRows(near, null, new Set([1])))[0]).toBe("fold 1 3");
});

test("behind a change with enough lines after it there may be more, until it is known", () => {
  const [first] = near;
  if (!first) throw new Error("there is one");
  expect(told(diffRows([first], null, new Set())).at(-1)).toBe("fold 11 ?");
  expect(told(diffRows([first], all, new Set())).at(-1)).toBe("fold 11 13");
  const exactly = [hunk([1, 4], [1, 5], "+new", " 1", " 2", " 3", " 4")];
  expect(told(diffRows(exactly, exactly, new Set()))).toHaveLength(5);
});

test("a file that is new, and one that is gone, have no folds", () => {
  const added = [
    hunk([0, 0], [1, 2], "+a", "+b", "\\ No newline at end of file"),
  ];
  expect(told(diffRows(added, null, new Set()))).toEqual([
    ". 1 a",
    ". 2 b (open)",
  ]);
  const gone = [hunk([1, 2], [0, 0], "-a", "-b")];
  expect(told(diffRows(gone, null, new Set()))).toEqual(["1 . a", "2 . b"]);
});

test("lines that were taken out without others in their place are numbered right", () => {
  const cut = [hunk([3, 2], [2, 0], "-3", "-4")];
  expect(told(diffRows(cut, null, new Set()))).toEqual([
    "fold 1 2",
    "3 . 3",
    "4 . 4",
  ]);
});

test("a change begins where a line differs and the one before it does not", () => {
  expect(changesIn(diffRows(near, null, new Set()))).toEqual([4, 13]);
});

test("a hundred thousand lines are rows at once", () => {
  const lines = Array.from({ length: 100_000 }, (_, at) => `+line ${at}`);
  const rows = diffRows(
    [hunk([0, 0], [1, lines.length], ...lines)],
    null,
    new Set(),
  );
  expect(rows).toHaveLength(100_000);
});
