import type { KeyboardEvent } from "react";

/** Up and down through the `data-walk` stops of a list; Home and End to its ends. */
export function walk(event: KeyboardEvent<HTMLElement>): void {
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    Home: Number.NEGATIVE_INFINITY,
    End: Number.POSITIVE_INFINITY,
  };
  const step = steps[event.key];
  if (step === undefined) return;
  const stops = [
    ...event.currentTarget.querySelectorAll<HTMLElement>("[data-walk]"),
  ];
  const at = stops.indexOf(document.activeElement as HTMLElement);
  const next = Math.max(0, Math.min(stops.length - 1, at + step));
  event.preventDefault();
  stops[next]?.focus();
}
