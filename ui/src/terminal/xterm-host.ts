import { FitAddon } from "@xterm/addon-fit";
import type { LigaturesAddon } from "@xterm/addon-ligatures";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import {
  type IDecoration,
  type IDisposable,
  type IMarker,
  Terminal,
} from "@xterm/xterm";
import { backend } from "../backend/backend";
import { decodeFrame, type Frame } from "../backend/frames";
import type {
  CommandMark,
  DrawnBy,
  PaneId,
  PaneSize,
  Range,
} from "../bindings";
import { reportFailure } from "../shared/notices";
import type { AppliedSettings } from "../shared/settings-store";
import type { TerminalTheme } from "../shared/terminal-themes";
import { guardErase } from "./erase-guard";
import {
  type Anchor,
  cellsOf,
  endRow,
  firstRow,
  lineOfRow,
  lineText,
  nearestRow,
  type Rows,
  rowOfLine,
  sameLine,
} from "./line-map";
import { muteView } from "./mute";
import { pasteBytes } from "./paste-guard";
import { chooseRenderer, rememberMeasure, wasMeasured } from "./renderer";
import { addTerminalRoot } from "./terminal-root";

/** How a view looks and behaves; follows the settings. */
export interface ViewStyle {
  settings: AppliedSettings;
  fontSize: number;
  theme: TerminalTheme;
  softwareRendering: boolean;
}

/** What a view tells its pane. */
export interface ViewEvents {
  /** A link is under the pointer, or none. */
  onLink?: (target: string | null) => void;
  /** The view could not be attached; the message is for a person. */
  onFailed?: (message: string) => void;
  /** The first snapshot is on screen. */
  onShown?: () => void;
  /** The first text is on screen: a prompt, as a rule. */
  onText?: () => void;
}

/** A match as a view marks it. */
export interface MarkedMatch {
  line: number;
  content: string;
  ranges: Range[];
}

/** Where a view was scrolled to: followed the end, or held at a line. */
export type ScrollPlace =
  | { at: "end" }
  | { at: "line"; line: number; content: string };

/** How a view begins. */
export interface ViewStart {
  /** As large as its pane is, so that the snapshot fits in without another layout. */
  size?: PaneSize;
  /** Where it was scrolled to when it was parked. */
  place?: ScrollPlace;
}

/** Acknowledges parsed bytes in pieces of at least this size; less would be chatter. */
const ACK_EVERY = 16 * 1024;
/** Rows between two anchors, at most: how far one must count to find a line. */
const ANCHOR_EVERY = 512;
/** A mark may stand for a line that was rewritten nearby; further away it would stand for another. */
const MARK_WITHIN = 64;
const RESIZE_QUIET_MS = 60;
const COPY_AFTER_MS = 150;
/** More ticks than this cost more to draw than they tell. */
const MARKED_AT_MOST = 2000;
const MEASURED_FRAMES = 24;

/** A snapshot that can't show what the person reads is held this long, in case a whole one follows. */
const HOLD_MS = 1500;
/** So much output is kept behind a held snapshot. */
const HELD_AT_MOST = 4 * 1024 * 1024;

const BEGIN = "\x1bc\x1b[?2026h";
const END = "\x1b[?2026l";

type SnapshotFrame = Extract<Frame, { kind: "snapshot" }>;

/**
 * Owns one xterm: the instance, its addons and its bytes. It shows one pane in one element, from `new` to `dispose`.
 *
 * The view is mute (see `mute.ts`), and bytes are acknowledged as xterm has parsed them.
 */
export class XtermHost {
  private readonly root: HTMLElement;
  private readonly room: HTMLElement;
  private readonly terminal: Terminal;
  private readonly fitAddon = new FitAddon();
  private readonly owned: IDisposable[] = [];
  private readonly write: (data: string) => void;
  private readonly resizeObserver: ResizeObserver | null;

