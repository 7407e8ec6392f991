import { expect, test } from "vitest";
import { stopAfter, strideOf } from "./walk";

test.each([
  [null, 1, 2],
  [null, -1, 9],
  [2, 1, 5],
  [5, -1, 2],
  [2, -15, 2],
  [2, 1e9, 9],
  [7, 1, 2],
])("from %j, %d further is %d", (current, by, stop) => {
  expect(stopAfter([2, 5, 9], current, by)).toBe(stop);
});

test("among no results there is nowhere to go", () => {
  expect(stopAfter([], null, 1)).toBeUndefined();
  expect(stopAfter([], 3, -1)).toBeUndefined();
});

test("only some keys walk", () => {
  expect(strideOf("PageDown")).toBe(15);
  expect(strideOf("a")).toBeUndefined();
});
