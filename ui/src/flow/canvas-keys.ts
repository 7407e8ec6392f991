import type { KeyboardEvent } from "react";
import type { Layout } from "./layout";

/** Arrows go to the nearest step in their direction; Enter opens the one that has the focus. */
export function moveBetween(
  event: KeyboardEvent<HTMLElement>,
  layout: Layout,
  goTo: (node: string) => void,
  open: (node: string) => void,
): void {
  const ways: Record<string, [number, number]> = {
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
  };
  const way = ways[event.key];
  const canvas = event.currentTarget;
  const target = event.target as Element;
  const current =
    target.closest("[data-step]")?.getAttribute("data-step") ?? null;
  const focus = (node: string | null) => {
    if (node === null) return;
    goTo(node);
    focusCard(canvas, node);
  };
  if (event.key === "Enter" && current === null) {
    focus(nearest(layout, null, [0, 1]));
    return;
  }
  if ((event.key === "Enter" || event.key === " ") && current !== null) {
    event.preventDefault();
    open(current);
    return;
  }
  if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  focus(nearest(layout, current, way));
}

/** Gives a card the focus: one that was out of view, or too far away, is drawn once the canvas has moved. */
function focusCard(canvas: HTMLElement, node: string): void {
  let tries = 30;
  const focus = () => {
    const card = canvas.querySelector<HTMLElement>(
      `.step-card[data-step="${CSS.escape(node)}"]`,
    );
    if (card) card.focus({ preventScroll: true });
    else if (tries-- > 0) requestAnimationFrame(focus);
  };
  requestAnimationFrame(focus);
}

/** The nearest node in a direction; the first one when there is none to begin from. */
export function nearest(
  layout: Layout,
  from: string | null,
  [dx, dy]: [number, number],
): string | null {
  const start = from === null ? undefined : layout.nodes[from];
  let best: { id: string; distance: number } | null = null;
  for (const [id, box] of Object.entries(layout.nodes)) {
    if (id === from) continue;
    const x = start ? box.x - start.x : box.x;
    const y = start ? box.y - start.y : box.y;
    const along = x * dx + y * dy;
    const across = Math.abs(x * dy) + Math.abs(y * dx);
    if (start && along < 8) continue;
    const distance = start ? along + across * 2 : y * 4 + x;
    if (!best || distance < best.distance) best = { id, distance };
  }
  return best?.id ?? null;
}
