import type { Line, LineId } from "../bindings";

/** A stretch of a pane's lines, and whether there is more on either side. */
export interface LinesWindow {
  lines: Line[];
  moreBefore: boolean;
  moreAfter: boolean;
}

export const emptyWindow: LinesWindow = {
  lines: [],
  moreBefore: true,
  moreAfter: true,
};

/** Adds lines before the first; fewer than were asked for means that there are no more. */
export function addBefore(
  window: LinesWindow,
  lines: Line[],
  asked: number,
): LinesWindow {
  const first = window.lines[0]?.id ?? Number.POSITIVE_INFINITY;
  const fresh = lines.filter((line) => line.id < first);
  return {
    ...window,
    lines: [...fresh, ...window.lines],
    moreBefore: lines.length >= asked && fresh.length > 0,
  };
}

/** Adds lines after the last. */
export function addAfter(
  window: LinesWindow,
  lines: Line[],
  asked: number,
): LinesWindow {
  const last = window.lines.at(-1)?.id ?? -1;
  const fresh = lines.filter((line) => line.id > last);
  return {
    ...window,
    lines: [...window.lines, ...fresh],
    moreAfter: lines.length >= asked && fresh.length > 0,
  };
}

/** Where a line is; the first one after it when it is gone. */
export function indexOfLine(window: LinesWindow, line: LineId): number {
  let low = 0;
  let high = window.lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((window.lines[middle]?.id ?? 0) < line) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a line lies in what was read. */
export function holds(window: LinesWindow, line: LineId): boolean {
  return window.lines[indexOfLine(window, line)]?.id === line;
}