  private style: ViewStyle;
  private drawnBy: DrawnBy = "dom";
  private webgl: WebglAddon | null = null;
  private ligatures: LigaturesAddon | null = null;

  private attachment: number | null = null;
  private disposed = false;
  private shown = false;

  private pendingWrites = 0;
  private parsed = 0;

  private anchors: { marker: IMarker; line: number }[] = [];
  private place: ScrollPlace;
  private restoring = false;

  /** What came while the person read older lines that it would have taken away; acknowledged already. */
  private held: {
    snapshot: SnapshotFrame;
    output: Uint8Array[];
    bytes: number;
    timer: ReturnType<typeof setTimeout>;
  } | null = null;

  private resizeTimer: ReturnType<typeof setTimeout> | null = null;
  private toldSize = "";
  private copyTimer: ReturnType<typeof setTimeout> | null = null;

  private matchMarks: { decoration: IDecoration; marker: IMarker }[] = [];
  private currentMarks: { decoration: IDecoration; marker: IMarker }[] = [];
  private exitMarks = new Map<number, IDecoration>();
  private marked: { matches: MarkedMatch[]; current: MarkedMatch | null } = {
    matches: [],
    current: null,
  };

  constructor(
    readonly pane: PaneId,
    holder: HTMLElement,
    style: ViewStyle,
    private readonly events: ViewEvents = {},
    start: ViewStart = {},
  ) {
    this.style = style;
    this.place = start.place ?? { at: "end" };
    const { root, room } = addTerminalRoot(holder);
    this.root = root;
    this.room = room;
    this.terminal = new Terminal({
      ...start.size,
      allowProposedApi: true,
      scrollback: style.settings.scrollback_lines,
      fontFamily: style.settings.font_family,
      fontSize: style.fontSize,
      lineHeight: 1.15,
      cursorStyle: style.settings.cursor_style,
      cursorBlink: style.settings.cursor_blink,
      cursorInactiveStyle: "outline",
      theme: { ...style.theme },
      minimumContrastRatio: 1,
      macOptionIsMeta: true,
      scrollOnUserInput: true,
      // As the backend does: what `clear` takes off the screen was printed, and keeps its place among the lines.
      scrollOnEraseInDisplay: true,
      // Programs may not move, resize or read the window.
      windowOptions: {},
      overviewRuler: { width: 10 },
      linkHandler: {
        activate: (event, target) => this.openLink(event, target),
        hover: (_event, target) => this.events.onLink?.(target),
        leave: () => this.events.onLink?.(null),
        allowNonHttpProtocols: false,
      },
    });
    this.awaitText();
    // No key waits for the one before: Rust takes them in the order in which they were sent.
    this.write = (data) =>
      void backend.writePane(pane, data).then((written) => {
        if (!this.disposed) reportFailure(written);
      });

    this.terminal.loadAddon(this.fitAddon);
    this.terminal.loadAddon(new UnicodeGraphemesAddon());
    guardErase(this.terminal);
    this.terminal.loadAddon(
      new WebLinksAddon((event, target) => this.openLink(event, target), {
        hover: (_event, target) => this.events.onLink?.(target),
        leave: () => this.events.onLink?.(null),
      }),
    );
    this.owned.push(
      muteView(this.terminal.parser),
      this.terminal.onData((data) => {
        this.release();
        this.write(data);
      }),
      // Old mouse reports are bytes; those beyond ASCII have no place in a text and are left out.
      this.terminal.onBinary((data) => {
        if ([...data].every((char) => char <= "\x7f")) this.write(data);
      }),
      this.terminal.onResize(() => this.tellSize()),
      this.terminal.onScroll(() => {
        const buffer = this.terminal.buffer.active;
        if (buffer.viewportY >= buffer.baseY) this.release();
      }),
      this.terminal.onSelectionChange(() => {
        if (this.copyTimer !== null) clearTimeout(this.copyTimer);
        if (!this.style.settings.copy_on_select) return;
        // While the pointer moves, the selection changes with each cell.
        this.copyTimer = setTimeout(() => {
          const text = this.terminal.getSelection();
          if (text !== "") void backend.writeClipboard(text);
        }, COPY_AFTER_MS);
      }),
    );
    this.terminal.open(room);
    this.owned.push(this.noticeLostFocus());
    this.draw();
    void this.applyLigatures();
    this.resizeObserver =
      typeof ResizeObserver === "function"
        ? new ResizeObserver(() => this.fitSoon())
        : null;
    this.resizeObserver?.observe(room);
    this.fit();
    void this.attach();
  }

