import { backend } from "../backend/backend";
import type {
  ClosedPane,
  LineId,
  Match,
  PaneId,
  TranscriptHit,
} from "../bindings";
import { conversationLabel } from "../search/conversation-label";
import { step } from "../search/FindBar";
import type { PaneLabel } from "../search/pane-label";
import {
  foundOf,
  hasFound,
  openSearch,
  placeState,
  useSearch,
} from "../search/search-store";
import type { Command } from "../shared/commands";
import { type ClosedPanel, putBack } from "../shared/dock/closed";
import {
  activate,
  activePanel,
  findPanel,
  openPanel,
  type PanelSpec,
} from "../shared/dock/dock";
import { notify } from "../shared/notices";
import { baseName, shortPath } from "../shared/paths";
import { useSettings } from "../shared/settings-store";
import { selectedText } from "../terminal/clipboard";
import { hostOf, liveHosts, useHosts, withHost } from "../terminal/hosts";
import { paneTitle, usePanes } from "../terminal/pane-store";
import { activePane, paneOfParams, revealLine } from "../terminal/pane-tabs";
import { lastOutput } from "../terminal/prompts";
import type { MarkedMatch } from "../terminal/terminal-marks";
import { showAside, useWorkspace } from "../workspace/workspace-store";

/** Where search meets panes: labels of panes in results, the way to a line, marks in the views. */

export const HISTORY = "history";
export const TRANSCRIPT = "transcript";

const closed = new Map<PaneId, ClosedPane>();

/** How often closed panes are asked for that nothing is known of, and how long after one another. */
const LEARN_TRIES = 5;
const LEARN_AGAIN_MS = 1000;

/** Learns what the closed panes were; results of unknown panes ask for it. */
export async function learnClosedPanes(): Promise<void> {
  const panes = await backend.closedPanes();
  if (panes.status === "error") return;
  for (const pane of panes.data) closed.set(pane.id, pane);
  // Labels are read while drawing: let the results be drawn again.
  useSearch.setState(({ places }) => ({
    places: Object.fromEntries(
      Object.entries(places).map(([name, place]) => [name, { ...place }]),
    ),
  }));
}

export function labelOf(pane: PaneId): PaneLabel {
  const home = useSettings.getState().platform?.home ?? "";
  const live = usePanes.getState().panes[pane];
  if (live)
    return {
      title: paneTitle(live),
      detail: shortPath(live.cwd, home),
      closed: false,
    };
  const gone = closed.get(pane);
  if (!gone) return { title: `Pane ${pane}`, detail: "", closed: true };
  const time = new Date(gone.ended_at ?? gone.opened_at).toLocaleString([], {
    dateStyle: "medium",
    timeStyle: "short",
  });
  const program = baseName(gone.program[0] ?? "");
  const title = paneTitle({ ...gone, title: gone.title || program });
  const where = `${shortPath(gone.cwd, home)} · ${time}`;
  return {
    title,
    detail: title === program ? where : `${program} · ${where}`,
    closed: true,
  };
}

let visits = 0;

/** Opens what a pane printed, to read, at a line; a `quiet` one stays behind what is in front. */
export function openHistory(
  pane: PaneId,
  line: number | null,
  quiet = false,
): void {
  visits++;
  const spec = {
    ...historyPanel(pane, labelOf(pane).title),
    params: { pane, line, visit: visits },
  };
  const present = findPanel((panel) => panel.id === spec.id);
  if (present) {
    present.api.updateParameters(spec.params);
    if (!quiet) activate(present);
    return;
  }
  openPanel(spec, quiet ? "tab" : "roomy", quiet);
}

/** The panel that shows what a pane printed, from its end. */
export function historyPanel(pane: PaneId, name: string | null): PanelSpec {
  return {
    id: `${HISTORY}-${pane}`,
    kind: HISTORY,
    title: name === null ? "History" : `History: ${name}`,
    params: { pane, line: null },
  };
}

