import { create } from "zustand";
import { backend } from "../backend/backend";
import type {
  Case,
  LineId,
  Match,
  PaneId,
  SearchAnswer,
  SearchProgress,
  SearchRequest,
  TranscriptAnswer,
  TranscriptHit,
} from "../bindings";
import { rememberSearch } from "../shared/window-state";

/**
 * Where a search is shown: the panel over all panes, the find bar of one pane, the find box of one history view. One
 * feature, one store; a place only decides what is searched and how it is drawn.
 */
export type Place = "panel" | `pane-${PaneId}` | `history-${PaneId}`;

export type ScopeName =
  /** All panes, and what agents wrote down. */
  "everything" | "live" | "all" | "closed" | "conversations" | "pane";

/** When what is looked for was printed. */
export type When = "any" | "minutes" | "hour" | "today" | "week";

/** What is looked for, as the person set it. */
export interface Query {
  pattern: string;
  regex: boolean;
  case: Case;
  wholeWord: boolean;
  scope: ScopeName;
  /** The pane, when the scope is one. */
  pane: PaneId | null;
  oldestFirst: boolean;
  /** Only these lines, of that pane: one command's output. */
  lines: { from: LineId; to: LineId } | null;
  when: When;
  /** Only panes that work in this directory, or did; `null`: anywhere. */
  directory: string | null;
}

export interface Found {
  matches: Match[];
  /** What was found in conversations that agents wrote down; it comes behind the matches. */
  said: TranscriptHit[];
  /** How many matches there are, returned or not, and in how many panes. */
  total: number;
  panes: number;
  /** The same of what was said. */
  saidTotal: number;
  conversations: number;
}

export type Search =
  | { status: "idle" }
  /** `fresh`: what is shown is of this search, not of the one before, which stays on screen until the first news. */
  | { status: "running"; id: number; found: Found; fresh: boolean }
  | {
      status: "done";
      found: Found;
      reason: string | null;
      cursor: string | null;
    }
  | { status: "failed"; message: string; position: number | null };

export interface PlaceState {
  open: boolean;
  query: Query;
  search: Search;
  /** Which match is the current one; behind the matches, those in conversations are counted on. */
  current: number | null;
  /** Asks the box to take the focus; counts up. */
  focus: number;
}

interface SearchState {
  places: Record<string, PlaceState>;
}

export const noMatches: Found = {
  matches: [],
  said: [],
  total: 0,
  panes: 0,
  saidTotal: 0,
  conversations: 0,
};

export const emptyQuery: Query = {
  pattern: "",
  regex: false,
  case: "smart",
  wholeWord: false,
  scope: "all",
  pane: null,
  oldestFirst: false,
  lines: null,
  when: "any",
  directory: null,
};

export const closedPlace: PlaceState = {
  open: false,
  query: emptyQuery,
  search: { status: "idle" },
  current: null,
  focus: 0,
};

export const useSearch = create<SearchState>(() => ({
  places: {},
}));

/** Matches returned at once; more come when the person goes on. */
export const PAGE = 500;
const DEBOUNCE_MS = 80;

// ---- Transitions: plain functions, fed by commands and what they answer.

export function foundOf(search: Search): Found {
  return search.status === "running" || search.status === "done"
    ? search.found
    : noMatches;
}

export function hasFound({ matches, said }: Found): boolean {
  return matches.length + said.length > 0;
}

/** A search begins; what was found before stays until there is news. */
export function begin(state: PlaceState, id: number): PlaceState {
  return {
    ...state,
    search: {
      status: "running",
      id,
      found: foundOf(state.search),
      fresh: false,
    },
  };
}

/** News of a running search; news of an earlier one change nothing. */
export function takeProgress(
  state: PlaceState,
  id: number,
  progress: SearchProgress,
): PlaceState {
  return takeFound(state, id, (before) =>
    progress.progress === "found"
      ? {
          ...before,
          matches: [...before.matches, ...progress.matches],
          total: Math.max(
            before.total,
            before.matches.length + progress.matches.length,
          ),
        }
      : { ...before, total: progress.total, panes: progress.panes },
  );
}

/** What a running search found in conversations. */
export function takeSaid(
  state: PlaceState,
  id: number,
  hits: TranscriptHit[],
): PlaceState {
  return takeFound(state, id, (before) => ({
    ...before,
    said: [...before.said, ...hits],
    saidTotal: before.said.length + hits.length,
  }));
}

function takeFound(
  state: PlaceState,
  id: number,
  add: (before: Found) => Found,
): PlaceState {
  const { search } = state;
  if (search.status !== "running" || search.id !== id) return state;
  const before = search.fresh ? search.found : noMatches;
  const found = add(before);
  return {
    ...state,
    current: search.fresh ? sameOne(state.current, before, found) : null,
    search: { status: "running", id, found, fresh: true },
  };
}

