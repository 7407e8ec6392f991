import {
  type KeyboardEvent,
  type RefObject,
  useCallback,
  useEffect,
} from "react";
import type { Match, PaneId } from "../bindings";
import { PrintedLines } from "../shared/printed/PrintedLines";
import { usePrinted } from "../shared/printed/use-printed";
import { Row } from "./ResultRow";
import type { ResultRow } from "./result-rows";
import type { SearchPanelProps } from "./SearchPanel";
import { loadMore, usePlace } from "./search-store";

const ROW = 20;
const HEADING = 30;
const GAP = 9;

function height(row: ResultRow | undefined): number {
  if (row?.kind === "pane") return HEADING;
  if (row?.kind === "gap") return GAP;
  return ROW;
}

/** What was found, as far as it is in view; it has the keys, and names the result that is current. */
export function SearchResults({
  rows,
  scroller,
  labelOf,
  onKeyDown,
  onFold,
  onMatch,
}: {
  rows: ResultRow[];
  scroller: RefObject<HTMLDivElement | null>;
  labelOf: SearchPanelProps["labelOf"];
  onKeyDown: (event: KeyboardEvent) => void;
  onFold: (pane: PaneId) => void;
  onMatch: (match: Match, index: number) => void;
}) {
  const { search, query, current } = usePlace("panel");
  const heightOf = useCallback((index: number) => height(rows[index]), [rows]);
  const printed = usePrinted(rows.length, heightOf, scroller);
  const { list } = printed;

  // biome-ignore lint/correctness/useExhaustiveDependencies: row heights follow from the rows
  useEffect(() => list.measure(), [rows]);

  useEffect(() => {
    if (current === null) return;
    const index = rows.findIndex(
      (row) => row.kind === "match" && row.index === current,
    );
    if (index >= 0) list.scrollToIndex(index, { align: "auto" });
  }, [current, rows, list]);

  // The end of what was returned comes into view: go on behind it.
  const items = list.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - 20) loadMore("panel");
  }, [last, rows.length]);

  return (
    <PrintedLines
      printed={printed}
      className="search-results"
      role="listbox"
      aria-label="Results"
      aria-activedescendant={
        current === null ? undefined : `search-result-${current}`
      }
      tabIndex={0}
      onKeyDown={onKeyDown}
      data-testid="search-results"
      empty={<Nothing status={search.status} pattern={query.pattern} />}
      row={(index) => {
        const row = rows[index];
        return (
          row && (
            <Row
              row={row}
              current={current}
              labelOf={labelOf}
              onFold={onFold}
              onMatch={onMatch}
            />
          )
        );
      }}
    />
  );
}

function Nothing({ status, pattern }: { status: string; pattern: string }) {
  if (status === "idle" && pattern === "")
    return (
      <div className="search-empty">
        <p>
          Finds what any pane printed: open panes, closed ones, and what
          full-screen programs showed.
        </p>
        <p>
          Enter goes to a match, the arrow keys walk them, and ↑ in the box
          recalls earlier searches.
        </p>
      </div>
    );
  if (status === "done")
    return (
      <div className="search-empty">
        <p>Nothing that was printed matches.</p>
      </div>
    );
  return null;
}
