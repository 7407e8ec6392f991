import type { IDisposable, Terminal } from "@xterm/xterm";
import {
  type CopyState,
  enterCopyMode,
  press,
  selectedCells,
  shown,
  statusOf,
} from "./copy-mode";
import { type Grid, gridOf, type Spot } from "./grid";
import { type Hint, hintsIn } from "./quick-hints";

/** A time in which the keys are not the program's: they move, select or choose in what it printed. */
export interface TerminalMode extends IDisposable {
  key(event: KeyboardEvent): void;
}

/** What ends a mode, and what came of it. */
export interface ModeEnd {
  /** What is to be on the clipboard. */
  copy?: string;
  /** What is to be opened. */
  open?: Hint;
}

/** So many of the last rows lie under the line that says what goes on. */
const STATUS_ROWS = 2;

/** A layer over the cells of a terminal, and a line that says what goes on. */
class CellLayer implements IDisposable {
  private readonly layer = document.createElement("div");
  private readonly status = document.createElement("div");
  private readonly screen: HTMLElement | null;

  constructor(
    private readonly terminal: Terminal,
    room: HTMLElement,
  ) {
    this.screen = room.querySelector<HTMLElement>(".xterm-screen");
    this.layer.className = "mode-layer";
    this.status.className = "mode-status";
    this.status.setAttribute("role", "status");
    this.screen?.append(this.layer);
    room.append(this.status);
  }

  dispose(): void {
    this.layer.remove();
    this.status.remove();
  }

  /** Says what goes on, at the bottom, or at the top where one of these cells would lie under it. */
  say(text: string, clear: Spot[]): void {
    if (this.status.textContent !== text) this.status.textContent = text;
    const { rows, buffer } = this.terminal;
    const under = buffer.active.viewportY + rows - STATUS_ROWS;
    const covers = clear.some(({ row }) => row >= under);
    this.status.dataset.at = covers ? "top" : "bottom";
  }

  clear(): void {
    this.layer.replaceChildren();
  }

  /** Puts a box on cells of a row; nothing when the row is not on screen. */
  box(className: string, { row, col }: Spot, width: number, text = ""): void {
    const { cols, rows, buffer } = this.terminal;
    const line = row - buffer.active.viewportY;
    if (!this.screen || line < 0 || line >= rows) return;
    const box = document.createElement("div");
    box.className = className;
    box.textContent = text;
    const across = (cells: number) => `${(cells / cols) * 100}%`;
    const down = (cells: number) => `${(cells / rows) * 100}%`;
    const { style } = box;
    style.left = across(col);
    style.top = down(line);
    style.width = text === "" ? across(width) : "auto";
    style.height = down(1);
    style.lineHeight = `${this.screen.clientHeight / rows}px`;
    this.layer.append(box);
  }
}

/** Moves over screen and scrollback by keys, selects, finds, copies. */
export class CopyMode implements TerminalMode {
  private readonly cells: CellLayer;
  private readonly grid: Grid;
  private readonly scrolled: IDisposable;
  private state: CopyState;

  constructor(
    private readonly terminal: Terminal,
    room: HTMLElement,
    private readonly onEnd: (end: ModeEnd) => void,
  ) {
    const { active } = terminal.buffer;
    this.grid = gridOf(active, terminal.cols);
    this.cells = new CellLayer(terminal, room);
    const row = Math.min(
      active.baseY + active.cursorY,
      active.viewportY + terminal.rows - 1,
    );
    const at = { row, col: Math.min(active.cursorX, terminal.cols - 1) };
    this.state = shown(
      enterCopyMode(at, active.viewportY, terminal.rows),
      this.grid,
    );
    this.scrolled = terminal.onScroll(() => {
      // The wheel moved the view: the cursor stays where it is, as far as it is on screen.
      this.state = { ...this.state, top: active.viewportY };
      this.draw();
    });
    this.draw();
  }

  dispose(): void {
    this.scrolled.dispose();
    this.cells.dispose();
  }

  key({ key, ctrlKey }: KeyboardEvent): void {
    const step = press(this.state, this.grid, { key, ctrl: ctrlKey });
    this.state = step.state;
    if (step.leave) {
      this.onEnd(step.copy ? { copy: step.copy } : {});
      return;
    }
    if (this.terminal.buffer.active.viewportY !== this.state.top)
      this.terminal.scrollToLine(this.state.top);
    this.draw();
  }

  private draw(): void {
    const { state, grid, cells } = this;
    cells.clear();
    for (const { row, from, to } of selectedCells(state, grid))
      cells.box("mode-selected", { row, col: from }, to - from);
    const wide = grid.cells(state.at.row)[state.at.col + 1] === "";
    cells.box("mode-cursor", state.at, wide ? 2 : 1);
    cells.say(statusOf(state, grid), [state.at]);
  }
}

/** Offers what people copy under letters: typed, it is copied; with Shift, it is opened. */
export class QuickSelect implements TerminalMode {
  private readonly cells: CellLayer;
  private readonly hints: Hint[];
  private typed = "";

  constructor(
    terminal: Terminal,
    room: HTMLElement,
    private readonly onEnd: (end: ModeEnd) => void,
  ) {
    this.cells = new CellLayer(terminal, room);
    const { active } = terminal.buffer;
    const grid = gridOf(active, terminal.cols);
    this.hints = hintsIn(grid, active.viewportY, terminal.rows);
    this.draw();
  }

  dispose(): void {
    this.cells.dispose();
  }

  key({ key, shiftKey, ctrlKey, altKey, metaKey }: KeyboardEvent): void {
    if (key === "Escape" || (ctrlKey && key === "c")) {
      this.onEnd({});
      return;
    }
    if (ctrlKey || altKey || metaKey) return;
    if (key === "Backspace") this.typed = this.typed.slice(0, -1);
    else if (/^[a-z]$/i.test(key)) this.take(key.toLowerCase(), shiftKey);
    else return;
    this.draw();
  }

  private take(letter: string, open: boolean): void {
    const typed = this.typed + letter;
    const fitting = this.hints.filter(({ label }) => label.startsWith(typed));
    // A letter that leads nowhere is a slip.
    if (fitting.length === 0) return;
    this.typed = typed;
    const chosen = fitting.find(({ label }) => label === typed);
    if (chosen) this.onEnd(open ? { open: chosen } : { copy: chosen.text });
  }

  private draw(): void {
    const { cells, hints, typed } = this;
    cells.clear();
    const fitting = hints.filter(({ label }) => label.startsWith(typed));
    for (const hint of fitting) {
      for (const spot of hint.cells) cells.box("mode-found", spot, 1);
      cells.box("mode-label", hint.at, 1, hint.label.slice(typed.length));
    }
    cells.say(
      hints.length === 0
        ? "Nothing to pick here: no link, path, hash or address is on screen · Esc leaves"
        : "Type the letters to copy, with Shift to open · Esc leaves",
      fitting.map(({ at }) => at),
    );
  }
}
