import type { IDisposable, IMarker, Terminal } from "@xterm/xterm";
import { gridOf, printedLine } from "./grid";

/** So long nothing more has to come before what came is told: a program prints a line in pieces. */
const SETTLED_MS = 150;
/** No more lines are told at once: nobody listens to a flood. */
const TOLD = 20;

/**
 * Has a screen reader read a terminal: its rows as a list, by xterm, and what is newly printed, when the reader has
 * time for it.
 *
 * xterm would tell all that is drawn, at once. What is drawn here is whole rows, again with each change of one, and all of
 * the scrollback when a view begins: told is what lies between where the cursor was and where it is.
 */
export class ScreenReader implements IDisposable {
  private readonly region = document.createElement("div");
  private readonly written: IDisposable;
  private told: IMarker | undefined;
  /** There was nothing in the row of the cursor then: what is written into it is new, too. */
  private blank = false;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly terminal: Terminal,
    room: HTMLElement,
  ) {
    terminal.options.screenReaderMode = true;
    room.querySelector(".live-region")?.setAttribute("aria-live", "off");
    this.region.className = "spoken";
    this.region.setAttribute("role", "log");
    this.region.setAttribute("aria-live", "polite");
    this.region.setAttribute("aria-label", "What is printed");
    room.append(this.region);
    this.written = terminal.onWriteParsed(() => {
      this.timer ??= setTimeout(() => this.tell(), SETTLED_MS);
    });
    this.skip();
  }

  dispose(): void {
    this.stop();
    this.written.dispose();
    this.told?.dispose();
    this.region.remove();
    this.terminal.options.screenReaderMode = false;
  }

  /** What is there now is old: a view has begun, or was drawn anew. */
  skip(): void {
    this.stop();
    this.told?.dispose();
    this.told = this.terminal.registerMarker(0);
    const { active } = this.terminal.buffer;
    const row = active.baseY + active.cursorY;
    this.blank = this.textOf(row).text.trim() === "";
  }

  private stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private tell(): void {
    const { active } = this.terminal.buffer;
    const from = this.told?.line ?? -1;
    // A full-screen program draws where it likes; its rows can be gone through.
    if (active.type === "normal" && from >= 0) {
      const lines = this.linesBetween(from, active.baseY + active.cursorY);
      if (lines.length > 0) this.region.textContent = lines.join("\n");
    }
    this.skip();
  }

  private textOf(row: number) {
    const grid = gridOf(this.terminal.buffer.active, this.terminal.cols);
    return printedLine(grid, row);
  }

  /** The lines from the row of the cursor then to that of now; nothing while it is in the same one, with what it had. */
  private linesBetween(from: number, to: number): string[] {
    const lines: string[] = [];
    if (to < from || (to === from && !this.blank)) return lines;
    for (let row = from; row <= to; ) {
      const line = this.textOf(row);
      if (line.text.trim() !== "") lines.push(line.text.trimEnd());
      row = Math.max(line.to, row + 1);
    }
    const surplus = lines.length - TOLD;
    return surplus > 0
      ? [`${surplus} lines before`, ...lines.slice(-TOLD)]
      : lines;
  }
}