/** The current one, where more matches came before it. */
function sameOne(current: number | null, before: Found, after: Found) {
  if (current === null) return null;
  const moved =
    current < before.matches.length
      ? current
      : current + after.matches.length - before.matches.length;
  return moved < after.matches.length + after.said.length ? moved : null;
}

/** What a search answers: of panes and of conversations, of either that it was to look in. */
export interface Answers {
  panes: SearchAnswer | null;
  conversations: TranscriptAnswer | null;
}

/** The answer of a search; `more`: it goes on behind what was found before. */
export function takeAnswer(
  state: PlaceState,
  id: number,
  { panes, conversations }: Answers,
  earlier: Found = noMatches,
): PlaceState {
  const { search } = state;
  if (search.status !== "running" || search.id !== id) return state;
  const found: Found = {
    matches: [...earlier.matches, ...(panes?.matches ?? [])],
    said: conversations?.hits ?? earlier.said,
    total: panes?.total ?? 0,
    panes: panes?.panes ?? 0,
    saidTotal: conversations?.total ?? earlier.saidTotal,
    conversations: conversations?.conversations ?? earlier.conversations,
  };
  const kept = earlier.matches.length > 0 || search.fresh;
  const reasons = [panes, conversations].map((answer) =>
    answer?.truncated ? answer.reason : null,
  );
  return {
    ...state,
    current: kept ? sameOne(state.current, search.found, found) : null,
    search: {
      status: "done",
      found,
      reason: reasons.filter((reason) => reason !== null).join("; ") || null,
      cursor: panes?.cursor ?? null,
    },
  };
}

export function takeFailure(
  state: PlaceState,
  id: number,
  message: string,
  position: number | null,
): PlaceState {
  const { search } = state;
  if (search.status !== "running" || search.id !== id) return state;
  return {
    ...state,
    current: null,
    search: { status: "failed", message, position },
  };
}

/** The index of the match after or before the current one; it goes round. */
export function stepFrom(
  current: number | null,
  count: number,
  step: 1 | -1,
): number | null {
  if (count === 0) return null;
  if (current === null) return step > 0 ? 0 : count - 1;
  return (current + step + count) % count;
}

/** When that began, in milliseconds since 1970; `null`: always. */
export function sinceOf(when: When, now: Date): number | null {
  const ago = (minutes: number) => now.getTime() - minutes * 60_000;
  switch (when) {
    case "any":
      return null;
    case "minutes":
      return ago(10);
    case "hour":
      return ago(60);
    case "today":
      return new Date(now).setHours(0, 0, 0, 0);
    case "week":
      return ago(7 * 24 * 60);
  }
}

function scopeOf({ scope, pane }: Query): SearchRequest["scope"] {
  switch (scope) {
    case "pane":
      return { panes: "pane", id: pane ?? 0 };
    case "everything":
    case "conversations":
      return { panes: "all" };
    default:
      return { panes: scope };
  }
}

export function requestOf(query: Query, now: Date): SearchRequest {
  const onePane = query.scope === "pane";
  return {
    pattern: query.pattern,
    limit: PAGE,
    context: onePane ? 0 : 1,
    regex: query.regex,
    case: query.case,
    whole_word: query.wholeWord,
    scope: scopeOf(query),
    order: query.oldestFirst ? "oldest_first" : "newest_first",
    cursor: null,
    ring_only: false,
    lines: query.lines,
    since: sinceOf(query.when, now),
    before: null,
    directory: onePane ? null : query.directory,
  };
}

/** "12 of 3,480 in 7 panes", as far as it is known. */
export function describeCount(state: PlaceState, panes: boolean): string {
  const { search, current } = state;
  if (search.status === "idle" || search.status === "failed") return "";
  const total = search.found.total + search.found.saidTotal;
  const running = search.status === "running";
  if (total === 0) return running ? "Searching…" : "No matches";
  const count = total.toLocaleString("en");
  const of =
    current === null
      ? `${count} ${total === 1 ? "match" : "matches"}`
      : `${(current + 1).toLocaleString("en")} of ${count}`;
  const counted = (count: number, one: string) =>
    count > 0 ? [`${count} ${count === 1 ? one : `${one}s`}`] : [];
  const places = [
    ...counted(search.found.panes, "pane"),
    ...counted(search.found.conversations, "conversation"),
  ];
  const where = panes && places.length > 0 ? ` in ${places.join(" and ")}` : "";
  return `${of}${where}${running ? "…" : ""}`;
}

// ---- Commands

let nextId = 1;

/** The number of the search over conversations that goes with the search over panes of this number. */
function saidIdOf(id: number): number {
  return id + 1;
}

const timers = new Map<Place, ReturnType<typeof setTimeout>>();
/** What each place searched for last. */
const asked = new Map<Place, SearchRequest>();