/** The line in the middle of each history that is or was open. */
const reading = new Map<PaneId, LineId>();

export function readsAt(pane: PaneId, line: LineId): void {
  reading.set(pane, line);
}

/** Opens a history that was closed where it was, at the line that was read. */
export function reopenHistory(closed: ClosedPanel): void {
  const pane = paneOfParams(closed.params);
  if (pane === null) return;
  const line = reading.get(pane) ?? closed.params.line ?? null;
  visits++;
  const { id, title } = closed;
  const params = { pane, line, visit: visits };
  putBack(closed, { id, kind: HISTORY, title, params });
}

function marked(match: Match): MarkedMatch {
  const { pane, line, content, ranges } = match;
  return { pane, line, content, ranges };
}

/** The pane in which the lines of another one may be on show: itself, or the one that opened in its place. */
function paneWithLinesOf(pane: PaneId): PaneId {
  const { panes } = usePanes.getState();
  if (panes[pane]) return pane;
  const next = Object.values(panes).find(({ earlier = [] }) =>
    earlier.some((end) => end.pane === pane),
  );
  return next?.id ?? pane;
}

/** Goes to a match: its pane comes forward and scrolls to the line; a line that the view does not hold opens as history. */
export function goToMatch(match: Match, stay = false): void {
  if (match.full_screen) {
    // What a full-screen program showed is on no row any more.
    openHistory(match.pane, match.line);
    return;
  }
  revealLine(paneWithLinesOf(match.pane), marked(match), !stay, () =>
    openHistory(match.pane, match.line),
  );
}

/** Opens a conversation at the message that was found. */
export function goToSaid(hit: TranscriptHit): void {
  visits++;
  const { agent, file, session } = hit.conversation;
  const { title } = conversationLabel(hit.conversation, null);
  const spec = {
    id: `${TRANSCRIPT}-${agent}-${file}-${session}`,
    kind: TRANSCRIPT,
    title,
    params: { hit, visit: visits },
  };
  const present = findPanel((panel) => panel.id === spec.id);
  present?.api.updateParameters(spec.params);
  openPanel(spec, "roomy");
}

/** What led to a conversation, as its panel keeps it. */
export function hitOfParams({
  hit,
}: Record<string, unknown>): TranscriptHit | null {
  // What a window kept is of its own making.
  return typeof hit === "object" && hit !== null && "message" in hit
    ? (hit as TranscriptHit)
    : null;
}

/** Goes to a match of the find bar: within the view that is there, without moving the focus out of the bar. */
export function goWithinPane(match: Match): void {
  const host = hostOf(paneWithLinesOf(match.pane));
  if (match.full_screen || !host?.revealMatch(marked(match)))
    openHistory(match.pane, match.line);
}

/** Keeps the marks in the views what the searches found. */
export function followMarks(): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  function paint() {
    timer = null;
    for (const host of liveHosts()) {
      if (!host.isShown) continue;
      const bar = placeState(`pane-${host.pane}`);
      const panel = placeState("panel");
      const source =
        bar.open && bar.query.pattern !== ""
          ? bar
          : useWorkspace.getState().aside === "search"
            ? panel
            : null;
      const matches = source ? foundOf(source.search).matches : [];
      const current =
        source?.current === null || source?.current === undefined
          ? null
          : (matches[source.current] ?? null);
      host.markMatches(
        matches.filter(({ pane }) => host.shows(pane)).map(marked),
        current && host.shows(current.pane) ? marked(current) : null,
      );
    }
  }
  const soon = () => {
    if (timer === null) timer = setTimeout(paint, 60);
  };
  let asked: ReturnType<typeof setTimeout> | null = null;
  let askedFor: unknown = null;
  let tries = 0;
  function learnUnknown(): void {
    const { search } = placeState("panel");
    if (search !== askedFor) tries = 0;
    askedFor = search;
    if (asked !== null || tries === LEARN_TRIES) return;
    const { matches } = foundOf(search);
    const { panes } = usePanes.getState();
    if (matches.every(({ pane }) => panes[pane] || closed.has(pane))) return;
    tries += 1;
    // One that was closed a moment ago may not be among the closed ones yet.
    asked = setTimeout(() => {
      asked = null;
      learnUnknown();
    }, LEARN_AGAIN_MS);
    void learnClosedPanes();
  }
  let before = useSearch.getState().places;
  const stops = [
    useSearch.subscribe(({ places }) => {
      if (places === before) return;
      before = places;
      soon();
      learnUnknown();
    }),
    useHosts.subscribe(soon),
    useWorkspace.subscribe(soon),
  ];
  return () => {
    for (const stop of stops) stop();
    if (timer !== null) clearTimeout(timer);
    if (asked !== null) clearTimeout(asked);
  };
}

