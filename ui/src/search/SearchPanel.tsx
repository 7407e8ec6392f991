import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import type { Match, TranscriptHit } from "../bindings";
import { IconButton } from "../shared/Button";
import { CloseIcon } from "../shared/icons";
import type { LabelOf } from "./pane-label";
import { isStop, resultRows } from "./result-rows";
import { SearchHead } from "./SearchHead";
import { SearchResults } from "./SearchResults";
import {
  closeSearch,
  foundOf,
  keepPattern,
  openSearch,
  setCurrent,
  usePlace,
} from "./search-store";
import { stopAfter, strideOf } from "./walk";

export interface SearchPanelProps {
  labelOf: LabelOf;
  /** The person goes to a match; `stay`: with the keys, which stay here to walk on. */
  onMatch: (match: Match, stay: boolean) => void;
  /** The person goes to a line of a conversation. */
  onSaid: (hit: TranscriptHit) => void;
  onClose: () => void;
}

/** The search over all panes and conversations: the box, what was found in each, with a way to each line. */
export function SearchPanel({
  labelOf,
  onMatch,
  onSaid,
  onClose,
}: SearchPanelProps) {
  const { search, current } = usePlace("panel");
  const { matches, said } = foundOf(search);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(
    () => resultRows({ matches, said }, folded),
    [matches, said, folded],
  );
  /** Matches in the order in which they are on screen. */
  const stops = useMemo(
    () => rows.flatMap((row) => (isStop(row) ? [row.index] : [])),
    [rows],
  );
  const scroller = useRef<HTMLDivElement>(null);

  function fold(name: string) {
    setFolded((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });
  }

  function move(by: number): number | undefined {
    const index = stopAfter(stops, current, by);
    if (index !== undefined) setCurrent("panel", index);
    return index;
  }

  function go(index: number | undefined, stay = true) {
    if (index === undefined) return;
    const match = matches[index];
    const hit = said[index - matches.length];
    keepPattern("panel");
    if (match) onMatch(match, stay);
    else if (hit) onSaid(hit);
  }

  function onKeyDown(event: KeyboardEvent) {
    const by = strideOf(event.key);
    if (by !== undefined) {
      event.preventDefault();
      const at = current === null ? -1 : stops.indexOf(current);
      // Up from the first result is the box again.
      if (event.key === "ArrowUp" && at <= 0) openSearch("panel");
      else move(by);
    } else if (event.key === "Enter" && current !== null) {
      event.preventDefault();
      go(current);
    } else if (event.key === "Escape") {
      event.preventDefault();
      onClose();
    }
  }

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
      <SearchHead
        titleOf={(pane) => labelOf(pane).title}
        onStep={(by) => go(move(by))}
        onClose={onClose}
        onLeave={() => {
          scroller.current?.focus();
          if (current === null) move(1);
        }}
      />
      <SearchResults
        rows={rows}
        scroller={scroller}
        labelOf={labelOf}
        onKeyDown={onKeyDown}
        onFold={fold}
        onGo={(index) => {
          setCurrent("panel", index);
          go(index, false);
        }}
      />
    </section>
  );
}
