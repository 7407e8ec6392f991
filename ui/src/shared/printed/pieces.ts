import { type Color, type Span, type Style, styleFlags } from "../../bindings";

/** A stretch of a line's text. */
export interface TextRange {
  start: number;
  end: number;
}

/** A part of a line that is drawn in one go. */
export interface Piece {
  /** Where it starts in the line. */
  start: number;
  text: string;
  style: Style | null;
  /** Which of the matches it lies in. */
  hit: number | null;
}

/**
 * Cuts a line where its style changes and at its matches. Matches that overlap or lie outside are put right, spans that
 * are too many or too few as well: what is drawn is always the line.
 */
export function pieces(
  text: string,
  spans: Span[] | undefined,
  ranges: TextRange[],
): Piece[] {
  const cut: Piece[] = [];
  let at = 0;
  let spanEnd = 0;
  let style: Style | null = null;
  const rest = (spans ?? [])[Symbol.iterator]();
  function add(until: number, hit: number | null) {
    while (at < until) {
      while (spanEnd <= at) {
        const span = rest.next();
        style = span.done ? null : span.value.style;
        spanEnd = span.done ? text.length : spanEnd + span.value.length;
      }
      const end = Math.min(until, spanEnd);
      cut.push({ start: at, text: text.slice(at, end), style, hit });
      at = end;
    }
  }
  const ordered = ranges
    .map(({ start, end }, hit) => ({ start, end, hit }))
    .filter(({ start, end }) => start < end)
    .sort((a, b) => a.start - b.start);
  for (const { start, end, hit } of ordered) {
    const from = Math.min(Math.max(start, at), text.length);
    add(from, null);
    add(Math.min(Math.max(end, from), text.length), hit);
  }
  add(text.length, null);
  return cut;
}

const nowhere: TextRange[] = [];

/** Where `wanted` is in `text`, whatever its case. */
export function occurrences(text: string, wanted: string): TextRange[] {
  if (wanted === "") return nowhere;
  const [hay, needle] = [text.toLowerCase(), wanted.toLowerCase()];
  const found: TextRange[] = [];
  for (
    let start = hay.indexOf(needle);
    start >= 0;
    start = hay.indexOf(needle, start + needle.length)
  )
    found.push({ start, end: start + needle.length });
  return found;
}

/** Leaves out the start of a line whose first match would not be seen, and the end of one without an end. */
export function clip<Range extends TextRange>(
  text: string,
  ranges: Range[],
  before = 16,
  most = 600,
): { text: string; ranges: Range[] } {
  const first = ranges[0]?.start ?? 0;
  let from = first > before * 2 ? first - before : 0;
  // Not in the middle of a surrogate pair.
  if (from > 0 && isLow(text.charCodeAt(from))) from--;
  const lead = from > 0 ? "…" : "";
  const shift = lead.length - from;
  const body = text.slice(from, from + most);
  return {
    text: lead + body + (from + most < text.length ? "…" : ""),
    ranges: ranges
      .map((range) => ({
        ...range,
        start: range.start + shift,
        end: Math.min(range.end + shift, lead.length + body.length),
      }))
      .filter((range) => range.start < range.end),
  };
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** A style as class names, and as the colours that it sets. */
export function look(style: Style): {
  className: string | undefined;
  color?: string;
  background?: string;
  textDecorationColor?: string;
} {
  const flags = style.flags ?? 0;
  const inverse = (flags & styleFlags.inverse) !== 0;
  const [text, behind] = [css(style.fg), css(style.bg)];
  const names = Object.entries(styleFlags)
    .filter(([name, flag]) => name !== "inverse" && (flags & flag) !== 0)
    .map(([name]) => name)
    .join(" ");
  const [color, background] = inverse
    ? [behind ?? "var(--pane)", text ?? "var(--text)"]
    : [text, behind];
  const line = css(style.underline);
  return {
    className: names === "" ? undefined : names,
    ...(color && { color }),
    ...(background && { background }),
    ...(line && { textDecorationColor: line }),
  };
}

/** A colour in CSS: one of the theme's sixteen, one of the cube or the greys, or one of its own. */
function css(color: Color | undefined): string | undefined {
  if (color === null || color === undefined) return undefined;
  if (typeof color !== "number") return `rgb(${color.join(" ")})`;
  if (color < 16) return `var(--c${color})`;
  if (color >= 232) {
    const grey = (color - 232) * 10 + 8;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const level = (n: number) => (n === 0 ? 0 : n * 40 + 55);
  const cube = color - 16;
  const parts = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6];
  return `rgb(${parts.map(level).join(" ")})`;
}