/** One line of a selection is a pattern; more is not. */
function pattern(): string | null {
  const text = selectedText();
  return text !== "" && !text.includes("\n") && text.length <= 200
    ? text
    : null;
}

export function openPanelSearch(text: string | null = null): void {
  showAside("search");
  openSearch("panel", text === null ? {} : { pattern: text, regex: false });
}

/** The commands of search, with the panes that they need. */
export function searchCommands(): Command[] {
  const group = "Search";
  const history = () => {
    const panel = activePanel();
    return panel?.api.component === HISTORY ? paneOfParams(panel.params) : null;
  };
  return [
    {
      id: "search.find",
      title: "Find in this pane",
      group,
      key: "Ctrl+Shift+F",
      enabled: () => activePane() !== null || history() !== null,
      run: () => {
        const read = history();
        if (read !== null) {
          openSearch(`history-${read}`);
          return;
        }
        const pane = activePane();
        if (pane === null) return;
        const text = pattern();
        openSearch(`pane-${pane}`, text === null ? {} : { pattern: text });
      },
    },
    {
      id: "search.panel",
      title: "Search everything",
      group,
      key: "Ctrl+Shift+G",
      run: () => openPanelSearch(pattern()),
    },
    {
      id: "search.selection",
      title: "Search the selection everywhere",
      group,
      key: "Ctrl+Shift+H",
      enabled: () => pattern() !== null,
      run: () => openPanelSearch(pattern()),
    },
    {
      id: "search.last_output",
      title: "Search within the last command's output",
      group,
      enabled: () => activePane() !== null,
      run: () => void searchLastOutput(),
    },
    {
      id: "search.history",
      title: "Read all that this pane printed",
      group,
      enabled: () => activePane() !== null,
      run: () => {
        const pane = activePane();
        if (pane !== null) openHistory(pane, null);
      },
    },
    {
      id: "search.next",
      title: "Next match",
      group,
      key: "F3",
      enabled: () => anyMatches(),
      run: () => stepPanel(1),
    },
    {
      id: "search.previous",
      title: "Previous match",
      group,
      key: "Shift+F3",
      enabled: () => anyMatches(),
      run: () => stepPanel(-1),
    },
  ];
}

function anyMatches(): boolean {
  return (
    useWorkspace.getState().aside === "search" &&
    hasFound(foundOf(placeState("panel").search))
  );
}

function stepPanel(by: 1 | -1): void {
  const found = step("panel", by);
  if (found && "pane" in found) goToMatch(found);
  else if (found) goToSaid(found);
}

async function searchLastOutput(): Promise<void> {
  const pane = activePane();
  if (pane === null) return;
  const output = await lastOutput(pane);
  if (!output) {
    notify("info", "The shell of this pane has not marked a command's output.");
    return;
  }
  showAside("search");
  openSearch("panel", {
    scope: "pane",
    pane,
    lines: output,
  });
}

/** Gives the keys to a pane. */
export function focusPane(pane: PaneId): void {
  withHost(pane, (host) => host.focus());
}
