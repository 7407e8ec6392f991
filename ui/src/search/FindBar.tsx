import type { Match, TranscriptHit } from "../bindings";
import { IconButton } from "../shared/Button";
import { CloseIcon, DownIcon, SearchIcon, UpIcon } from "../shared/icons";
import { SearchBox } from "./SearchBox";
import {
  closeSearch,
  describeCount,
  foundOf,
  keepPattern,
  loadMore,
  type Place,
  placeState,
  setCurrent,
  stepFrom,
  usePlace,
} from "./search-store";

export interface FindBarProps {
  place: Place;
  /** The person goes to a match. */
  onMatch: (match: Match) => void;
  onClose: () => void;
  /** Hands the pattern over to the panel over all panes. */
  onEverywhere?: (pattern: string) => void;
}

/** Goes to another match of a place; what it is, if there is one. */
export function step(place: Place, by: 1 | -1): Match | TranscriptHit | null {
  const { search, current } = placeState(place);
  const { matches, said } = foundOf(search);
  const next = stepFrom(current, matches.length + said.length, by);
  if (next === null) return null;
  setCurrent(place, next);
  if (next >= matches.length - 2) loadMore(place);
  return matches[next] ?? said[next - matches.length] ?? null;
}

/** The search of one pane, over it. Newest matches come first: Enter goes up, to older ones. */
export function FindBar({
  place,
  onMatch,
  onClose,
  onEverywhere,
}: FindBarProps) {
  const state = usePlace(place);
  if (!state.open) return null;
  const go = (by: 1 | -1) => {
    const match = step(place, by);
    if (match && "pane" in match) onMatch(match);
  };
  const none = foundOf(state.search).matches.length === 0;
  const close = () => {
    keepPattern(place);
    closeSearch(place);
    onClose();
  };
  return (
    <div className="find-bar" data-testid="find-bar">
      <SearchBox
        place={place}
        label="Find in this pane"
        placeholder="Find in this pane"
        testId="find-input"
        onStep={go}
        onClose={close}
      />
      <div className="find-tools">
        <span className="find-count" role="status" data-testid="find-count">
          {describeCount(state, false)}
        </span>
        <IconButton
          label="Older match"
          hint="Enter"
          disabled={none}
          onClick={() => go(1)}
        >
          <UpIcon size={14} />
        </IconButton>
        <IconButton
          label="Newer match"
          hint="Shift+Enter"
          disabled={none}
          onClick={() => go(-1)}
        >
          <DownIcon size={14} />
        </IconButton>
        {onEverywhere && (
          <IconButton
            label="Search everything for this"
            onClick={() => onEverywhere(state.query.pattern)}
          >
            <SearchIcon size={14} />
          </IconButton>
        )}
        <IconButton label="Close" hint="Esc" onClick={close}>
          <CloseIcon size={14} />
        </IconButton>
      </div>
    </div>
  );
}
