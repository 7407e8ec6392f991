/** A piece of text in one look. */
export interface Span {
  text: string;
  /** Class names: `fg-1`, `bg-4`, `bold` and so on; empty for plain text. */
  look: string;
  /** Colours outside of the palette, as CSS. */
  color?: string;
  background?: string;
}

interface Pen {
  fg: string;
  bg: string;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
}

const plain: Pen = {
  fg: "",
  bg: "",
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
};

const ESCAPE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this reads
  /\x1b(?:\[([0-9:;<=>?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/g;

/**
 * Reads what a program printed into lines of spans, piece by piece: colours go on from line to line and from piece to
 * piece. Text becomes text and nothing else; sequences that move the cursor are left out, and of a line that was written
 * over, what was there last is kept.
 */
export class AnsiLines {
  readonly lines: Span[][] = [];
  private pen: Pen = plain;
  private rest = "";

  /** Takes the next piece. The last line is open until a newline closes it. */
  push(text: string): void {
    const all = this.rest + text;
    const parts = all.split("\n");
    // An unfinished line is read again with what follows it.
    const open = parts.pop() ?? "";
    if (this.shown) this.lines.pop();
    for (const part of parts) this.lines.push(this.line(part));
    this.rest = open;
    this.shown = open !== "";
    if (this.shown) {
      const pen = this.pen;
      this.lines.push(this.line(open));
      this.pen = pen;
    }
  }

  private shown = false;

  private line(raw: string): Span[] {
    const line = raw.replace(/\r+$/, "");
    let spans: Span[] = [];
    let at = 0;
    const add = (text: string) => {
      const returned = text.lastIndexOf("\r");
      if (returned >= 0) spans = [];
      const clean = text.slice(returned + 1).replace(CONTROL, "");
      if (clean !== "") spans.push(this.span(clean));
    };
    for (const match of line.matchAll(ESCAPE)) {
      add(line.slice(at, match.index));
      at = match.index + match[0].length;
      if (match[2] === "m") this.pen = applySgr(this.pen, match[1] ?? "");
    }
    add(line.slice(at));
    return spans;
  }

  private span(text: string): Span {
    const { pen } = this;
    const [fg, bg] = pen.inverse ? [pen.bg, pen.fg] : [pen.fg, pen.bg];
    const look = [
      fg.startsWith("p") && `fg-${fg.slice(1)}`,
      bg.startsWith("p") && `bg-${bg.slice(1)}`,
      pen.inverse && fg === "" && bg === "" && "inverse",
      pen.bold && "bold",
      pen.dim && "dim",
      pen.italic && "italic",
      pen.underline && "underline",
    ]
      .filter(Boolean)
      .join(" ");
    return {
      text,
      look,
      ...(fg.startsWith("#") && { color: fg }),
      ...(bg.startsWith("#") && { background: bg }),
    };
  }
}

function applySgr(pen: Pen, parameters: string): Pen {
  const codes = parameters.split(/[;:]/).map(Number);
  let next = { ...pen };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 0) next = { ...plain };
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 7) next.inverse = true;
    else if (code === 22) {
      next.bold = false;
      next.dim = false;
    } else if (code === 23) next.italic = false;
    else if (code === 24) next.underline = false;
    else if (code === 27) next.inverse = false;
    else if (code >= 30 && code <= 37) next.fg = `p${code - 30}`;
    else if (code === 39) next.fg = "";
    else if (code >= 40 && code <= 47) next.bg = `p${code - 40}`;
    else if (code === 49) next.bg = "";
    else if (code >= 90 && code <= 97) next.fg = `p${code - 82}`;
    else if (code >= 100 && code <= 107) next.bg = `p${code - 92}`;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes, i + 1);
      if (code === 38) next.fg = colour;
      else next.bg = colour;
      i += used;
    }
  }
  return next;
}

/** A colour of the 256, or any: how it is written, and how many numbers told it. */
function extended(codes: number[], at: number): [string, number] {
  if (codes[at] === 5) {
    const n = codes[at + 1] ?? 0;
    if (n < 16) return [`p${n}`, 2];
    if (n > 231) return [hex(8 + (n - 232) * 10), 2];
    const level = (v: number) => (v === 0 ? 0 : 55 + v * 40);
    const cube = n - 16;
    return [
      hex(
        level(Math.floor(cube / 36)),
        level(Math.floor(cube / 6) % 6),
        level(cube % 6),
      ),
      2,
    ];
  }
  if (codes[at] === 2) {
    const [r = 0, g = 0, b = 0] = codes.slice(at + 1, at + 4);
    return [hex(r, g, b), 4];
  }
  return ["", 0];
}

function hex(r: number, g = r, b = r): string {
  const two = (n: number) =>
    Math.min(Math.max(Math.round(n) || 0, 0), 255)
      .toString(16)
      .padStart(2, "0");
  return `#${two(r)}${two(g)}${two(b)}`;
}

export function textOf(line: Span[]): string {
  let text = "";
  for (const span of line) text += span.text;
  return text;
}
