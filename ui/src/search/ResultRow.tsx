import type { ReactNode } from "react";
import { DownIcon, RightIcon } from "../shared/icons";
import { PrintedLine } from "../shared/printed/PrintedLine";
import { clip, type TextRange } from "../shared/printed/pieces";
import { conversationLabel, ROLES } from "./conversation-label";
import { LineNumber } from "./LineNumber";
import type { LabelOf, PaneLabel } from "./pane-label";
import { nameOfConversation, nameOfPane, type ResultRow } from "./result-rows";

export function Row({
  row,
  current,
  labelOf,
  onFold,
  onGo,
}: {
  row: ResultRow;
  current: number | null;
  labelOf: LabelOf;
  onFold: (name: string) => void;
  onGo: (index: number) => void;
}) {
  switch (row.kind) {
    case "pane":
      return (
        <Heading
          label={labelOf(row.pane)}
          count={row.count}
          folded={row.folded}
          onFold={() => onFold(nameOfPane(row.pane))}
        />
      );
    case "conversation":
      return (
        <Heading
          label={conversationLabel(row.conversation, row.when)}
          count={row.count}
          folded={row.folded}
          onFold={() => onFold(nameOfConversation(row.conversation))}
        />
      );
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
    case "match":
      return (
        <Stop index={row.index} current={current} found={row.match} onGo={onGo}>
          <LineNumber line={row.match.line} />
        </Stop>
      );
    case "said":
      return (
        <Stop index={row.index} current={current} found={row.hit} onGo={onGo}>
          <span className="result-number">{ROLES[row.hit.role]}</span>
        </Stop>
      );
    case "gap":
      return <div className="result-gap" />;
  }
}

function Heading({
  label,
  count,
  folded,
  onFold,
}: {
  label: PaneLabel;
  count: number;
  folded: boolean;
  onFold: () => void;
}) {
  return (
    <button
      type="button"
      className="result-pane"
      tabIndex={-1}
      aria-expanded={!folded}
      title={`${label.title}\n${label.detail}`}
      onClick={onFold}
    >
      {folded ? <RightIcon size={12} /> : <DownIcon size={12} />}
      <span className="result-title">{label.title}</span>
      {label.closed && <span className="result-closed">closed</span>}
      <span className="result-detail">{label.detail}</span>
      <span className="result-count">{count}</span>
    </button>
  );
}

/** A line that one can go to. */
function Stop({
  index,
  current,
  found,
  onGo,
  children,
}: {
  index: number;
  current: number | null;
  found: { content: string; ranges: TextRange[] };
  onGo: (index: number) => void;
  children: ReactNode;
}) {
  const clipped = clip(found.content, found.ranges);
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
      onClick={() => onGo(index)}
    >
      {children}
      <span className="result-text">
        <PrintedLine text={clipped.text} ranges={clipped.ranges} />
      </span>
    </div>
  );
}
