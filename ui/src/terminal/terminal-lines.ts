import type { IMarker, Terminal } from "@xterm/xterm";
import type { EarlierEnd, PaneId } from "../bindings";
import { withoutTiles } from "./image-tiles";
import {
  type Anchor,
  endRow,
  firstRow,
  lineOfRow,
  lineText,
  nearestRow,
  type Rows,
  rowOfLine,
  sameLine,
} from "./line-map";

/** Rows between the known one and the screen, at most: how far one must count to find a line. */
const ANCHOR_EVERY = 512;

/** Where a view was scrolled to: followed the end, or held at a line, which was in a row. */
export type ScrollPlace =
  | { at: "end" }
  | { at: "line"; line: number; content: string; row: number };

/** Which row of a terminal is which line of its pane. */
export class TerminalLines {
  /** A row whose line is known: the backend tells it with all that it draws. */
  private known: { marker: IMarker; line: number } | null = null;

  /** Where the lines of closed panes end that stand above the pane's own. */
  earlier: EarlierEnd[] = [];

  constructor(private readonly terminal: Terminal) {}

  /** Whether lines of that closed pane stand above the pane's own. */
  hasEarlier(pane: PaneId): boolean {
    return this.earlier.some((end) => end.pane === pane);
  }

  /** The number that a line of a closed pane has here; `null` when it is not here. */
  ofEarlier(pane: PaneId, line: number): number | null {
    const end = this.earlier.find((end) => end.pane === pane);
    return end ? end.line - (end.next - line) : null;
  }

  /** The row of the cursor begins a line: the first of a snapshot. */
  anchorAtCursor(line: number): void {
    this.anchor(0, line);
  }

  /** The first row of the screen belongs to a line. */
  anchorAtTop(line: number): void {
    const buffer = this.terminal.buffer.active;
    if (buffer.type !== "normal") return;
    const { known } = this;
    if (
      known &&
      !known.marker.isDisposed &&
      buffer.baseY - known.marker.line < ANCHOR_EVERY
    )
      return;
    this.anchor(-buffer.cursorY, line);
  }

  private anchor(offset: number, line: number): void {
    this.known?.marker.dispose();
    const marker = this.terminal.registerMarker(offset);
    this.known = marker ? { marker, line } : null;
  }

  private from(): Anchor | null {
    const { known } = this;
    if (!known || known.marker.isDisposed || known.marker.line < 0) return null;
    return { row: known.marker.line, line: known.line };
  }

  get rows(): Rows {
    const buffer = this.terminal.buffer.normal;
    return {
      length: buffer.length,
      wrapped: (row) => buffer.getLine(row)?.isWrapped ?? false,
      text: (row, trim) =>
        withoutTiles(buffer.getLine(row)?.translateToString(trim) ?? ""),
    };
  }

  /** Where the view is scrolled to, to go there again later. */
  place(): ScrollPlace {
    const buffer = this.terminal.buffer.active;
    if (buffer.type !== "normal" || buffer.viewportY >= buffer.baseY)
      return { at: "end" };
    const from = this.from();
    const { rows } = this;
    if (!from) return { at: "end" };
    const row = firstRow(rows, buffer.viewportY);
    return {
      at: "line",
      line: lineOfRow(rows, from, row),
      content: lineText(rows, row),
      row,
    };
  }

  /**
   * The row to which a place has come. What is gone may have been printed again, as programs do that redraw all of their
   * output: then it is as far from the beginning as it was.
   */
  rowOf(place: Extract<ScrollPlace, { at: "line" }>): number {
    return (
      this.find(place.line, place.content) ??
      nearestRow(this.rows, place.row, place.content) ??
      place.row
    );
  }

  /**
   * Where a line is; `null` when xterm does not hold it. With its content, the nearest line that reads so, `within` so
   * many lines of where counting leads.
   */
  find(
    line: number,
    content: string | null,
    within = Number.POSITIVE_INFINITY,
  ): number | null {
    if (this.terminal.buffer.active.type !== "normal") return null;
    const from = this.from();
    const { rows } = this;
    if (!from) return null;
    const row = rowOfLine(rows, from, line);
    if (content === null) return row;
    if (row !== null && sameLine(lineText(rows, row), content)) return row;
    // An older line has left the scrollback here, and another that reads like it is not the one that was meant.
    if (row === null && line < lineOfRow(rows, from, 0)) return null;
    return nearestRow(rows, row ?? rows.length - 1, content, within);
  }

  /** The row of a column of the line that begins at `first`. */
  rowOfColumn(first: number, column: number): number {
    return Math.min(
      first + Math.floor(column / this.terminal.cols),
      endRow(this.rows, first) - 1,
    );
  }

  /** The line at the top of the view. */
  top(): number | null {
    return this.lineAt(this.terminal.buffer.active.viewportY);
  }

  /** The line that a row belongs to. */
  lineAt(row: number): number | null {
    const from = this.from();
    return from && lineOfRow(this.rows, from, row);
  }

  /** Whether a line begins in a row. */
  begins(row: number): boolean {
    return !this.rows.wrapped(row);
  }
}
