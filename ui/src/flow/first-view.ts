import type { Viewport } from "@xyflow/react";
import type { Layout } from "./layout";

/** The scale at which a step is read at ease, and the smallest one at which it can be read at all. */
const EASY = 0.6;
const READABLE = 0.5;

/**
 * How a graph is shown at first, in a place of this size: all of it where its steps can be read then. Else what does not
 * fit lies below, where one looks for it; to the sides only when there is no other way, and the steps it begins with are
 * in the middle.
 */
export function firstView(
  layout: Layout,
  width: number,
  height: number,
): Viewport {
  const across = width / layout.width;
  const whole = Math.min(across, height / layout.height, 1);
  const zoom =
    whole >= EASY ? whole : Math.min(Math.max(across, READABLE), EASY);
  const left = width - layout.width * zoom;
  const top = height - layout.height * zoom;
  return {
    zoom,
    x:
      left >= 0
        ? left / 2
        : Math.min(Math.max(width / 2 - beginning(layout) * zoom, left), 0),
    y: Math.max(top / 2, 0),
  };
}

/** How far to the right the middle of the first row is. */
function beginning(layout: Layout): number {
  const boxes = Object.values(layout.nodes);
  const top = Math.min(...boxes.map((box) => box.y));
  const first = boxes.filter((box) => box.y === top);
  const from = Math.min(...first.map((box) => box.x));
  const to = Math.max(...first.map((box) => box.x + box.width));
  return (from + to) / 2;
}
