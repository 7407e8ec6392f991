import type { IDecoration, IMarker, Terminal } from "@xterm/xterm";
import type { CommandMark, PaneId, Range } from "../bindings";
import { atTime } from "./blocks";
import { cellsOf, endRow } from "./line-map";
import type { TerminalLines } from "./terminal-lines";

/** A match as a view marks it. */
export interface MarkedMatch {
  /** The pane itself, or a closed one whose lines stand above it. */
  pane: PaneId;
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
  private readonly ends = new Map<number, IDecoration>();
  private commands: CommandMark[] = [];
  private marked: { matches: MarkedMatch[]; current: MarkedMatch | null } = {
    matches: [],
    current: null,
  };

  constructor(
    private readonly terminal: Terminal,
    private readonly lines: TerminalLines,
    private readonly pane: PaneId,
    /** A person presses the mark of a command. */
    private readonly onPressed: (mark: CommandMark) => void,
  ) {}

  /** All rows are others now, and marks went with the old ones. */
  forget(): void {
    this.exits.clear();
    this.ends.clear();
  }

  /** Marks matches on their rows and on the scrollbar; `current` stands out. */
  markMatches(matches: MarkedMatch[], current: MarkedMatch | null): void {
    this.marked = { matches, current };
    this.repaintMatches();
  }

  /** Marks all of it where it is now. */
  repaint(): void {
    this.markCommands(this.commands);
    this.repaintMatches();
  }

  private repaintMatches(): void {
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
    const { pane, content } = match;
    const line =
      pane === this.pane ? match.line : this.lines.ofEarlier(pane, match.line);
    if (line === null) return;
    const row = this.lines.find(line, content, MARK_WITHIN);
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
    this.commands = marks;
    if (this.terminal.buffer.active.type !== "normal") return;
    this.markEnds();
    for (const [line, decoration] of this.exits)
      if (decoration.isDisposed) this.exits.delete(line);
    for (const command of marks) {
      const { exit, prompt } = command;
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
        element.title = `exit status ${exit}: press to select the command`;
        element.onclick = () => this.onPressed(command);
      });
      this.exits.set(prompt, mark.decoration);
    }
  }

  /** Says where the lines of closed panes end that stand above the pane's own, and when that was. */
  private markEnds(): void {
    for (const { line, until } of this.lines.earlier) {
      if (this.ends.get(line)?.isDisposed === false) continue;
      const row = this.lines.find(line, null);
      if (row === null) continue;
      const { cols } = this.terminal;
      const mark = this.markAt(row, { width: cols, layer: "top" });
      if (!mark) continue;
      mark.decoration.onRender((element) => {
        element.classList.add("earlier-end");
        const label = document.createElement("span");
        label.textContent = untilWhen(until);
        element.replaceChildren(label);
      });
      this.ends.set(line, mark.decoration);
    }
  }
}

/** What is said where the lines of a closed pane end. */
function untilWhen(until: number | null): string {
  return until === null ? "What was before" : `What was until ${atTime(until)}`;
}

function clear(marks: Mark[]): void {
  for (const { decoration, marker } of marks) {
    decoration.dispose();
    marker.dispose();
  }
  marks.length = 0;
}
