import { expect, test } from "vitest";
import { hasRoom, neighbour, type Way } from "./dock";

const box = (left: number, top: number, right: number, bottom: number) => ({
  left,
  top,
  right,
  bottom,
});

//  a | b
//    |---
//    | c
const a = box(0, 0, 100, 200);
const b = box(101, 0, 200, 80);
const c = box(101, 81, 200, 200);

const from = (here: typeof a, way: Way) =>
  neighbour(
    here,
    [
      { box: a, value: "a" },
      { box: b, value: "b" },
      { box: c, value: "c" },
    ].filter((other) => other.box !== here),
    way,
  );

test.each([
  [a, "right", "c"],
  [b, "left", "a"],
  [b, "down", "c"],
  [c, "up", "b"],
  [c, "left", "a"],
  [a, "left", null],
  [a, "up", null],
  [b, "up", null],
] as const)("the focus moves to what lies there: %#", (here, way, there) => {
  expect(from(here, way)).toBe(there);
});

test("a group is split where both halves are as large as they must be", () => {
  const group = {
    width: 250,
    height: 150,
    minimumWidth: 100,
    minimumHeight: 100,
  };
  expect(hasRoom(group, "right")).toBe(true);
  expect(hasRoom(group, "down")).toBe(false);
});
