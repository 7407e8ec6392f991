import { expect, test } from "vitest";
import {
  addAfter,
  addBefore,
  emptyWindow,
  holds,
  indexOfLine,
} from "./lines-window";

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({
    id: from + index,
    text: String(from + index),
    source: "history" as const,
  }));

test("a window grows on both sides until there is no more", () => {
  let window = addAfter(emptyWindow, lines(50, 60), 10);
  window = addBefore(window, lines(40, 50), 10);
  expect(window.lines.map(({ id }) => id)).toEqual(
    lines(40, 60).map(({ id }) => id),
  );
  expect([window.moreBefore, window.moreAfter]).toEqual([true, true]);
  window = addBefore(window, lines(35, 40), 10);
  window = addAfter(window, [], 10);
  expect([window.moreBefore, window.moreAfter]).toEqual([false, false]);
});

test("lines that are there already are not added again", () => {
  const window = addAfter(emptyWindow, lines(0, 5), 5);
  expect(addAfter(window, lines(3, 7), 4).lines).toHaveLength(7);
  expect(addBefore(window, lines(0, 2), 2).moreBefore).toBe(false);
});

test("a line that is gone is shown by the one after it", () => {
  const window = { ...emptyWindow, lines: [...lines(0, 2), ...lines(5, 7)] };
  expect(indexOfLine(window, 3)).toBe(2);
  expect(holds(window, 3)).toBe(false);
  expect(holds(window, 6)).toBe(true);
});

test("lines of full-screen programs stand between the printed ones", () => {
  const shown = lines(2 ** 52 + 7, 2 ** 52 + 10);
  let window = addAfter(emptyWindow, [...lines(3, 5), ...shown], 5);
  window = addAfter(window, [...shown.slice(-1), ...lines(5, 8)], 4);
  window = addBefore(window, [...lines(1, 3), ...lines(3, 4)], 3);
  expect(window.lines.map(({ id }) => id)).toEqual([
    1,
    2,
    3,
    4,
    ...shown.map(({ id }) => id),
    5,
    6,
    7,
  ]);
  expect(indexOfLine(window, 2 ** 52 + 8)).toBe(5);
  expect(indexOfLine(window, 6)).toBe(8);
  expect(holds(window, 2 ** 52 + 10)).toBe(false);
});
