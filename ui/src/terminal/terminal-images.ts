import type { IDisposable, Terminal } from "@xterm/xterm";
import { backend } from "../backend/backend";
import type { PaneId, PlacedImage } from "../bindings";
import { partOf, type TileRun, tileRuns } from "./image-tiles";

/** The number of the sequence (OSC) that says that there are images. */
const IMAGES = 7718;

/** So many images are kept for drawing, and so many pixels of them: more are asked for again when they are seen again. */
const MOST_IMAGES = 64;
const MOST_PIXELS = 48 * 1024 * 1024;

type Known = "asked" | "gone" | { placed: PlacedImage; bitmap: ImageBitmap };

/** Draws images over the cells that they are in, once there are any. */
export class TerminalImages implements IDisposable {
  private canvas: HTMLCanvasElement | null = null;
  private readonly owned: IDisposable[] = [];
  /** By their number; who was drawn last stands last. */
  private readonly known = new Map<number, Known>();
  private drawn = false;
  private disposed = false;

  constructor(
    private readonly terminal: Terminal,
    private readonly pane: PaneId,
  ) {
    this.owned.push(
      terminal.parser.registerOscHandler(IMAGES, () => {
        this.begin();
        return true;
      }),
    );
  }

  dispose(): void {
    this.disposed = true;
    for (const owned of this.owned) owned.dispose();
    for (const number of [...this.known.keys()]) this.forget(number);
    this.canvas?.remove();
  }

  private begin(): void {
    if (this.canvas) return;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "terminal-images";
    this.owned.push(this.terminal.onRender(() => this.draw()));
  }

  private draw(): void {
    const { canvas, terminal } = this;
    const screen = terminal.element?.querySelector(".xterm-screen");
    if (!canvas || !screen || this.disposed) return;
    if (canvas.parentElement !== screen) screen.append(canvas);
    const { cols, rows } = terminal;
    const buffer = terminal.buffer.active;
    const cell = buffer.getNullCell();
    const seen: { row: number; run: TileRun }[] = [];
    for (let row = 0; row < rows; row++) {
      const line = buffer.getLine(buffer.viewportY + row);
      if (!line) continue;
      for (const run of tileRuns(line, cols, cell)) seen.push({ row, run });
    }
    if (seen.length === 0 && !this.drawn) return;
    const { width, height } = screen.getBoundingClientRect();
    this.drawn = seen.length > 0;
    const context = canvas.getContext("2d");
    if (!context) return;
    const wide = Math.round(width * devicePixelRatio);
    const high = Math.round(height * devicePixelRatio);
    if (canvas.width === wide && canvas.height === high)
      context.clearRect(0, 0, wide, high);
    else {
      canvas.width = wide;
      canvas.height = high;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const across = canvas.width / cols;
    const down = canvas.height / rows;
    for (const { row, run } of seen) {
      const known = this.get(run.image);
      if (!known) continue;
      const part = partOf(known.placed, run);
      if (part.across === 0 || part.down === 0) continue;
      const left = Math.round(run.column * across);
      const top = Math.round(row * down);
      const right = Math.round((run.column + part.across) * across);
      const bottom = Math.round((row + part.down) * down);
      context.drawImage(
        known.bitmap,
        part.x,
        part.y,
        part.width,
        part.height,
        left,
        top,
        Math.max(right - left, 1),
        Math.max(bottom - top, 1),
      );
    }
    this.makeRoom();
  }

  /** The image with this number, or nothing as long as it is not there. */
  private get(number: number): Exclude<Known, string> | null {
    const known = this.known.get(number);
    if (known === undefined) {
      this.known.set(number, "asked");
      void this.load(number);
      return null;
    }
    if (typeof known === "string") return null;
    this.known.delete(number);
    this.known.set(number, known);
    return known;
  }

  private async load(number: number): Promise<void> {
    const told = await backend.paneImage(this.pane, number);
    const placed = told.status === "ok" ? told.data : null;
    const bitmap = placed && (await decoded(placed));
    if (this.disposed) {
      bitmap?.close();
      return;
    }
    this.known.set(number, placed && bitmap ? { placed, bitmap } : "gone");
    this.draw();
  }

  private makeRoom(): void {
    let images = 0;
    let pixels = 0;
    for (const [number, known] of [...this.known].reverse()) {
      if (typeof known === "string") continue;
      images++;
      pixels += known.bitmap.width * known.bitmap.height;
      // The one that was drawn last stays, however large.
      if (images > 1 && (images > MOST_IMAGES || pixels > MOST_PIXELS))
        this.forget(number);
    }
  }

  private forget(number: number): void {
    const known = this.known.get(number);
    if (known && typeof known !== "string") known.bitmap.close();
    this.known.delete(number);
  }
}

/** What is to be drawn; none of what the browser can't read. */
async function decoded(placed: PlacedImage): Promise<ImageBitmap | null> {
  try {
    const bytes = Uint8Array.from(atob(placed.data), (char) =>
      char.charCodeAt(0),
    );
    return await createImageBitmap(
      new Blob([bytes], { type: placed.media_type }),
    );
  } catch {
    return null;
  }
}
