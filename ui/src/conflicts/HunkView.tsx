import type { HunkView, RowChange, Verdict } from "../bindings";
import { cappedRows, differing, type Region } from "./regions";

/** A part of the file that both sides change, or one of them. */
export function RegionView({
  region,
  verdict,
}: {
  region: Region;
  verdict: Verdict;
}) {
  return (
    <div
      className="sides region"
      data-meets={region.meets}
      data-testid="region"
    >
      {(["left", "right"] as const).map((side) => (
        <div
          key={side}
          className="hunks"
          data-side={side}
          data-name={verdict[side].name}
        >
          {region[side].length === 0 ? (
            <p className="hunk-none">
              {verdict[side].change.kind === "delete"
                ? "The file is deleted."
                : "Nothing changed here."}
            </p>
          ) : (
            region[side].map((hunk) => (
              <Hunk key={`${hunk.base.start}-${hunk.base.end}`} hunk={hunk} />
            ))
          )}
        </div>
      ))}
    </div>
  );
}

const SIGNS: Record<RowChange, string> = {
  same: " ",
  removed: "−",
  added: "+",
};

function Hunk({ hunk }: { hunk: HunkView }) {
  const { rows, more } = cappedRows(hunk.rows);
  const parts = differing(rows);
  return (
    <pre className="hunk" data-meets={hunk.meets}>
      {rows.map((row, index) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name, and are replaced as a whole
          key={index}
          className="hunk-row"
          data-change={row.change}
        >
          <span className="hunk-number">
            {row.change === "removed" ? row.base_line : row.line}
          </span>
          <span className="hunk-sign">{SIGNS[row.change]}</span>
          <span className="hunk-text">
            {parts[index]?.map(({ text, differs }, part) =>
              differs ? (
                // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name
                <mark key={part}>{text}</mark>
              ) : (
                text
              ),
            )}
          </span>
        </div>
      ))}
      {more > 0 && <div className="hunk-more">… {more} more lines</div>}
    </pre>
  );
}
