import { backend } from "../backend/backend";
import type { Errand } from "../bindings";
import { openPicker } from "../palette/Picker";
import type { Command } from "../shared/commands";
import type { Destination } from "../shared/destinations";
import {
  activePanel,
  openPanel,
  removePanel,
  useDock,
} from "../shared/dock/dock";
import { moveTab, readTab } from "../shared/dock/moving";
import type { Stop } from "../shared/feature";
import { notify, reportFailure } from "../shared/notices";
import {
  describeWindow,
  isInFront,
  otherWindows,
  tellShown,
  useWindows,
  windowTitle,
} from "../shared/windows";
import { currentDirectory, newTerminal } from "../terminal/pane-life";
import { usePanes } from "../terminal/pane-store";
import {
  panelOfPane,
  paneOfParams,
  revealLine,
  showPane,
  TERMINAL,
} from "../terminal/pane-tabs";
import type { MarkedMatch } from "../terminal/terminal-marks";
import { openHistory } from "./search-in-panes";

/** More than one window: what each shows, what they ask of each other, and their commands. */

/** The panes that have a tab here. */
function ownPanes(): number[] {
  const { api } = useDock.getState();
  return (api?.panels ?? []).flatMap((panel) => {
    const pane = paneOfParams(panel.params);
    return panel.api.component === TERMINAL && pane !== null ? [pane] : [];
  });
}

/** Tells the other windows what this one shows, and does what they ask for. */
export function followWindows(): Stop {
  describeWindow(() => ({
    title: activePanel()?.title ?? "",
    tabs: useDock.getState().panels,
    panes: ownPanes().sort((a, b) => a - b),
  }));
  const tell = () => {
    if (useDock.getState().settled) void tellShown();
  };
  const stops = [
    useDock.subscribe(tell),
    usePanes.subscribe(tell),
    useWindows.subscribe(giveWay),
    backend.onErrandCame(({ window, errand }) => {
      if (window === useWindows.getState().own) void doErrand(errand);
    }),
    backend.onWindowGone(({ shows }) => {
      if (isInFront()) tellGone(shows);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** A pane that came to be in two windows, after a crash say, stays in the one that was there first. */
function giveWay(): void {
  const { own } = useWindows.getState();
  const taken = new Set(
    otherWindows()
      .filter(({ id }) => id < own)
      .flatMap(({ shows }) => shows.panes),
  );
  if (taken.size === 0) return;
  for (const pane of ownPanes()) {
    const panel = taken.has(pane) && panelOfPane(pane);
    if (panel) removePanel(panel.id);
  }
}

function tellGone({ title, tabs }: { title: string; tabs: number }): void {
  if (tabs === 0) return;
  const named = title === "" ? "A window" : `The window “${title}”`;
  const held = tabs === 1 ? "its tab" : `its ${tabs} tabs`;
  notify(
    "info",
    `${named} is closed. What runs in ${held} goes on.`,
    { label: "Bring it back", run: () => void bringBack() },
    "window-gone",
  );
}

async function bringBack(): Promise<void> {
  const reopened = await backend.reopenWindow();
  if (reopened.status === "error") reportFailure(reopened);
  else if (!reopened.data) notify("info", "No window was closed.");
}

/** Does what another window, or the command line, asks for. */
export async function doErrand(errand: Errand): Promise<void> {
  switch (errand.errand) {
    case "terminal":
      await newTerminal("tab", errand.cwd === null ? {} : { cwd: errand.cwd });
      return;
    case "pane": {
      const { pane, found } = errand;
      if (found === null) showPane(pane);
      else {
        const match = JSON.parse(found) as MarkedMatch;
        revealLine(pane, match, true, () =>
          openHistory(match.pane, match.line),
        );
      }
      return;
    }
    case "tab": {
      const spec = readTab(errand.tab);
      const pane = paneOfParams(spec?.params);
      if (!spec) notify("error", "A tab came here that can't be read.");
      else if (spec.kind === TERMINAL && pane !== null) showPane(pane);
      else openPanel(spec);
      return;
    }
    case "come":
      return;
  }
}

async function newWindow(): Promise<void> {
  const cwd = await currentDirectory();
  reportFailure(await backend.newWindow({ errand: "terminal", cwd }));
}

function moveActiveTab(): void {
  const panel = activePanel();
  if (panel) void moveTab(panel.id, null);
}

function chooseWindowForTab(): void {
  const panel = activePanel();
  if (!panel) return;
  openPicker({
    label: "Move the tab to another window",
    placeholder: "To which window?",
    empty: "No other window is called so.",
    choices: otherWindows().map((other) => ({
      key: `window-${other.id}`,
      kind: "Window",
      title: windowTitle(other),
      detail: tabsOf(other.shows.tabs),
      open: () => void moveTab(panel.id, other.id),
    })),
  });
}

function tabsOf(tabs: number): string {
  return tabs === 1 ? "1 tab" : `${tabs} tabs`;
}

/** The other windows, among all that one can go to. */
export function useWindowDestinations(): Destination[] {
  const own = useWindows((state) => state.own);
  const windows = useWindows((state) => state.windows);
  return otherWindows({ own, windows }).map((other) => ({
    key: `window-${other.id}`,
    kind: "Window",
    title: windowTitle(other),
    detail: tabsOf(other.shows.tabs),
    open: () =>
      void backend
        .sendToWindow(other.id, { errand: "come" })
        .then(reportFailure),
  }));
}

export function windowsCommands(): Command[] {
  const group = "Window";
  return [
    {
      id: "window.new",
      title: "New window",
      group,
      key: "Ctrl+Alt+N",
      run: () => void newWindow(),
    },
    {
      id: "window.move_tab",
      title: "Move the tab to a new window",
      group,
      enabled: () => activePanel() !== null,
      run: moveActiveTab,
    },
    {
      id: "window.move_tab_to",
      title: "Move the tab to another window…",
      group,
      enabled: () => activePanel() !== null && otherWindows().length > 0,
      run: chooseWindowForTab,
    },
    {
      id: "window.reopen",
      title: "Bring back the window that was closed last",
      group,
      run: () => void bringBack(),
    },
    {
      id: "window.close",
      title: "Close this window, keep what runs",
      group,
      run: () => void backend.closeWindow().then(reportFailure),
    },
    {
      id: "window.close_all",
      title: "Close all windows until the next start",
      group,
      run: () => void backend.closeAllWindows().then(reportFailure),
    },
  ];
}