export function placeState(place: Place): PlaceState {
  return useSearch.getState().places[place] ?? initial(place);
}

export function usePlace(place: Place): PlaceState {
  return useSearch((state) => state.places[place]) ?? initial(place);
}

const initials = new Map<Place, PlaceState>();

function initial(place: Place): PlaceState {
  const known = initials.get(place);
  if (known) return known;
  const pane = place === "panel" ? null : Number(place.split("-")[1]);
  const made: PlaceState = {
    ...closedPlace,
    query: {
      ...emptyQuery,
      scope: pane === null ? "everything" : "pane",
      pane,
    },
  };
  initials.set(place, made);
  return made;
}

function update(place: Place, change: (state: PlaceState) => PlaceState) {
  useSearch.setState(({ places }) => ({
    places: {
      ...places,
      [place]: change(places[place] ?? initial(place)),
    },
  }));
}

/** Opens a place, with a pattern if there is one, and gives its box the focus. */
export function openSearch(place: Place, query: Partial<Query> = {}): void {
  update(place, (state) => ({ ...state, open: true, focus: state.focus + 1 }));
  if (Object.keys(query).length > 0) setQuery(place, query, 0);
  else if (placeState(place).search.status === "idle") searchSoon(place, 0);
}

export function closeSearch(place: Place): void {
  cancel(place);
  update(place, (state) => ({
    ...state,
    open: false,
    search: { status: "idle" },
    current: null,
    query: { ...state.query, lines: null },
  }));
}

/** Changes what is looked for; the search follows a moment later, and the one before is cancelled at once. */
export function setQuery(
  place: Place,
  change: Partial<Query>,
  wait = DEBOUNCE_MS,
): void {
  update(place, (state) => ({
    ...state,
    query: { ...state.query, ...change },
  }));
  searchSoon(place, wait);
}

export function setCurrent(place: Place, current: number | null): void {
  update(place, (state) => ({ ...state, current }));
}

function cancel(place: Place): void {
  const timer = timers.get(place);
  if (timer !== undefined) clearTimeout(timer);
  timers.delete(place);
  const { search } = placeState(place);
  if (search.status !== "running") return;
  void backend.cancelSearch(search.id);
  void backend.cancelSearch(saidIdOf(search.id));
}

function searchSoon(place: Place, wait: number): void {
  cancel(place);
  if (placeState(place).query.pattern === "") {
    update(place, (state) => ({
      ...state,
      search: { status: "idle" },
      current: null,
    }));
    return;
  }
  timers.set(
    place,
    setTimeout(() => void run(place, null), wait),
  );
}

async function run(place: Place, cursor: string | null): Promise<void> {
  timers.delete(place);
  const id = nextId;
  nextId = saidIdOf(id) + 1;
  const goesOn = cursor !== null;
  const { query, search } = placeState(place);
  const earlier = goesOn ? foundOf(search) : noMatches;
  update(place, (state) => begin(state, id));
  // Going on is about the same: an hour ago is not a later time by then.
  const request = (goesOn && asked.get(place)) || requestOf(query, new Date());
  asked.set(place, request);
  // Going on: the list grows when the answer is there, so that nothing is counted twice.
  const told = (take: (state: PlaceState) => PlaceState) => {
    if (!goesOn) update(place, take);
  };
  const [panes, conversations] = await Promise.all([
    query.scope === "conversations"
      ? null
      : backend.search(id, { ...request, cursor }, (progress) =>
          told((state) => takeProgress(state, id, progress)),
        ),
    goesOn || !alsoSaid(query)
      ? null
      : backend.searchTranscripts(saidIdOf(id), request, ({ hits }) =>
          told((state) => takeSaid(state, id, hits)),
        ),
  ]);
  const failed = [panes, conversations].find(
    (answer) => answer?.status === "error",
  );
  update(place, (state) =>
    failed?.status === "error"
      ? takeFailure(state, id, failed.error.message, failed.error.position)
      : takeAnswer(
          state,
          id,
          {
            panes: panes?.status === "ok" ? panes.data : null,
            conversations:
              conversations?.status === "ok" ? conversations.data : null,
          },
          earlier,
        ),
  );
}

/** Whether conversations are looked in. */
function alsoSaid({ scope }: Query): boolean {
  return scope === "everything" || scope === "conversations";
}

/** Goes on behind the last match, when there are more than were returned. */
export function loadMore(place: Place): void {
  const { search } = placeState(place);
  if (search.status === "done" && search.cursor !== null)
    void run(place, search.cursor);
}

/** Keeps a pattern that was really used. */
export function keepPattern(place: Place): void {
  const { pattern } = placeState(place).query;
  if (pattern !== "") void rememberSearch(pattern);
}