  /** Ends the view; the pane goes on. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    if (this.resizeTimer !== null) clearTimeout(this.resizeTimer);
    if (this.copyTimer !== null) clearTimeout(this.copyTimer);
    if (this.held) clearTimeout(this.held.timer);
    this.resizeObserver?.disconnect();
    if (this.attachment !== null) void backend.detachPane(this.attachment);
    for (const owned of this.owned) owned.dispose();
    this.webgl?.dispose();
    this.terminal.dispose();
    this.root.remove();
  }

  focus(): void {
    this.terminal.focus();
  }

  /**
   * An element that is moved in the page, as the dock does to make room for a split, loses the focus without being told.
   * Without this its cursor would go on looking as if keys went there, and its program would not learn that they don't.
   */
  private noticeLostFocus(): IDisposable {
    const { element, textarea } = this.terminal;
    const moved = () => {
      if (!element?.classList.contains("focus")) return;
      if (this.root.shadowRoot?.activeElement === textarea) return;
      textarea?.dispatchEvent(new FocusEvent("blur"));
    };
    document.addEventListener("focusin", moved);
    return {
      dispose: () => document.removeEventListener("focusin", moved),
    };
  }

  /** Whether the first snapshot was drawn. */
  get isShown(): boolean {
    return this.shown;
  }

  get selection(): string {
    return this.terminal.getSelection();
  }

  get bracketedPaste(): boolean {
    return this.terminal.modes.bracketedPasteMode;
  }

  clearSelection(): void {
    this.terminal.clearSelection();
  }

  selectAll(): void {
    this.terminal.selectAll();
  }

  /** Sends text as a paste: as typed, between brackets if the program asked for them. */
  paste(text: string): void {
    this.write(pasteBytes(text, this.bracketedPaste));
    this.terminal.scrollToBottom();
  }

  /** Presses Enter, after what was pasted before it. */
  enter(): void {
    this.write("\r");
  }

  scrollToEnd(): void {
    this.terminal.scrollToBottom();
  }

  /** Follows changed settings, font and theme. */
  restyle(style: ViewStyle): void {
    const before = this.style;
    this.style = style;
    const { options } = this.terminal;
    const { settings } = style;
    if (before.theme !== style.theme) options.theme = { ...style.theme };
    if (before.settings.font_family !== settings.font_family)
      options.fontFamily = settings.font_family;
    if (before.fontSize !== style.fontSize) options.fontSize = style.fontSize;
    if (before.settings.cursor_style !== settings.cursor_style)
      options.cursorStyle = settings.cursor_style;
    options.cursorBlink = settings.cursor_blink;
    options.scrollback = settings.scrollback_lines;
    if (before.settings.renderer !== settings.renderer) this.draw();
    if (before.settings.ligatures !== settings.ligatures)
      void this.applyLigatures();
    this.fit();
  }

  // ---- Where things are

  /** Where the view is scrolled to, to go there again later. */
  scrollPlace(): ScrollPlace {
    if (this.restoring) return this.place;
    const buffer = this.terminal.buffer.active;
    if (buffer.type !== "normal" || buffer.viewportY >= buffer.baseY)
      return { at: "end" };
    const anchor = this.anchorNear(buffer.viewportY);
    if (!anchor) return { at: "end" };
    const rows = this.rows();
    const row = firstRow(rows, buffer.viewportY);
    return {
      at: "line",
      line: lineOfRow(rows, anchor, row),
      content: lineText(rows, row),
    };
  }

