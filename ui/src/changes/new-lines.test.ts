import { expect, test } from "vitest";
import { hunk } from "../twin/example-changes";
import { diffRows } from "./diff-rows";
import { addedLines, newSince, remember, seenOf } from "./new-lines";

const rowsOf = (...lines: string[]) =>
  diffRows([hunk({ text: lines.join("\n") })], null, new Set());

const isNew = (before: string[], after: string[]) => {
  const rows = rowsOf(...after);
  const places = newSince(rows, addedLines(rowsOf(...before)));
  return [...places].map((at) => {
    const row = rows[at];
    return row?.kind === "line" ? row.text : "";
  });
};

test("lines that came since are new, also in a place before the others", () => {
  expect(isNew(["+one", " same"], ["+zero", "+one", " same", "+two"])).toEqual([
    "zero",
    "two",
  ]);
});

test("what moved, went, or is the same is not", () => {
  expect(isNew(["+one", "+two"], ["+two", "+one"])).toEqual([]);
  expect(isNew(["+one", "+two"], ["-old", "+two"])).toEqual([]);
});

test("a line that stands there once more is new once", () => {
  expect(isNew(["+}", "+a"], ["+}", "+a", "+}"])).toEqual(["}"]);
});

test("what was seen of many files is not kept for ever", () => {
  const lines = addedLines(rowsOf("+one"));
  for (let file = 0; file < 600; file++) remember(`${file}`, lines);
  expect(seenOf("599")).toEqual(lines);
  expect(seenOf("0")).toBeNull();
});
