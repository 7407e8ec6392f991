import { FitAddon } from "@xterm/addon-fit";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { type IDisposable, Terminal } from "@xterm/xterm";
import { backend } from "../backend/backend";
import { decodeFrame, type Frame } from "../backend/frames";
import type {
  CommandMark,
  EarlierEnd,
  FilePlace,
  PaneId,
  PaneSize,
} from "../bindings";
import { reducedMotion } from "../shared/motion";
import { reportFailure } from "../shared/notices";
import type { AppliedSettings } from "../shared/settings-store";
import type { TerminalTheme } from "../shared/terminal-themes";
import { deselectBlock } from "./block-store";
import { alsoTo } from "./broadcast";
import {
  begin,
  drawAsTold,
  drawnOptions,
  END,
  onFirstLine,
  toldKeys,
} from "./drawn-terminal";
import { fileLinks } from "./file-links";
import { withoutTiles } from "./image-tiles";
import { keyBytes } from "./key-bytes";
import { pasteBytes } from "./paste-guard";
import { ScreenReader } from "./screen-reader";
import { type BlockView, TerminalBlocks } from "./terminal-blocks";
import { TerminalImages } from "./terminal-images";
import { type ScrollPlace, TerminalLines } from "./terminal-lines";
import { type MarkedMatch, TerminalMarks } from "./terminal-marks";
import {
  CopyMode,
  type ModeEnd,
  QuickSelect,
  type TerminalMode,
} from "./terminal-mode";
import { TerminalPainter } from "./terminal-painter";
import { addTerminalRoot } from "./terminal-root";
import { whenDrawn } from "./when-drawn";

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
  /** A file that a link names is to be opened. */
  onOpenFile?: (place: FilePlace) => void;
  /** The view could not be attached; the message is for a person. */
  onFailed?: (message: string) => void;
  /** The first snapshot is on screen. */
  onShown?: () => void;
  /** The first text is on screen: a prompt, as a rule. */
  onText?: () => void;
  /** Where commands are on screen has changed. */
  onBlocks?: (view: BlockView) => void;
  /** A person presses the mark of a command. */
  onMark?: (mark: CommandMark) => void;
}

/** How a view begins. */
export interface ViewStart {
  /** As large as its pane is, so that the snapshot fits in without another layout. */
  size?: PaneSize;
  /** Where it was scrolled to when it was parked. */
  place?: ScrollPlace;
}

/** Acknowledges parsed bytes in pieces of at least this size; less would be chatter. */
const ACK_EVERY = 16 * 1024;
const RESIZE_QUIET_MS = 60;
const COPY_AFTER_MS = 150;
/** A snapshot that can't show what the person reads is held this long, in case a whole one follows. */
const HOLD_MS = 1500;
/** A line of a closed pane is as far from its end as it was, but for so many lines. */
const NEARBY = 64;
/** So much output is kept behind a held snapshot. */
const HELD_AT_MOST = 4 * 1024 * 1024;

/** Text stands out by this much from what is behind it, whatever a program chose: less can't be read, more would change what themes chose. */
const CONTRAST = 3;

/** So much of a snapshot is parsed at once while nothing is shown yet: the page is not held up for longer. */
const PIECE = 16 * 1024;
/** And so much in the place of a picture: between two pieces xterm draws half of it, also within an update. */
const WHOLE = 1024 * 1024;

/** Keys that do nothing by themselves. */
const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta"]);

/** Takes keys and does nothing with them. */
const NO_KEYS: TerminalMode = { key() {}, dispose() {} };

type SnapshotFrame = Extract<Frame, { kind: "snapshot" }>;
type ChangesFrame = Extract<Frame, { kind: "changes" }>;

/**
 * Owns one xterm: the instance, its addons and its bytes. It shows one pane in one element, from `new` to `dispose`.
 *
 * It is drawn by the backend: what the program wrote is not seen here, and asks nothing. Nor does a size come from
 * here: the pane is told what there is room for, and a snapshot of that size follows. Bytes are acknowledged as xterm
 * has parsed them.
 */