  /**
   * Where a line is; `null` when xterm does not hold it. With its content, the nearest line that reads so, `within` so
   * many lines of where counting leads.
   */
  private find(
    line: number,
    content: string | null,
    within = Number.POSITIVE_INFINITY,
  ): number | null {
    if (this.terminal.buffer.active.type !== "normal") return null;
    const rows = this.rows();
    const anchor = this.anchorFor(line);
    if (!anchor) return null;
    const row = rowOfLine(rows, anchor, line);
    if (content === null) return row;
    if (row !== null && sameLine(lineText(rows, row), content)) return row;
    // An older line has left the scrollback here, and another that reads like it is not the one that was meant.
    if (row === null && line < this.oldestLine()) return null;
    return nearestRow(rows, row ?? rows.length - 1, content, within);
  }

  private oldestLine(): number {
    const anchor = this.anchorNear(0);
    return anchor ? lineOfRow(this.rows(), anchor, 0) : 0;
  }

  /**
   * Scrolls to a line, and in one that is wrapped to the row of a column, in the middle of the view. `false` when xterm does not hold it: it is older than the scrollback
   * here, or its screen is covered by a full-screen program.
   */
  reveal(line: number, content: string | null, column = 0): boolean {
    const first = this.find(line, content);
    if (first === null) return false;
    const row = Math.min(
      first + Math.floor(column / this.terminal.cols),
      endRow(this.rows(), first) - 1,
    );
    const middle = Math.floor(this.terminal.rows / 2);
    this.terminal.scrollToLine(Math.max(0, row - middle));
    return true;
  }

  /** Scrolls so that a line is the first one on screen. */
  revealAtTop(line: number): boolean {
    const row = this.find(line, null);
    if (row === null) return false;
    this.terminal.scrollToLine(row);
    return true;
  }

  /** The line at the top of the view. */
  topLine(): number | null {
    const buffer = this.terminal.buffer.active;
    const anchor = this.anchorNear(buffer.viewportY);
    return anchor ? lineOfRow(this.rows(), anchor, buffer.viewportY) : null;
  }

  private rows(): Rows {
    const buffer = this.terminal.buffer.normal;
    return {
      length: buffer.length,
      wrapped: (row) => buffer.getLine(row)?.isWrapped ?? false,
      text: (row, trim) => buffer.getLine(row)?.translateToString(trim) ?? "",
    };
  }

  private anchorNear(row: number): Anchor | null {
    let best: Anchor | null = null;
    for (const { marker, line } of this.anchors) {
      if (marker.isDisposed || marker.line < 0) continue;
      if (!best || Math.abs(marker.line - row) < Math.abs(best.row - row))
        best = { row: marker.line, line };
    }
    return best;
  }

  private anchorFor(line: number): Anchor | null {
    let best: Anchor | null = null;
    for (const anchor of this.anchors) {
      if (anchor.marker.isDisposed || anchor.marker.line < 0) continue;
      if (!best || Math.abs(anchor.line - line) < Math.abs(best.line - line))
        best = { row: anchor.marker.line, line: anchor.line };
    }
    return best;
  }

  /** At the start of a snapshot, the first row of all is a line that is known. */
  private anchorFirst(line: number): void {
    for (const { marker } of this.anchors) marker.dispose();
    this.anchors = [];
    const marker = this.terminal.registerMarker(0);
    if (marker) this.anchors.push({ marker, line });
  }

