import {
  type KeyboardEvent,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
} from "react";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import { PrintedLines } from "../shared/printed/PrintedLines";
import { usePrinted } from "../shared/printed/use-printed";
import { useTextScale } from "../shared/settings-store";
import type { LabelOf } from "./pane-label";
import { Row } from "./ResultRow";
import { isStop, keyOfRow, type ResultRow } from "./result-rows";
import { foundOf, loadMore, usePlace } from "./search-store";

const ROW = 20;
const HEADING = 30;
const GAP = 9;

/** How high a row is, in a text that is so much larger than usual. */
function heightIn(scale: number, row: ResultRow | undefined): number {
  if (row?.kind === "pane" || row?.kind === "conversation") return HEADING;
  if (row?.kind === "gap") return GAP;
  return Math.round(ROW * scale);
}

/** What was found, as far as it is in view; it has the keys, and names the result that is current. */
export function SearchResults({
  rows,
  scroller,
  labelOf,
  onKeyDown,
  onFold,
  onGo,
}: {
  rows: ResultRow[];
  scroller: RefObject<HTMLDivElement | null>;
  labelOf: LabelOf;
  onKeyDown: (event: KeyboardEvent) => void;
  onFold: (name: string) => void;
  onGo: (index: number) => void;
}) {
  const { search, query, current } = usePlace("panel");
  const scale = useTextScale();
  const heightOf = useCallback(
    (index: number) => heightIn(scale, rows[index]),
    [rows, scale],
  );
  const printed = usePrinted(rows.length, heightOf, scroller);
  const { list } = printed;

  useAnchor(rows, scale, scroller);
  const latest = useRef(rows);
  latest.current = rows;
  // What is current comes into view when it becomes that, and not whenever more is found.
  useEffect(() => {
    if (current === null) return;
    const index = latest.current.findIndex(
      (row) => isStop(row) && row.index === current,
    );
    if (index >= 0) list.scrollToIndex(index, { align: "auto" });
  }, [current, list]);

  // The end of what was returned comes into view: go on behind it.
  const items = list.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - 20) loadMore("panel");
  }, [last, rows.length]);

  const itemsOn = (on: Element) => {
    const { index } = on.closest<HTMLElement>("[data-index]")?.dataset ?? {};
    const at = Number(index);
    const { matches, said } = foundOf(search);
    const match = matches[at] ?? said[at - matches.length];
    if (index === undefined || !match) return [];
    return [
      [{ title: "Go to the line", run: () => onGo(at) }],
      [
        copying("Copy the line", match.content),
        copying(
          "Copy what matched",
          match.ranges
            .map(({ start, end }) => match.content.slice(start, end))
            .join("\n"),
        ),
      ],
    ];
  };
  return (
    <ContextMenu items={itemsOn}>
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
                onGo={onGo}
              />
            )
          );
        }}
      />
    </ContextMenu>
  );
}

/** Keeps the row at the top of the view where it is, whatever is found before it. */
function useAnchor(
  rows: ResultRow[],
  scale: number,
  scroller: RefObject<HTMLDivElement | null>,
): void {
  const shown = useRef(rows);
  useLayoutEffect(() => {
    const before = shown.current;
    shown.current = rows;
    const element = scroller.current;
    if (!element || element.scrollTop === 0 || before === rows) return;
    const height = (row: ResultRow | undefined) => heightIn(scale, row);
    let top = 0;
    let at = 0;
    while (at < before.length && top + height(before[at]) <= element.scrollTop)
      top += height(before[at++]);
    const key = keyOfRow(before[at]);
    const now =
      key === null ? -1 : rows.findIndex((row) => keyOfRow(row) === key);
    if (now < 0) return;
    const moved = rows
      .slice(0, now)
      .reduce((sum, row) => sum + height(row), -top);
    element.scrollTop += moved;
  }, [rows, scale, scroller]);
}

function Nothing({ status, pattern }: { status: string; pattern: string }) {
  if (status === "idle" && pattern === "")
    return (
      <div className="search-empty">
        <p>
          Finds what any pane printed: open panes, closed ones, and what
          full-screen programs showed. Below it comes what agents wrote down of
          their conversations.
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
        <p>Nothing that was printed or said matches.</p>
      </div>
    );
  return null;
}