export class XtermHost {
  private readonly root: HTMLElement;
  private readonly room: HTMLElement;
  private readonly terminal: Terminal;
  private readonly fitAddon = new FitAddon();
  private readonly owned: IDisposable[] = [];
  private readonly write: (data: string) => void;
  private readonly resizeObserver: ResizeObserver | null;

  private readonly lines: TerminalLines;
  private readonly marks: TerminalMarks;
  private readonly blocks: TerminalBlocks;
  private readonly painter: TerminalPainter;

  private reader: ScreenReader | null = null;

  private style: ViewStyle;

  private attachment: number | null = null;
  private disposed = false;
  private shown = false;

  private pendingWrites = 0;
  private parsed = 0;

  private place: ScrollPlace;
  private restoring = false;

  /** What came while the person read older lines that it would have taken away; acknowledged already. */
  private held: {
    snapshot: SnapshotFrame;
    changes: ChangesFrame[];
    bytes: number;
    timer: ReturnType<typeof setTimeout>;
  } | null = null;

  /** While the keys are not the program's, what they do. */
  private mode: TerminalMode | null = null;
  /** What came meanwhile: not acknowledged, so that a program that floods is not sent for, and a picture follows. */
  private waiting: Frame[] = [];

  private resizeTimer: ReturnType<typeof setTimeout> | null = null;
  private toldSize = "";
  private toldCell = "";
  private copyTimer: ReturnType<typeof setTimeout> | null = null;

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
      ...drawnOptions,
      ...start.size,
      allowProposedApi: true,
      scrollback: style.settings.scrollback_lines,
      fontFamily: style.settings.font_family,
      fontSize: style.fontSize,
      lineHeight: style.settings.line_height ?? 1,
      cursorStyle: style.settings.cursor_style,
      cursorBlink: style.settings.cursor_blink && !reducedMotion(),
      cursorInactiveStyle: "outline",
      theme: { ...style.theme },
      minimumContrastRatio: CONTRAST,
      macOptionIsMeta: true,
      scrollOnUserInput: true,
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
    drawAsTold(this.terminal);
    this.lines = new TerminalLines(this.terminal);
    this.owned.push(
      onFirstLine(this.terminal, (line) => this.lines.anchorAtCursor(line)),
    );
    this.marks = new TerminalMarks(this.terminal, this.lines, pane, (mark) =>
      this.events.onMark?.(mark),
    );
    this.blocks = new TerminalBlocks(this.terminal, this.lines, (view) =>
      this.events.onBlocks?.(view),
    );
    this.painter = new TerminalPainter(this.terminal);
    this.awaitText();
    // No key waits for the one before: Rust takes them in the order in which they were sent.
    this.write = (data) => {
      for (const one of [pane, ...alsoTo(pane, data)])
        void backend.writePane(one, data).then((written) => {
          if (!this.disposed) reportFailure(written);
        });
    };