  /**
   * Output moves on and old rows go: new anchors are dropped before the last one has gone, and keep the way from a known
   * line short. Called between pieces of output, none of which can scroll a whole scrollback away.
   */
  private dropAnchorMaybe(): void {
    const buffer = this.terminal.buffer.active;
    const last = this.anchors[this.anchors.length - 1];
    if (buffer.type !== "normal" || !last || last.marker.isDisposed) return;
    const row = buffer.baseY + buffer.cursorY;
    if (row - last.marker.line < this.anchorEvery) return;
    const rows = this.rows();
    const known = { row: last.marker.line, line: last.line };
    const first = firstRow(rows, row);
    const marker = this.terminal.registerMarker(first - row);
    if (!marker) return;
    this.anchors = this.anchors.filter((anchor) => !anchor.marker.isDisposed);
    this.anchors.push({ marker, line: lineOfRow(rows, known, first) });
  }

  private get anchorEvery(): number {
    return Math.min(ANCHOR_EVERY, this.style.settings.scrollback_lines / 4);
  }

  /** How many bytes can be parsed without losing the last anchor, even if each of them begins a line. */
  private get piece(): number {
    const half = this.style.settings.scrollback_lines / 2;
    return Math.floor(Math.min(Math.max(half, 48), 8192));
  }

  // ---- Marks

  /** Marks matches on their rows and on the scrollbar; `current` stands out. */
  markMatches(matches: MarkedMatch[], current: MarkedMatch | null): void {
    this.marked = { matches, current };
    this.paintMatches();
  }

  private paintMatches(): void {
    clear(this.matchMarks);
    clear(this.currentMarks);
    const { matches, current } = this.marked;
    for (const match of matches) {
      // A line may have hundreds of them.
      if (this.matchMarks.length >= MARKED_AT_MOST) break;
      this.paint(match, this.matchMarks, "match");
    }
    if (current) this.paint(current, this.currentMarks, "current");
  }

  private paint(
    match: MarkedMatch,
    into: { decoration: IDecoration; marker: IMarker }[],
    kind: "match" | "current",
  ): void {
    const row = this.find(match.line, match.content, MARK_WITHIN);
    if (row === null) return;
    const rows = this.rows();
    const end = endRow(rows, row);
    const widths: number[] = [];
    const buffer = this.terminal.buffer.normal;
    for (let at = row; at < end; at++) {
      const line = buffer.getLine(at);
      // A wide character that did not fit leaves its last cell empty.
      const last = line?.getCell(this.terminal.cols - 1);
      const gap =
        at < end - 1 && last?.getChars() === "" && last.getWidth() === 1;
      widths.push(this.terminal.cols - (gap ? 1 : 0));
    }
    const cursor = buffer.baseY + buffer.cursorY;
    for (const range of match.ranges) {
      for (const cells of cellsOf(
        row,
        widths,
        range.start_col,
        range.end_col,
      )) {
        const marker = this.terminal.registerMarker(cells.row - cursor);
        if (!marker) continue;
        const decoration = this.terminal.registerDecoration({
          marker,
          x: cells.column,
          width: cells.width,
          layer: "top",
          overviewRulerOptions: {
            color: kind === "current" ? "#f59f3a" : "#e0b34199",
            position: kind === "current" ? "full" : "center",
          },
        });
        if (!decoration) {
          marker.dispose();
          continue;
        }
        decoration.onRender((element) => {
          element.classList.add(`match-${kind}`);
        });
        into.push({ decoration, marker });
      }
    }
  }

  /** Shows in the gutter how the commands of the shell ended. */
  markCommands(marks: CommandMark[]): void {
    if (this.terminal.buffer.active.type !== "normal") return;
    const buffer = this.terminal.buffer.normal;
    for (const [line, decoration] of this.exitMarks)
      if (decoration.isDisposed) this.exitMarks.delete(line);
    for (const mark of marks) {
      if (mark.exit === null || this.exitMarks.has(mark.prompt)) continue;
      const row = this.find(mark.prompt, null);
      if (row === null) continue;
      const marker = this.terminal.registerMarker(
        row - (buffer.baseY + buffer.cursorY),
      );
      if (!marker) continue;
      const decoration = this.terminal.registerDecoration({
        marker,
        x: 0,
        width: 1,
        ...(mark.exit !== 0 && {
          overviewRulerOptions: { color: "#e5575c", position: "left" },
        }),
      });
      if (!decoration) continue;
      const { exit } = mark;
      decoration.onRender((element) => {
        element.classList.add("command-mark");
        element.dataset.exit = exit === 0 ? "ok" : "failed";
        element.title = `exit status ${exit}`;
      });
      this.exitMarks.set(mark.prompt, decoration);
    }
  }

