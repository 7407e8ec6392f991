import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Match, PaneId } from "../bindings";
import { IconButton } from "../shared/Button";
import { CloseIcon } from "../shared/icons";
import { Row } from "./ResultRow";
import { resultRows } from "./result-rows";
import { SearchBox } from "./SearchBox";
import { SCOPES } from "./SearchHead";
import { height, Nothing } from "./SearchResults";
import {
  closeSearch,
  describeCount,
  foundOf,
  keepPattern,
  loadMore,
  openSearch,
  type ScopeName,
  setCurrent,
  setQuery,
  usePlace,
} from "./search-store";

/** How a pane is shown in the results; another feature knows. */
export interface PaneLabel {
  title: string;
  /** Program, directory, time: what tells one pane from another. */
  detail: string;
  closed: boolean;
}

export interface SearchPanelProps {
  labelOf: (pane: PaneId) => PaneLabel;
  /** The person goes to a match; `stay`: with the keys, which stay here to walk on. */
  onMatch: (match: Match, stay: boolean) => void;
  onClose: () => void;
}

/** The search over all panes: the box, what was found by pane, with a way to each line. */
export function SearchPanel({ labelOf, onMatch, onClose }: SearchPanelProps) {
  const state = usePlace("panel");
  const { search, query, current } = state;
  const found = foundOf(search);
  const [folded, setFolded] = useState<ReadonlySet<PaneId>>(new Set());
  const rows = useMemo(
    () => resultRows(found.matches, folded),
    [found.matches, folded],
  );
  const scroller = useRef<HTMLDivElement>(null);
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

  function fold(pane: PaneId) {
    setFolded((before) => {
      const after = new Set(before);
      if (!after.delete(pane)) after.add(pane);
      return after;
    });
  }

  /** Matches in the order in which they are on screen. */
  const stops = useMemo(
    () => rows.flatMap((row) => (row.kind === "match" ? [row.index] : [])),
    [rows],
  );

  function move(by: number): Match | null {
    if (stops.length === 0) return null;
    const at = current === null ? -1 : stops.indexOf(current);
    const next =
      at < 0
        ? by > 0
          ? 0
          : stops.length - 1
        : Math.min(Math.max(at + by, 0), stops.length - 1);
    const index = stops[next];
    if (index === undefined) return null;
    setCurrent("panel", index);
    return found.matches[index] ?? null;
  }

  function go(match: Match | null | undefined, stay = true) {
    if (!match) return;
    keepPattern("panel");
    onMatch(match, stay);
  }

  function onKeyDown(event: KeyboardEvent) {
    const by: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 15,
      PageUp: -15,
      Home: -1e9,
      End: 1e9,
    };
    const step = by[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const at = current === null ? -1 : stops.indexOf(current);
      // Up from the first result is the box again.
      if (event.key === "ArrowUp" && at <= 0) openSearch("panel");
      else move(step);
    } else if (event.key === "Enter" && current !== null) {
      event.preventDefault();
      go(found.matches[current]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      onClose();
    }
  }

  const activeKey = current === null ? undefined : `search-result-${current}`;
  return (
    <section
      className="search-panel"
      aria-label="Search"
      data-testid="search-panel"
    >
      <header className="aside-heading">
        <h2>Search</h2>
        <IconButton
          label="Close the search"
          onClick={() => {
            closeSearch("panel");
            onClose();
          }}
        >
          <CloseIcon size={14} />
        </IconButton>
      </header>
      <div className="search-head">
        <SearchBox
          place="panel"
          label="Search what panes printed"
          placeholder="Search what panes printed"
          testId="search-input"
          onStep={(by) => go(move(by))}
          onClose={onClose}
          onLeave={() => {
            scroller.current?.focus();
            if (current === null) move(1);
          }}
        />
        <div className="search-options">
          <select
            aria-label="Which panes"
            value={query.scope}
            data-testid="search-scope"
            onChange={(event) =>
              setQuery(
                "panel",
                {
                  scope: event.target.value as ScopeName,
                  pane: null,
                  lines: null,
                },
                0,
              )
            }
          >
            {SCOPES.map(({ name, label }) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
            {query.scope === "pane" && query.pane !== null && (
              <option value="pane">
                {query.lines ? "Last output of " : ""}
                {labelOf(query.pane).title}
              </option>
            )}
          </select>
          <select
            aria-label="Order"
            value={query.oldestFirst ? "oldest" : "newest"}
            onChange={(event) =>
              setQuery(
                "panel",
                { oldestFirst: event.target.value === "oldest" },
                0,
              )
            }
          >
            <option value="newest">Newest first</option>
            <option value="oldest">Oldest first</option>
          </select>
          <span className="spacer" />
          <span
            className="search-count"
            role="status"
            data-testid="search-count"
          >
            {describeCount(state, true)}
          </span>
        </div>
        {search.status === "done" && search.reason && (
          <p className="search-note">{search.reason}</p>
        )}
      </div>
      <div
        ref={scroller}
        className="search-results"
        role="listbox"
        aria-label="Results"
        aria-activedescendant={activeKey}
        tabIndex={0}
        onKeyDown={onKeyDown}
        data-testid="search-results"
      >
        {rows.length === 0 ? (
          <Nothing status={search.status} pattern={query.pattern} />
        ) : (
          <div style={{ height: list.getTotalSize(), position: "relative" }}>
            {items.map((item) => {
              const row = rows[item.index];
              if (!row) return null;
              return (
                <div
                  key={item.key}
                  className="search-slot"
                  style={{
                    height: item.size,
                    transform: `translateY(${item.start}px)`,
                  }}
                >
                  <Row
                    row={row}
                    current={current}
                    labelOf={labelOf}
                    onFold={fold}
                    onMatch={(match, index) => {
                      setCurrent("panel", index);
                      go(match, false);
                    }}
                  />
                </div>
              );
            })}
          </div>
        )}
      </div>
    </section>
  );
}