    this.terminal.loadAddon(this.fitAddon);
    this.terminal.loadAddon(
      new WebLinksAddon((event, target) => this.openLink(event, target), {
        hover: (_event, target) => this.events.onLink?.(target),
        leave: () => this.events.onLink?.(null),
      }),
    );
    this.owned.push(
      fileLinks(this.terminal, pane, {
        onLink: (target) => this.events.onLink?.(target),
        onOpen: (place) => this.events.onOpenFile?.(place),
      }),
      this.painter,
      new TerminalImages(this.terminal, pane),
      this.blocks,
      this.terminal.onData((data) => {
        this.release();
        this.write(data);
      }),
      // Old mouse reports are bytes; those beyond ASCII have no place in a text and are left out.
      this.terminal.onBinary((data) => {
        if ([...data].every((char) => char <= "\x7f")) this.write(data);
      }),
      this.terminal.onScroll(() => {
        const buffer = this.terminal.buffer.active;
        if (buffer.viewportY >= buffer.baseY) this.release();
      }),
      this.terminal.onSelectionChange(() => {
        if (this.copyTimer !== null) clearTimeout(this.copyTimer);
        if (!this.style.settings.copy_on_select) return;
        // While the pointer moves, the selection changes with each cell.
        this.copyTimer = setTimeout(() => {
          const text = this.selection;
          if (text !== "") void backend.writeClipboard(text);
        }, COPY_AFTER_MS);
      }),
    );
    this.takeKeys();
    this.terminal.open(room);
    this.owned.push(this.noticeLostFocus());
    this.painter.draw(style.settings, style.softwareRendering);
    void this.painter.drawLigatures(style.settings.ligatures);
    this.readAloud(style.settings.screen_reader);
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
    this.mode?.dispose();
    this.reader?.dispose();
    this.resizeObserver?.disconnect();
    if (this.attachment !== null) void backend.detachPane(this.attachment);
    for (const owned of this.owned) owned.dispose();
    this.terminal.dispose();
    this.root.remove();
  }

  focus(): void {
    this.terminal.focus();
  }

  /** Sends the keys that xterm.js does not know, or not as the program wants them. */
  private takeKeys(): void {
    const told = toldKeys(this.terminal);
    this.terminal.attachCustomKeyEventHandler((event) => {
      if (this.mode) {
        event.preventDefault();
        if (event.type === "keydown") this.mode.key(event);
        return false;
      }
      // While an input method composes, keys are its own.
      if (event.isComposing || event.keyCode === 229) return true;
      if (event.type === "keydown" && !MODIFIERS.has(event.key)) {
        // Whoever types is at the prompt again.
        const selected = deselectBlock(this.pane);
        if (selected && event.key === "Escape") {
          event.preventDefault();
          return false;
        }
      }
      const fullScreen = this.terminal.buffer.active.type === "alternate";
      const bytes = keyBytes(event, { ...told, fullScreen });
      if (bytes === null) return true;
      event.preventDefault();
      if (bytes !== "") this.terminal.input(bytes);
      return false;
    });
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

  // ---- Modes

  /** Gives the keys to copy mode until it ends; what the program prints waits until then. */
  copyMode(onEnd: (end: ModeEnd) => void): void {
    this.beginMode(onEnd, CopyMode);
  }

  /** Offers what is on screen to be picked by letters; what the program prints waits until then. */
  quickSelect(onEnd: (end: ModeEnd) => void): void {
    this.beginMode(onEnd, QuickSelect);
  }

  private beginMode(
    onEnd: (end: ModeEnd) => void,
    Mode: typeof CopyMode | typeof QuickSelect,
  ): void {
    if (this.disposed || !this.shown) return;
    this.mode?.dispose();
    this.release();
    this.terminal.clearSelection();
    // From now on nothing is drawn; what came before is parsed by the time the mode looks at it.
    this.mode = NO_KEYS;
    this.terminal.write("", () => {
      if (this.disposed) return;
      this.mode = new Mode(this.terminal, this.room, (end) => {
        this.leaveMode();
        onEnd(end);
      });
    });
    this.focus();
  }

  private leaveMode(): void {
    this.mode?.dispose();
    this.mode = null;
    const { waiting } = this;
    this.waiting = [];
    for (const frame of waiting) this.take(frame);
  }

  /** Whether the first snapshot was drawn. */
  get isShown(): boolean {
    return this.shown;
  }

  get selection(): string {
    return withoutTiles(this.terminal.getSelection());
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

  /** Types a line as if by a person, after the keys that make room for it, and runs it. */
  runLine(before: string, line: string): void {
    this.write(`${before}${pasteBytes(line, this.bracketedPaste)}\r`);
    this.terminal.scrollToBottom();
  }

  scrollToEnd(): void {
    this.terminal.scrollToBottom();
  }

  /** Whether the newest rows are on screen. */
  get atEnd(): boolean {
    const { viewportY, baseY } = this.terminal.buffer.active;
    return viewportY >= baseY;
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
    if (before.settings.line_height !== settings.line_height)
      options.lineHeight = settings.line_height ?? 1;
    if (before.settings.cursor_style !== settings.cursor_style)
      options.cursorStyle = settings.cursor_style;
    options.cursorBlink = settings.cursor_blink && !reducedMotion();
    this.readAloud(settings.screen_reader);
    options.scrollback = settings.scrollback_lines;
    if (before.settings.renderer !== settings.renderer)
      this.painter.draw(settings, style.softwareRendering);
    if (before.settings.ligatures !== settings.ligatures)
      void this.painter.drawLigatures(settings.ligatures);
    this.fit();
  }

  private readAloud(wanted: boolean): void {
    if (wanted) this.reader ??= new ScreenReader(this.terminal, this.room);
    else {
      this.reader?.dispose();
      this.reader = null;
    }
  }

  // ---- Where things are

  /** Where the view is scrolled to, to go there again later. */
  scrollPlace(): ScrollPlace {
    return this.restoring ? this.place : this.lines.place();
  }

  /**
   * Scrolls to a line, and in one that is wrapped to the row of a column, in the middle of the view. `false` when xterm does not hold it: it is older than the scrollback
   * here, or its screen is covered by a full-screen program.
   */
  reveal(line: number, content: string | null, column = 0): boolean {
    return this.revealRow(this.lines.find(line, content), column);
  }

  /** As `reveal`, for a line of this pane or of a closed one whose lines stand above its own. */
  revealMatch(match: MarkedMatch): boolean {
    const { pane, line, content, ranges } = match;
    const column = ranges[0]?.start_col ?? 0;
    if (pane === this.pane) return this.reveal(line, content, column);
    const here = this.lines.ofEarlier(pane, line);
    const row = here === null ? null : this.lines.find(here, content, NEARBY);
    return this.revealRow(row, column);
  }

  /** Whether lines of a pane are on show here: the pane's own, or those of a closed one above. */
  shows(pane: PaneId): boolean {
    return pane === this.pane || this.lines.hasEarlier(pane);
  }

  private revealRow(first: number | null, column: number): boolean {
    if (first === null) return false;
    const row = this.lines.rowOfColumn(first, column);
    const middle = Math.floor(this.terminal.rows / 2);
    this.terminal.scrollToLine(Math.max(0, row - middle));
    return true;
  }

  /** Scrolls so that a line is the first one on screen. */
  revealAtTop(line: number): boolean {
    const row = this.lines.find(line, null);
    if (row === null) return false;
    this.terminal.scrollToLine(row);
    return true;
  }

  /** Scrolls to a command, unless its prompt is on screen. */
  revealBlock(prompt: number): void {
    const row = this.lines.find(prompt, null);
    const { viewportY } = this.terminal.buffer.active;
    if (row === null) return;
    if (row < viewportY || row >= viewportY + this.terminal.rows - 1)
      this.terminal.scrollToLine(row);
  }

  /** Frames the command whose prompt is in this line. */
  selectBlock(prompt: number | null): void {
    this.blocks.select(prompt);
  }

  /** The command at a height of the window. */
  blockAt(clientY: number): CommandMark | null {
    const screen = this.room.querySelector(".xterm-screen");
    if (!screen || this.terminal.buffer.active.type !== "normal") return null;
    const { top, height } = screen.getBoundingClientRect();
    const { rows, buffer } = this.terminal;
    const row = Math.floor(((clientY - top) / height) * rows);
    if (!(row >= 0 && row < rows)) return null;
    return this.blocks.ofRow(buffer.active.viewportY + row);
  }

  /** The line at the top of the view. */
  topLine(): number | null {
    return this.lines.top();
  }

  /** Marks matches on their rows and on the scrollbar; `current` stands out. */
  markMatches(matches: MarkedMatch[], current: MarkedMatch | null): void {
    this.marks.markMatches(matches, current);
  }

  /** The lines of these closed panes stand above the pane's own. */
  followEarlier(ends: EarlierEnd[]): void {
    this.lines.earlier = ends;
    if (this.shown) this.marks.repaint();
  }

  /** Shows in the gutter how the commands of the shell ended, and follows where they are. */
  markCommands(marks: CommandMark[]): void {
    this.marks.markCommands(marks);
    this.blocks.follow(marks);
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
    if (this.mode) {
      this.waiting.push(frame);
      return;
    }
    switch (frame.kind) {
      case "changes":
        if (this.held) this.hold(frame);
        else this.takeChanges(frame, true);
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
    if (!this.shown || !frame.light) return false;
    const place = this.scrollPlace();
    return place.at === "line" && frame.firstLine > place.line;
  }

  private holdSnapshot(snapshot: SnapshotFrame): void {
    if (this.held) clearTimeout(this.held.timer);
    const timer = setTimeout(() => this.release(), HOLD_MS);
    this.held = { snapshot, changes: [], bytes: 0, timer };
    this.parsed += snapshot.bytes.length;
    this.acknowledge();
  }

  private hold(changes: ChangesFrame): void {
    if (!this.held) return;
    this.held.changes.push(changes);
    this.held.bytes += changes.bytes.length;
    this.parsed += changes.bytes.length;
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
    for (const changes of held.changes) this.takeChanges(changes, false);
  }

  private takeSnapshot(frame: SnapshotFrame, counts: boolean): void {
    // A snapshot that comes in the middle must not move what the person reads.
    if (this.shown) this.place = this.scrollPlace();
    if (this.held) {
      clearTimeout(this.held.timer);
      this.held = null;
    }
    this.restoring = true;
    if (frame.cols !== this.terminal.cols || frame.rows !== this.terminal.rows)
      this.terminal.resize(frame.cols, frame.rows);
    this.marks.forget();
    const { bytes } = frame;
    const head = begin(frame.firstLine);
    const whole = new Uint8Array(head.length + bytes.length + END.length);
    whole.set(head);
    whole.set(bytes, head.length);
    whole.set(END, head.length + bytes.length);
    const piece = this.shown ? WHOLE : PIECE;
    let at = 0;
    for (; at + piece < whole.length; at += piece)
      this.feed(whole.subarray(at, at + piece), 0);
    this.feed(whole.subarray(at), 0, () => {
      // What a flood costs is drawing it: the next one comes by when this one was drawn.
      if (counts) whenDrawn(() => this.showed(bytes.length));
      this.restoring = false;
      if (this.place.at === "line")
        this.terminal.scrollToLine(this.lines.rowOf(this.place));
      this.fit();
      this.marks.repaint();
      this.reader?.skip();
      if (!this.shown) {
        this.shown = true;
        this.events.onShown?.();
      }
    });
  }

  /** In one piece: what is shown in between would be half a picture. */
  private takeChanges(frame: ChangesFrame, counts: boolean): void {
    this.feed(frame.bytes, counts ? frame.bytes.length : 0, () =>
      this.lines.anchorAtTop(frame.topLine),
    );
  }

  /** Writes to xterm, and acknowledges so many bytes once it is parsed. */
  private feed(bytes: Uint8Array, counted: number, parsed?: () => void): void {
    this.pendingWrites++;
    this.terminal.write(bytes, () => {
      this.pendingWrites--;
      this.parsed += counted;
      if (this.disposed) return;
      parsed?.();
      if (this.parsed >= ACK_EVERY || this.pendingWrites === 0)
        this.acknowledge();
    });
  }

  /** So many bytes of a snapshot are on screen. */
  private showed(bytes: number): void {
    if (this.disposed) return;
    this.parsed += bytes;
    this.acknowledge();
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
    this.tellCell();
    const size = this.fitAddon.proposeDimensions();
    if (!size || !Number.isFinite(size.cols) || !Number.isFinite(size.rows))
      return;
    const cols = Math.min(Math.max(size.cols, 2), 1000);
    const rows = Math.min(Math.max(size.rows, 1), 500);
    const told = `${cols}x${rows}`;
    if (told === this.toldSize) return;
    this.toldSize = told;
    void backend.resizePane(this.pane, { cols, rows });
  }

  /** Programs that draw pictures ask how large a cell is, in pixels of the screen. */
  private tellCell(): void {
    const screen = this.terminal.element?.querySelector(".xterm-screen");
    if (!screen) return;
    const { width, height } = screen.getBoundingClientRect();
    const cell = {
      width: Math.round((width * devicePixelRatio) / this.terminal.cols),
      height: Math.round((height * devicePixelRatio) / this.terminal.rows),
    };
    const told = `${cell.width}x${cell.height}`;
    if (cell.width === 0 || cell.height === 0 || told === this.toldCell) return;
    this.toldCell = told;
    void backend.setCell(this.pane, cell);
  }

  // ---- Drawing

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

  private openLink(event: MouseEvent, target: string): void {
    if (!(event.ctrlKey || event.metaKey)) return;
    if (!/^https?:\/\//i.test(target)) return;
    void backend.openLink(target);
  }
}