  // ---- Bytes

  private async attach(): Promise<void> {
    const attached = await backend.attachPane(
      this.pane,
      this.style.settings.scrollback_lines,
      (buffer) => {
        const frame = decodeFrame(buffer);
        if (frame && !this.disposed) this.take(frame);
      },
    );
    if (attached.status === "error") {
      if (!this.disposed) this.events.onFailed?.(attached.error.message);
      return;
    }
    this.attachment = attached.data;
    if (this.disposed) void backend.detachPane(attached.data);
    else this.acknowledge();
  }

  private take(frame: Frame): void {
    switch (frame.kind) {
      case "output":
        if (this.held) this.hold(frame.bytes);
        else this.feed(frame.bytes, true);
        return;
      case "snapshot":
        if (this.wouldTakeAway(frame)) this.holdSnapshot(frame);
        else this.takeSnapshot(frame, true);
        return;
      case "ended":
        return;
    }
  }

  /**
   * While a program floods, snapshots show its screen and little above it. Somebody who reads older lines keeps them: such
   * a snapshot waits until a whole one comes, or until they are back at the end.
   */
  private wouldTakeAway(frame: SnapshotFrame): boolean {
    if (!this.shown) return false;
    const place = this.scrollPlace();
    return place.at === "line" && frame.firstLine > place.line;
  }

  private holdSnapshot(snapshot: SnapshotFrame): void {
    if (this.held) clearTimeout(this.held.timer);
    const timer = setTimeout(() => this.release(), HOLD_MS);
    this.held = { snapshot, output: [], bytes: 0, timer };
    this.parsed += snapshot.bytes.length;
    this.acknowledge();
  }

  private hold(bytes: Uint8Array): void {
    if (!this.held) return;
    this.held.output.push(bytes);
    this.held.bytes += bytes.length;
    this.parsed += bytes.length;
    this.acknowledge();
    if (this.held.bytes > HELD_AT_MOST) this.release();
  }

  /** Shows what was held. */
  private release(): void {
    const { held } = this;
    if (!held || this.disposed) return;
    clearTimeout(held.timer);
    this.held = null;
    this.takeSnapshot(held.snapshot, false);
    for (const bytes of held.output) this.feed(bytes, false);
  }

  private takeSnapshot(frame: SnapshotFrame, counts: boolean): void {
    // A snapshot that comes in the middle (after a flood) must not move what the person reads.
    if (this.shown) this.place = this.scrollPlace();
    if (this.held) {
      clearTimeout(this.held.timer);
      this.held = null;
    }
    this.restoring = true;
    if (frame.cols !== this.terminal.cols || frame.rows !== this.terminal.rows)
      this.terminal.resize(frame.cols, frame.rows);
    this.exitMarks.clear();
    // Reset and content are drawn at once: no empty screen in between.
    this.terminal.write(BEGIN, () => this.anchorFirst(frame.firstLine));
    const bytes = withoutReset(frame.bytes);
    if (counts) this.parsed += frame.bytes.length - bytes.length;
    this.feed(bytes, counts);
    this.terminal.write(END, () => {
      if (this.disposed) return;
      this.restoring = false;
      if (this.place.at === "line") {
        const row = this.find(this.place.line, this.place.content);
        // A line that is gone for good: the oldest that is left is nearest to it.
        this.terminal.scrollToLine(row ?? 0);
      }
      this.fit();
      this.paintMatches();
      if (!this.shown) {
        this.shown = true;
        this.events.onShown?.();
      }
    });
  }

