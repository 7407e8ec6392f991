import type { Range } from "../bindings";

/** A piece of a line, inside or outside a match. */
export interface Piece {
  text: string;
  hit: boolean;
}

/** Cuts a line at its matches. Ranges that overlap or lie outside are put right: what is drawn is always the line. */
export function pieces(text: string, ranges: Range[]): Piece[] {
  const cut: Piece[] = [];
  let at = 0;
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const from = Math.min(Math.max(start, at), text.length);
    const to = Math.min(Math.max(end, from), text.length);
    if (from > at) cut.push({ text: text.slice(at, from), hit: false });
    if (to > from) cut.push({ text: text.slice(from, to), hit: true });
    at = to;
  }
  if (at < text.length) cut.push({ text: text.slice(at), hit: false });
  return cut;
}

/** Leaves out the start of a line whose first match would not be seen, and the end of one without an end. */
export function clip(
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

/** A line with its matches marked; what programs printed is text, and nothing else. */
export function Highlighted({
  text,
  ranges,
}: {
  text: string;
  ranges: Range[];
}) {
  let at = 0;
  return (
    <>
      {pieces(text, ranges).map((piece) => {
        const key = at;
        at += piece.text.length;
        return piece.hit ? (
          <mark key={key}>{piece.text}</mark>
        ) : (
          <span key={key}>{piece.text}</span>
        );
      })}
    </>
  );
}
