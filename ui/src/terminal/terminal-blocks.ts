import type { IDisposable, Terminal } from "@xterm/xterm";
import type { CommandMark, LineId } from "../bindings";
import { blockAt, blockOf, endOf } from "./blocks";
import type { TerminalLines } from "./terminal-lines";

/** Where the commands of a shell are on screen, in pixels from the top of the terminal. */
export interface BlockView {
  /** The command whose output is at the top of a view that is scrolled up, when its prompt is above. */
  sticky: { mark: CommandMark; height: number } | null;
  /** What is seen of the selected command; `null` when it is none, or out of sight. */
  selected: { mark: CommandMark; top: number; bottom: number } | null;
}

const NOTHING: BlockView = { sticky: null, selected: null };

/** Follows where commands are while a terminal scrolls and prints, and tells of it when it has changed. */
export class TerminalBlocks implements IDisposable {
  private marks: CommandMark[] = [];
  private wanted: LineId | null = null;
  private told = JSON.stringify(NOTHING);
  private readonly owned: IDisposable[];
  private frame: number | null = null;

  constructor(
    private readonly terminal: Terminal,
    private readonly lines: TerminalLines,
    private readonly tell: (view: BlockView) => void,
  ) {
    const soon = () => this.soon();
    this.owned = [terminal.onRender(soon), terminal.onScroll(soon)];
  }

  dispose(): void {
    for (const owned of this.owned) owned.dispose();
    if (this.frame !== null) cancelAnimationFrame(this.frame);
  }

  /** The shell has marked these. */
  follow(marks: CommandMark[]): void {
    this.marks = marks;
    this.soon();
  }

  /** The command whose prompt is in this line is selected. */
  select(prompt: LineId | null): void {
    this.wanted = prompt;
    this.soon();
  }

  /** The command of a row of the whole buffer. */
  ofRow(row: number): CommandMark | null {
    const line = this.lines.lineAt(row);
    const index = line === null ? null : blockAt(this.marks, line);
    return index === null ? null : (this.marks[index] ?? null);
  }

  /** At most once a frame: a terminal that is drawn says so several times. */
  private soon(): void {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      const view = this.look();
      const told = JSON.stringify(view);
      if (told === this.told) return;
      this.told = told;
      this.tell(view);
    });
  }

  private look(): BlockView {
    const { lines, marks } = this;
    const terminal = this.terminal;
    const { active } = terminal.buffer;
    const screen =
      terminal.element?.querySelector<HTMLElement>(".xterm-screen");
    if (active.type !== "normal" || marks.length === 0 || !screen)
      return NOTHING;
    const height = screen.clientHeight / terminal.rows;
    // The room that is left around the cells.
    const around = offsetOf(screen);
    const top = lines.top();
    if (top === null || height === 0) return NOTHING;
    const bottomRow = active.viewportY + terminal.rows;
    let sticky: BlockView["sticky"] = null;
    // At the end, the first row belongs to what is printed: it is not to be covered.
    const reads = active.viewportY < active.baseY;
    const at = reads ? blockAt(marks, top) : null;
    const mark = at === null ? undefined : marks[at];
    const prints =
      mark &&
      (mark.output_to === null ||
        mark.output_to > top ||
        mark.ended_at === null);
    if (mark && prints && this.isAbove(mark.prompt, top, active.viewportY))
      sticky = { mark, height: around + height };
    let selected: BlockView["selected"] = null;
    const index = this.wanted === null ? null : blockOf(marks, this.wanted);
    const chosen = index === null ? undefined : marks[index];
    if (chosen && index !== null) {
      const end = endOf(marks, index);
      // What has left the scrollback here begins above it.
      const first = lines.find(chosen.prompt, null) ?? 0;
      const last = end === null ? null : lines.find(end, null);
      const from = Math.max(first, active.viewportY);
      const to = Math.min(last ?? printedRows(terminal), bottomRow);
      if (to > from) {
        const pixels = (row: number) =>
          Math.round(around + (row - active.viewportY) * height);
        selected = { mark: chosen, top: pixels(from), bottom: pixels(to) };
      }
    }
    return { sticky, selected };
  }

  /** Whether a prompt is above the view: another line than its first one, or a row of it that is not its first. */
  private isAbove(prompt: LineId, top: LineId, viewport: number): boolean {
    return prompt < top || this.lines.begins(viewport) === false;
  }
}

function offsetOf(screen: HTMLElement): number {
  const room = screen.closest<HTMLElement>(".terminal-room");
  return room?.offsetTop ?? 0;
}

/** How many rows there are down to the cursor's: what is below has not been printed. */
function printedRows(terminal: Terminal): number {
  const { baseY, cursorY } = terminal.buffer.active;
  return baseY + cursorY + 1;
}
