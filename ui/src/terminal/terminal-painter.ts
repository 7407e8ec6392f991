import type { LigaturesAddon } from "@xterm/addon-ligatures";
import { WebglAddon } from "@xterm/addon-webgl";
import type { IDisposable, Terminal } from "@xterm/xterm";
import type { DrawnBy } from "../bindings";
import type { AppliedSettings } from "../shared/settings-store";
import { chooseRenderer, rememberMeasure, wasMeasured } from "./renderer";

const MEASURED_FRAMES = 24;

/** What draws a terminal: WebGL or the DOM, with ligatures or without. */
export class TerminalPainter implements IDisposable {
  private readonly owned: IDisposable[] = [];
  private drawnBy: DrawnBy = "dom";
  private webgl: WebglAddon | null = null;
  private ligatures: LigaturesAddon | null = null;
  private wantsLigatures = false;
  private disposed = false;

  constructor(private readonly terminal: Terminal) {}

  dispose(): void {
    this.disposed = true;
    for (const owned of this.owned) owned.dispose();
    this.webgl?.dispose();
  }

  /** Draws with what the settings say, or with what is best here. */
  draw(settings: AppliedSettings, softwareRendering: boolean): void {
    const wanted = chooseRenderer(settings.renderer, softwareRendering);
    if (wanted === this.drawnBy) return;
    this.fallBack();
    this.drawnBy = wanted;
    if (wanted === "dom") return;
    try {
      // Where WebKit composes by software, what was drawn is else gone before it is shown, until something moves.
      const webgl = new WebglAddon(true);
      webgl.onContextLoss(() => this.fallBack());
      this.terminal.loadAddon(webgl);
      this.webgl = webgl;
      if (settings.renderer === "auto" && !wasMeasured()) this.measure();
    } catch {
      this.fallBack();
    }
  }

  private fallBack(): void {
    this.webgl?.dispose();
    this.webgl = null;
    this.drawnBy = "dom";
  }

  /** Times the first frames from parsed to drawn; the result decides for this machine. */
  private measure(): void {
    const frames: number[] = [];
    let parsedAt: number | null = null;
    const parsed = this.terminal.onWriteParsed(() => {
      parsedAt ??= performance.now();
    });
    const rendered = this.terminal.onRender(() => {
      if (parsedAt === null) return;
      frames.push(performance.now() - parsedAt);
      parsedAt = null;
      if (frames.length < MEASURED_FRAMES) return;
      parsed.dispose();
      rendered.dispose();
      if (rememberMeasure(frames) === "dom") this.fallBack();
    });
    this.owned.push(parsed, rendered);
  }

  async drawLigatures(wanted: boolean): Promise<void> {
    this.wantsLigatures = wanted;
    this.ligatures?.dispose();
    this.ligatures = null;
    if (!wanted) return;
    try {
      // Large, and rarely wanted: loaded when it is.
      const { LigaturesAddon } = await import("@xterm/addon-ligatures");
      if (this.disposed || !this.wantsLigatures) return;
      this.ligatures = new LigaturesAddon();
      this.terminal.loadAddon(this.ligatures);
    } catch {
      // The font can't be read here; text is drawn without ligatures.
      this.ligatures = null;
    }
  }
}
