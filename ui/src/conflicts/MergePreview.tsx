import { useMemo, useState } from "react";
import type { Verdict } from "../bindings";
import { mergedPieces } from "./regions";

/** The file as a merge would write it. */
export function MergePreview({
  text,
  verdict,
}: {
  text: string;
  verdict: Verdict;
}) {
  const [whole, setWhole] = useState(false);
  const pieces = useMemo(() => mergedPieces(text, whole), [text, whole]);
  const stops = pieces.some(
    (piece) =>
      piece.kind === "lines" &&
      piece.rows.some(({ part }) => part === "marker"),
  );
  return (
    <div className="merge" data-testid="merge-preview">
      <p className="merge-legend">
        {stops ? (
          <>
            What a merge would write:{" "}
            <b data-part="left">{verdict.left.name}</b> above,{" "}
            <b data-part="right">{verdict.right.name}</b> below the line of
            equals signs.
          </>
        ) : (
          "A merge goes through by itself: it would write this file."
        )}{" "}
        <button
          type="button"
          className="link-button"
          onClick={() => setWhole(!whole)}
        >
          {whole ? "Only around the conflicts" : "Show the whole file"}
        </button>
      </p>
      <pre className="merge-text">
        {pieces.map((piece, index) =>
          piece.kind === "skipped" ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other name
            <div key={index} className="hunk-more">
              … {piece.count} {piece.count === 1 ? "line" : "lines"}
            </div>
          ) : (
            piece.rows.slice(0, 4000).map((row) => (
              <div key={row.number} className="hunk-row" data-part={row.part}>
                <span className="hunk-number">{row.number}</span>
                <span className="hunk-text">{row.text}</span>
              </div>
            ))
          ),
        )}
      </pre>
    </div>
  );
}
