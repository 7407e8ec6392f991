import type { IDecoration, IMarker, Terminal } from "@xterm/xterm";
import type { CommandMark, Range } from "../bindings";
import { cellsOf, endRow } from "./line-map";
import type { TerminalLines } from "./terminal-lines";

/** A match as a view marks it. */
export interface MarkedMatch {
  line: number;
  content: string;
  ranges: Range[];
}

interface Mark {
  decoration: IDecoration;
  marker: IMarker;
}

/** A mark may stand for a line that was rewritten nearby; further away it would stand for another. */
const MARK_WITHIN = 64;
/** More ticks than this cost more to draw than they tell. */
const MARKED_AT_MOST = 2000;

/** What is marked in a terminal: matches of a search, and how commands ended. */
export class TerminalMarks {
  private readonly matches: Mark[] = [];
  private readonly current: Mark[] = [];
  private readonly exits = new Map<number, IDecoration>();
  private marked: { matches: MarkedMatch[]; current: MarkedMatch | null } = {
    matches: [],
    current: null,
  };

  constructor(
    private readonly terminal: Terminal,
    private readonly lines: TerminalLines,
  ) {}

  /** All rows are others now, and marks went with the old ones. */
  forget(): void {
    this.exits.clear();
  }

  /** Marks matches on their rows and on the scrollbar; `current` stands out. */
  markMatches(matches: MarkedMatch[], current: MarkedMatch | null): void {
    this.marked = { matches, current };
    this.repaint();
  }

  /** Marks the same matches where they are now. */
  repaint(): void {
    clear(this.matches);
    clear(this.current);
    const { matches, current } = this.marked;
    for (const match of matches) {
      // A line may have hundreds of them.
      if (this.matches.length >= MARKED_AT_MOST) break;
      this.paint(match, this.matches, "match");
    }
    if (current) this.paint(current, this.current, "current");
  }

  private paint(
    match: MarkedMatch,
    into: Mark[],
    kind: "match" | "current",
  ): void {
    const row = this.lines.find(match.line, match.content, MARK_WITHIN);
    if (row === null) return;
    const widths = this.widthsFrom(row);
    for (const range of match.ranges) {
      const { start_col: from, end_col: to } = range;
      for (const cells of cellsOf(row, widths, from, to)) {
        const mark = this.markAt(cells.row, {
          x: cells.column,
          width: cells.width,
          layer: "top",
          overviewRulerOptions: {
            color: kind === "current" ? "#f59f3a" : "#e0b34199",
            position: kind === "current" ? "full" : "center",
          },
        });
        if (!mark) continue;
        mark.decoration.onRender((element) => {
          element.classList.add(`match-${kind}`);
        });
        into.push(mark);
      }
    }
  }

  /** How many cells each row uses of the line that begins at `row`. */
  private widthsFrom(row: number): number[] {
    const { cols, buffer } = this.terminal;
    const end = endRow(this.lines.rows, row);
    const widths: number[] = [];
    for (let at = row; at < end; at++) {
      // A wide character that did not fit leaves its last cell empty.
      const last = buffer.normal.getLine(at)?.getCell(cols - 1);
      const gap =
        at < end - 1 && last?.getChars() === "" && last.getWidth() === 1;
      widths.push(cols - (gap ? 1 : 0));
    }
    return widths;
  }

  private markAt(
    row: number,
    options: Omit<Parameters<Terminal["registerDecoration"]>[0], "marker">,
  ): Mark | null {
    const { normal } = this.terminal.buffer;
    const cursor = normal.baseY + normal.cursorY;
    const marker = this.terminal.registerMarker(row - cursor);
    if (!marker) return null;
    const decoration = this.terminal.registerDecoration({ ...options, marker });
    if (decoration) return { decoration, marker };
    marker.dispose();
    return null;
  }

  /** Shows in the gutter how the commands of the shell ended. */
  markCommands(marks: CommandMark[]): void {
    if (this.terminal.buffer.active.type !== "normal") return;
    for (const [line, decoration] of this.exits)
      if (decoration.isDisposed) this.exits.delete(line);
    for (const { exit, prompt } of marks) {
      if (exit === null || this.exits.has(prompt)) continue;
      const row = this.lines.find(prompt, null);
      if (row === null) continue;
      const failed = exit !== 0;
      const mark = this.markAt(row, {
        x: 0,
        width: 1,
        ...(failed && {
          overviewRulerOptions: { color: "#e5575c", position: "left" },
        }),
      });
      if (!mark) continue;
      mark.decoration.onRender((element) => {
        element.classList.add("command-mark");
        element.dataset.exit = failed ? "failed" : "ok";
        element.title = `exit status ${exit}`;
      });
      this.exits.set(prompt, mark.decoration);
    }
  }
}

function clear(marks: Mark[]): void {
  for (const { decoration, marker } of marks) {
    decoration.dispose();
    marker.dispose();
  }
  marks.length = 0;
}
