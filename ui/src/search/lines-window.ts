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

/**
 * Lines of full-screen programs are counted from here, in a sequence of their own; they stand between the printed lines
 * that came before and after them. So ids do not ascend from line to line, only within each sequence.
 */
const FULL_SCREEN = 2 ** 52;

/** Whether a line was shown by a full-screen program, and has no number among those that were printed. */
export function isFullScreen(line: LineId): boolean {
  return line >= FULL_SCREEN;
}

/** Adds lines before the first; fewer than were asked for means that there are no more. */
export function addBefore(
  window: LinesWindow,
  lines: Line[],
  asked: number,
): LinesWindow {
  const fresh = without(lines, window.lines);
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
  const fresh = without(lines, window.lines);
  return {
    ...window,
    lines: [...window.lines, ...fresh],
    moreAfter: lines.length >= asked && fresh.length > 0,
  };
}

function without(lines: Line[], known: Line[]): Line[] {
  const ids = new Set(known.map(({ id }) => id));
  return lines.filter(({ id }) => !ids.has(id));
}

/** Where a line is; the first one after it when it is gone. */
export function indexOfLine(window: LinesWindow, line: LineId): number {
  const index = window.lines.findIndex(
    ({ id }) => id >= line && isFullScreen(id) === isFullScreen(line),
  );
  return index < 0 ? window.lines.length : index;
}

/** Whether a line lies in what was read. */
export function holds(window: LinesWindow, line: LineId): boolean {
  return window.lines[indexOfLine(window, line)]?.id === line;
}
