import { type CSSProperties, useMemo } from "react";
import type { RowChange, Verdict } from "../bindings";
import { aligned, type Line, type Region } from "./regions";

/** A part of the file that both sides change, or one of them; the same line of the merge base in the same row. */
export function RegionView({
  region,
  verdict,
}: {
  region: Region;
  verdict: Verdict;
}) {
  const rows = useMemo(() => aligned(region), [region]);
  const { length } = rows.left;
  return (
    <div
      className="sides region"
      data-meets={region.meets}
      data-testid="region"
      style={{ "--rows": length } as CSSProperties}
    >
      {(["left", "right"] as const).map((side) => {
        const deleted = verdict[side].change.kind === "delete";
        return (
          <div
            key={side}
            className="hunks"
            data-side={side}
            data-name={verdict[side].name}
          >
            {deleted ? (
              <p className="hunk-none">The file is deleted.</p>
            ) : (
              rows[side].map((line, row) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name, and are replaced as a whole
                <Row key={row} line={line} />
              ))
            )}
          </div>
        );
      })}
      {rows.more > 0 && <p className="hunk-more">… {rows.more} more lines</p>}
    </div>
  );
}

const SIGNS: Record<RowChange, string> = {
  same: " ",
  removed: "−",
  added: "+",
};

function Row({ line }: { line: Line | null }) {
  if (!line) return <div className="hunk-row" data-change="none" />;
  return (
    <div
      className="hunk-row"
      data-change={line.change}
      data-meets={line.meets || undefined}
    >
      <span className="hunk-number">{line.number}</span>
      <span className="hunk-sign">{SIGNS[line.change]}</span>
      <span className="hunk-text">
        {line.parts.map(({ text, differs }, part) =>
          differs ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name
            <mark key={part}>{text}</mark>
          ) : (
            text
          ),
        )}
      </span>
    </div>
  );
}
