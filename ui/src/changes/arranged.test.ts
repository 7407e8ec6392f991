import { expect, test } from "vitest";
import { arranged, placesOf } from "./arranged";
import type { DiffRow } from "./diff-rows";

/** Rows by their signs; `@` is a fold. */
function rowsOf(signs: string): DiffRow[] {
  return [...signs].map((sign): DiffRow => {
    if (sign === "@")
      return { kind: "fold", from: 1, count: 1, heading: "", hunk: 0 };
    const change = sign === "+" ? "added" : sign === "-" ? "removed" : "same";
    return { kind: "line", change, old: 1, new: 1, text: sign, open: false };
  });
}

/** What is beside what. */
function beside(signs: string): string[] {
  return arranged(rowsOf(signs), true).map((shown) =>
    "at" in shown
      ? `${shown.at}`
      : `${shown.left ?? "·"} ${shown.right ?? "·"}`,
  );
}

test("lines that came stand beside those in whose place they came", () => {
  expect(beside("@ -++ ")).toEqual(["0", "1 1", "2 3", "· 4", "5 5"]);
  expect(beside("--+")).toEqual(["0 2", "1 ·"]);
  expect(beside("+-")).toEqual(["· 0", "1 ·"]);
  expect(beside("")).toEqual([]);
});

test("each row is found where it is drawn", () => {
  expect(placesOf(arranged(rowsOf("@ -++ "), true))).toEqual([
    0, 1, 2, 2, 3, 4,
  ]);
  expect(placesOf(arranged(rowsOf("@-+"), false))).toEqual([0, 1, 2]);
});
