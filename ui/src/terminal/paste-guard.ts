/** Why a paste deserves a question. */
export interface PasteRisk {
  lines: number;
  /** Control characters other than tab and line ends. */
  controls: number;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/** What is risky about pasting `text`; `null` when nothing is. */
export function pasteRisk(text: string): PasteRisk | null {
  const lines = text.replace(/\r?\n$/, "").split(/\r\n|\r|\n/).length;
  const controls = text.match(CONTROLS)?.length ?? 0;
  // A single line that ends in a newline would be run at once, too.
  const ends = /[\r\n]$/.test(text);
  return lines > 1 || controls > 0 || ends ? { lines, controls } : null;
}

/** The text with its control characters made visible, for the question. */
export function showControls(text: string): string {
  return text.replace(CONTROLS, (char) => {
    const code = char.charCodeAt(0);
    return code < 0x20
      ? String.fromCharCode(0x2400 + code)
      : code === 0x7f
        ? "\u2421"
        : `\\x${code.toString(16)}`;
  });
}

/** What is sent for a paste: carriage returns for line ends, and brackets when the program asked for them. */
export function pasteBytes(text: string, bracketed: boolean): string {
  const typed = text.replace(/\r?\n/g, "\r");
  if (!bracketed) return typed;
  // An end marker inside the text would let the rest of it be typed as commands; taking one out may make another.
  let inner = typed;
  for (let before = ""; before !== inner; ) {
    before = inner;
    inner = inner.replaceAll("\x1b[201~", "").replaceAll("\x1b[200~", "");
  }
  return `\x1b[200~${inner}\x1b[201~`;
}

/** A path as one word of a POSIX shell. */
export function shellWord(path: string): string {
  if (/^[A-Za-z0-9_./+:@%,=-]+$/.test(path)) return path;
  return `'${path.replaceAll("'", "'\\''")}'`;
}
