import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type RefObject, useEffect } from "react";
import type { Match, PaneId } from "../bindings";
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
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => height(rows[index]),
    overscan: 12,
  });

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
    <div
      ref={scroller}
      className="search-results"
      role="listbox"
      aria-label="Results"
      aria-activedescendant={
        current === null ? undefined : `search-result-${current}`
      }
      tabIndex={0}
      onKeyDown={onKeyDown}
      data-testid="search-results"
    >
      {rows.length === 0 ? (
        <Nothing status={search.status} pattern={query.pattern} />
      ) : (
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {items.map(({ index, key, size, start }) => {
            const row = rows[index];
            if (!row) return null;
            const transform = `translateY(${start}px)`;
            return (
              <div
                key={key}
                className="search-slot"
                style={{ height: size, transform }}
              >
                <Row
                  row={row}
                  current={current}
                  labelOf={labelOf}
                  onFold={onFold}
                  onMatch={onMatch}
                />
              </div>
            );
          })}
        </div>
      )}
    </div>
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
