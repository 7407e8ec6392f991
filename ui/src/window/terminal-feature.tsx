import { FindBar } from "../search/FindBar";
import type { Place } from "../search/search-store";
import type { Destination } from "../shared/destinations";
import {
  useInFront,
  useMoved,
  useParams,
  useVisible,
} from "../shared/dock/panel";
import type { Feature } from "../shared/feature";
import { shortPath } from "../shared/paths";
import { useSettings } from "../shared/settings-store";
import { followAttention } from "../terminal/attention";
import { followBroadcast } from "../terminal/broadcast";
import { reopenTerminal } from "../terminal/pane-life";
import {
  panesInOrder,
  paneTitle,
  startPanes,
  usePanes,
} from "../terminal/pane-store";
import { paneOfParams, showPane, TERMINAL } from "../terminal/pane-tabs";
import { Questions } from "../terminal/Questions";
import { StatusItems } from "../terminal/StatusItems";
import { TerminalTab } from "../terminal/TerminalTab";
import { TerminalView } from "../terminal/TerminalView";
import { terminalCommands } from "../terminal/terminal-commands";
import { setTerminalSurroundings } from "../terminal/terminal-surroundings";
import { usePanesInRuns } from "./panes-in-runs";
import { focusPane, goWithinPane, openPanelSearch } from "./search-in-panes";
import { askWhereTo } from "./sending";

/** A pane, and the bar that finds in it. */
function TerminalPanel() {
  const visible = useVisible();
  const active = useInFront();
  const pane = paneOfParams(useParams());
  // Dropped in another place, it goes on being typed into.
  useMoved(() => {
    if (pane !== null) focusPane(pane);
  });
  if (pane === null) return null;
  const place: Place = `pane-${pane}`;
  return (
    <TerminalView pane={pane} visible={visible} active={active}>
      <FindBar
        place={place}
        onMatch={goWithinPane}
        onClose={() => focusPane(pane)}
        onEverywhere={openPanelSearch}
      />
    </TerminalView>
  );
}

function usePaneDestinations(): Destination[] {
  const panes = usePanes((state) => state.panes);
  const home = useSettings((state) => state.platform?.home ?? "");
  return panesInOrder({ panes }).map((pane) => ({
    key: `${TERMINAL}-${pane.id}`,
    kind: "Pane",
    title: paneTitle(pane),
    detail: [pane.busy ? pane.command : null, shortPath(pane.cwd, home)]
      .filter(Boolean)
      .join(" · "),
    open: () => showPane(pane.id),
  }));
}

export const terminalFeature: Feature = {
  name: "terminal",
  commands: terminalCommands(),
  views: {
    [TERMINAL]: {
      view: TerminalPanel,
      tab: TerminalTab,
      reopen: (closed) => void reopenTerminal(closed),
    },
  },
  useItems: usePanesInRuns,
  useDestinations: usePaneDestinations,
  status: StatusItems,
  dialogs: Questions,
  prepare: startPanes,
  start: () => {
    setTerminalSurroundings({
      searchFor: openPanelSearch,
      sendOn: askWhereTo,
    });
    const stops = [followAttention(), followBroadcast()];
    return () => {
      for (const stop of stops) stop();
    };
  },
};
