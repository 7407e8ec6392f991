import type { Match, PaneId } from "../bindings";
import { DownIcon, RightIcon } from "../shared/icons";
import { PrintedLine } from "../shared/printed/PrintedLine";
import { clip } from "../shared/printed/pieces";
import { LineNumber } from "./LineNumber";
import type { LabelOf } from "./pane-label";
import type { ResultRow } from "./result-rows";

export function Row({
  row,
  current,
  labelOf,
  onFold,
  onMatch,
}: {
  row: ResultRow;
  current: number | null;
  labelOf: LabelOf;
  onFold: (pane: PaneId) => void;
  onMatch: (match: Match, index: number) => void;
}) {
  switch (row.kind) {
    case "pane": {
      const label = labelOf(row.pane);
      return (
        <button
          type="button"
          className="result-pane"
          tabIndex={-1}
          aria-expanded={!row.folded}
          title={`${label.title}\n${label.detail}`}
          onClick={() => onFold(row.pane)}
        >
          {row.folded ? <RightIcon size={12} /> : <DownIcon size={12} />}
          <span className="result-title">{label.title}</span>
          {label.closed && <span className="result-closed">closed</span>}
          <span className="result-detail">{label.detail}</span>
          <span className="result-count">{row.count}</span>
        </button>
      );
    }
    case "context":
      return (
        <div className="result-line context">
          <LineNumber line={row.line.id} />
          <span className="result-text">
            <PrintedLine
              text={row.line.text.slice(0, 600)}
              spans={row.line.spans}
            />
          </span>
        </div>
      );
    case "match": {
      const { match, index } = row;
      const clipped = clip(match.content, match.ranges);
      return (
        // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus and names its active result
        // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the list's
        <div
          id={`search-result-${index}`}
          className="result-line match"
          role="option"
          aria-selected={index === current}
          data-testid={`search-result-${index}`}
          data-index={index}
          onClick={() => onMatch(match, index)}
        >
          <LineNumber line={match.line} />
          <span className="result-text">
            <PrintedLine text={clipped.text} ranges={clipped.ranges} />
          </span>
        </div>
      );
    }
    case "gap":
      return <div className="result-gap" />;
  }
}
