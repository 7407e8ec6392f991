import { expect, test } from "vitest";
import { firstView } from "./first-view";
import type { Box, Layout } from "./layout";

/** Rows of steps: how many each has, all of them beginning at the left. */
function rows(...counts: number[]): Layout {
  const nodes: Record<string, Box> = {};
  counts.forEach((count, row) => {
    for (let column = 0; column < count; column++)
      nodes[`${row}/${column}`] = {
        x: 24 + column * 248,
        y: 24 + row * 92,
        width: 216,
        height: 50,
      };
  });
  const width = 16 + Math.max(...counts) * 248;
  return {
    nodes,
    edges: [],
    frames: [],
    width,
    height: 6 + counts.length * 92,
  };
}

test("a graph that fits is shown in the middle, never larger than it is", () => {
  expect(firstView(rows(1, 1), 1000, 600)).toEqual({ zoom: 1, x: 368, y: 205 });
});

test("a graph that fits when it is a little smaller is shown as a whole", () => {
  const { zoom, x, y } = firstView(rows(1, 4, 1), 800, 600);
  expect(zoom).toBeCloseTo(800 / 1008);
  expect(x).toBeCloseTo(0);
  expect(y).toBeGreaterThan(0);
});

test("of a long graph the beginning is shown, over its whole width", () => {
  expect(firstView(rows(...Array(40).fill(2)), 1000, 600)).toMatchObject({
    zoom: 0.6,
    y: 0,
  });
});

test("a wide graph is made smaller rather than cut at its sides", () => {
  const { zoom, x } = firstView(rows(1, 5, 1), 668, 300);
  expect(zoom).toBeCloseTo(668 / 1256);
  expect(x).toBeCloseTo(0);
});

test("of a graph that is far too wide, the steps it begins with are in view", () => {
  expect(firstView(rows(1, 20), 800, 400)).toMatchObject({ zoom: 0.5, x: 0 });
  const { zoom, x } = firstView(rows(20, 20), 800, 400);
  expect(x + (24 + 10 * 248 - 16) * zoom).toBeCloseTo(400);
});
