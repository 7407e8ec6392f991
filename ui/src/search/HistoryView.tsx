import type { Line, LineId, Match } from "../bindings";
import {
  PrintedLine,
  type PrintedLineProps,
} from "../shared/printed/PrintedLine";
import { PrintedLines } from "../shared/printed/PrintedLines";
import { FindBar } from "./FindBar";
import { HistoryHead } from "./HistoryHead";
import { LineNumber } from "./LineNumber";
import type { PaneLabel } from "./pane-label";
import { foundOf, openSearch, type Place, usePlace } from "./search-store";
import { type History, type HistoryPlace, useHistory } from "./use-history";

/** More of one line is not drawn. */
const DRAWN_AT_MOST = 4000;

export interface HistoryViewProps extends HistoryPlace {
  label: PaneLabel;
}

/** What a pane printed, to read: every line that is kept, more on both sides as one scrolls, with a find of its own. */
export function HistoryView({ label, ...asked }: HistoryViewProps) {
  const { pane } = asked;
  const place: Place = `history-${pane}`;
  const own = usePlace(place);
  const panel = usePlace("panel");
  const history = useHistory(asked);
  const { window, printed, target } = history;

  const matches = new Map<LineId, Match>();
  // What led here is marked, until one looks for something else.
  for (const match of foundOf((own.open ? own : panel).search).matches)
    if (match.pane === pane) matches.set(match.line, match);

  return (
    <section
      className="history"
      aria-label={`History of ${label.title}`}
      data-testid={`history-${pane}`}
    >
      <HistoryHead
        pane={pane}
        label={label}
        lines={window.lines}
        onFind={() => openSearch(place)}
      />
      <HistoryEnd history={history} />
      <PrintedLines
        printed={printed}
        className="history-lines"
        tabIndex={0}
        row={(index) => {
          const line = window.lines[index];
          return (
            line && (
              <div
                className="history-line"
                data-target={line.id === target}
                data-line={line.id}
              >
                <LineNumber line={line.id} />
                <span>
                  <PrintedLine {...drawn(line, matches.get(line.id))} />
                </span>
              </div>
            )
          );
        }}
      />
      <FindBar
        place={place}
        onMatch={(match) => history.goTo(match.line)}
        onClose={() => printed.scroller.current?.focus()}
      />
    </section>
  );
}

/** Why there is nothing more above what is shown, where that is so. */
function HistoryEnd({ history }: { history: History }) {
  const { window, failure, firstSeen } = history;
  const text =
    failure ??
    (window.lines.length === 0
      ? "Nothing is kept of this pane."
      : !window.moreBefore && firstSeen < 5
        ? "This is the oldest line that is kept."
        : null);
  return text !== null && <p className="history-end">{text}</p>;
}

/** What is drawn of a line: all of it, or the stretch around its first match. */
function drawn(line: Line, match: Match | undefined): PrintedLineProps {
  // What is too long to be searched as it is comes cut, with ranges to match.
  if (match && match.content !== line.text)
    return { text: match.content, ranges: match.ranges };
  return {
    text: line.text.slice(0, DRAWN_AT_MOST),
    spans: line.spans,
    ...(match && { ranges: match.ranges }),
  };
}