  /** Writes to xterm in pieces; if they count, acknowledges them as they are parsed. */
  private feed(bytes: Uint8Array, counts: boolean): void {
    for (let at = 0; at < bytes.length; at += this.piece) {
      const piece = bytes.subarray(at, at + this.piece);
      this.pendingWrites++;
      this.terminal.write(piece, () => {
        this.pendingWrites--;
        if (counts) this.parsed += piece.length;
        if (this.disposed) return;
        this.dropAnchorMaybe();
        if (this.parsed >= ACK_EVERY || this.pendingWrites === 0)
          this.acknowledge();
      });
    }
  }

  private acknowledge(): void {
    // Frames may come before the attachment's number does.
    if (this.attachment === null || this.parsed === 0) return;
    void backend.ackPane(this.attachment, this.parsed);
    this.parsed = 0;
  }

  // ---- Size

  private fitSoon(): void {
    if (this.resizeTimer !== null) clearTimeout(this.resizeTimer);
    this.resizeTimer = setTimeout(() => {
      this.resizeTimer = null;
      this.fit();
    }, RESIZE_QUIET_MS);
  }

  fit(): void {
    if (this.disposed || this.restoring) return;
    if (this.room.clientWidth < 20 || this.room.clientHeight < 20) return;
    const size = this.fitAddon.proposeDimensions();
    if (!size || !Number.isFinite(size.cols) || !Number.isFinite(size.rows))
      return;
    const cols = Math.min(Math.max(size.cols, 2), 1000);
    const rows = Math.min(Math.max(size.rows, 1), 500);
    if (cols !== this.terminal.cols || rows !== this.terminal.rows)
      this.terminal.resize(cols, rows);
    this.tellSize();
  }

  private tellSize(): void {
    if (this.restoring) return;
    const { cols, rows } = this.terminal;
    const size = `${cols}x${rows}`;
    if (size === this.toldSize) return;
    this.toldSize = size;
    void backend.resizePane(this.pane, { cols, rows });
  }

  // ---- Drawing

  private draw(): void {
    const { settings, softwareRendering } = this.style;
    const wanted = chooseRenderer(settings.renderer, softwareRendering);
    if (wanted === this.drawnBy) return;
    this.drawnBy = wanted;
    this.webgl?.dispose();
    this.webgl = null;
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

  /** Says once that there is text on screen. */
  private awaitText(): void {
    const rendered = this.terminal.onRender(() => {
      const { active } = this.terminal.buffer;
      for (let row = 0; row < this.terminal.rows; row++) {
        const line = active.getLine(active.viewportY + row);
        if (!line?.translateToString(true)) continue;
        rendered.dispose();
        this.events.onText?.();
        return;
      }
    });
    this.owned.push(rendered);
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

  private async applyLigatures(): Promise<void> {
    this.ligatures?.dispose();
    this.ligatures = null;
    if (!this.style.settings.ligatures) return;
    try {
      // Large, and rarely wanted: loaded when it is.
      const { LigaturesAddon } = await import("@xterm/addon-ligatures");
      if (this.disposed || !this.style.settings.ligatures) return;
      this.ligatures = new LigaturesAddon();
      this.terminal.loadAddon(this.ligatures);
    } catch {
      // The font can't be read here; text is drawn without ligatures.
      this.ligatures = null;
    }
  }

  private openLink(event: MouseEvent, target: string): void {
    if (!(event.ctrlKey || event.metaKey)) return;
    if (!/^https?:\/\//i.test(target)) return;
    void backend.openLink(target);
  }
}

function clear(marks: { decoration: IDecoration; marker: IMarker }[]): void {
  for (const { decoration, marker } of marks) {
    decoration.dispose();
    marker.dispose();
  }
  marks.length = 0;
}

/** A snapshot without the reset that it may begin with: ours was before it, and a second would forget our anchor. */
function withoutReset(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0x1b && bytes[1] === 0x63 ? bytes.subarray(2) : bytes;
}
