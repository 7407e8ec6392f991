import { memo } from "react";
import type { Span } from "../../bindings";
import { look, pieces, type TextRange } from "./pieces";

export interface PrintedLineProps {
  text: string;
  spans?: Span[] | undefined;
  /** What is marked in it. */
  ranges?: TextRange[];
  /** Which of the marks is the current one. */
  current?: number | null;
}

const none: TextRange[] = [];

/** A line as it was printed, in its colours, with its matches marked; what programs printed is text, and nothing else. */
export const PrintedLine = memo(function PrintedLine({
  text,
  spans,
  ranges = none,
  current = null,
}: PrintedLineProps) {
  return pieces(text, spans, ranges).map((piece) => {
    const { className, ...style } = piece.style ? look(piece.style) : {};
    if (piece.hit === null)
      return (
        <span key={piece.start} className={className} style={style}>
          {piece.text}
        </span>
      );
    const names = [className, piece.hit === current && "current"];
    return (
      <mark
        key={piece.start}
        className={names.filter(Boolean).join(" ") || undefined}
        style={style}
      >
        {piece.text}
      </mark>
    );
  });
});
