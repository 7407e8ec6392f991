import type {
  IDisposable,
  ITerminalOptions,
  IUnicodeVersionProvider,
  Terminal,
} from "@xterm/xterm";

/**
 * A terminal that is drawn by the backend: it is told rows, and lays out nothing for itself.
 *
 * Rows are never laid out anew when the size changes, for the backend sends them; xterm does without where it takes the
 * programs to run behind a layer that does it, as this is one.
 */
export const drawnOptions = {
  windowsPty: { backend: "winpty", buildNumber: 1 },
} as const satisfies ITerminalOptions;

/** The number of the sequence (OSC) that says which line the row of the cursor begins. */
const LINE = 7717;

/**
 * Empties a terminal that was drawn: the full-screen program's screen, modes, colours, scrollback, screen. A reset (`ESC c`)
 * would show that it is empty, whatever follows.
 */
export const EMPTY = [
  "\x1b[?1047l",
  "\x1b[?1;9;1000;1002;1003;1004;1005;1006;1015;1016;2004l\x1b[?25;1007h\x1b>\x1b[0 q\x1b[=0;1u\x1b[>4m",
  "\x1b]104\x07\x1b]110\x07\x1b]111\x07\x1b]112\x07",
  "\x1b[H\x1b[2J\x1b[3J",
].join("");

const encoder = new TextEncoder();

/** Comes before a snapshot that begins with this line: up to `END` nothing is to be drawn. */
export function begin(firstLine: number): Uint8Array {
  return encoder.encode(`\x1b[?2026h${EMPTY}\x1b]${LINE};${firstLine}\x07`);
}

/** Comes behind a snapshot. */
export const END = encoder.encode("\x1b[?2026l");

/** How many cells a character takes, by the parameter of the sequence that says so. */
const LAYOUTS = [
  { width: 1, together: false },
  { width: 2, together: false },
  { width: 1, together: true },
  { width: 2, together: true },
] as const;

const VERSION = "told";

/**
 * Has a terminal lay characters out as it is told: the backend says before each that does not take one cell how many it
 * takes (`CSI = n w`), so that there is one table of widths, and none that it could differ from.
 */
export function drawAsTold(terminal: Terminal): void {
  let layout: (typeof LAYOUTS)[number] = LAYOUTS[0];
  const provider: IUnicodeVersionProvider = {
    version: VERSION,
    wcwidth: () => layout.width,
    // Bit 0: joined to the character before. Bits 1 and 2: how many cells both take. Bit 3 tells it from 0, which is
    // what xterm has behind every sequence: there nothing is joined to what stood before.
    charProperties(_codepoint, before) {
      const joined = layout.together && before !== 0;
      return 8 | (layout.width << 1) | (joined ? 1 : 0);
    },
  };
  terminal.unicode.register(provider);
  terminal.unicode.activeVersion = VERSION;
  terminal.parser.registerCsiHandler({ prefix: "=", final: "w" }, ([told]) => {
    layout = LAYOUTS[Number(told)] ?? LAYOUTS[0];
    return true;
  });
}

/** Calls back, in the midst of what is written, where a snapshot says which line it begins with. */
export function onFirstLine(
  terminal: Terminal,
  begins: (line: number) => void,
): IDisposable {
  return terminal.parser.registerOscHandler(LINE, (line) => {
    begins(Number(line));
    return true;
  });
}

/** How the program wants its keys, as the terminal is told from now on. */
export function toldKeys(terminal: Terminal): {
  kitty: number;
  otherKeys: number;
} {
  const told = { kitty: 0, otherKeys: 0 };
  const { parser } = terminal;
  parser.registerCsiHandler({ prefix: "=", final: "u" }, ([flags]) => {
    told.kitty = Number(flags);
    return true;
  });
  parser.registerCsiHandler({ prefix: ">", final: "m" }, ([what, level]) => {
    if (what === 4) told.otherKeys = Number(level ?? 0);
    return true;
  });
  return told;
}
