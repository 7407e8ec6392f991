import { backend } from "../backend/backend";
import type { PaneId, WindowId } from "../bindings";
import { closePanel } from "../shared/dock/closed";
import {
  activate,
  activePanel,
  findPanel,
  openPanel,
  type Where,
} from "../shared/dock/dock";
import { reportFailure } from "../shared/notices";
import { windowOfPane } from "../shared/windows";
import { withHost } from "./hosts";
import { paneTitle, usePanes } from "./pane-store";
import type { MarkedMatch } from "./terminal-marks";

/** The kind of a panel that shows a pane. */
export const TERMINAL = "terminal";

/** The pane that a panel shows; `null` when it shows something else. */
export function paneOfParams(params: unknown): PaneId | null {
  if (typeof params !== "object" || params === null) return null;
  const pane = (params as { pane?: unknown }).pane;
  return typeof pane === "number" ? pane : null;
}

export function panelOfPane(pane: PaneId) {
  return findPanel(
    (panel) =>
      panel.api.component === TERMINAL && paneOfParams(panel.params) === pane,
  );
}

/** The pane whose tab has the focus. */
export function activePane(): PaneId | null {
  const panel = activePanel();
  if (!panel || panel.api.component !== TERMINAL) return null;
  return paneOfParams(panel.params);
}

/**
 * Opens the tab of a pane, or brings it forward, in whichever window it is; the keys are its own then, unless they are to
 * stay where they are.
 */
export function showPane(
  pane: PaneId,
  where: Where = "tab",
  focus = true,
): void {
  const present = panelOfPane(pane);
  const elsewhere = present ? null : windowOfPane(pane);
  if (elsewhere !== null) {
    void showElsewhere(elsewhere, pane, null);
    return;
  }
  if (present) activate(present);
  else openTab(pane, where);
  if (!focus) return;
  withHost(pane, (host) => {
    // By the time it shows something, the person may have turned to another one.
    if (activePane() === pane) host.focus();
  });
}

/** Shows a pane, and what was found in it, in the window that has its tab. */
async function showElsewhere(
  window: WindowId,
  pane: PaneId,
  found: MarkedMatch | null,
): Promise<void> {
  reportFailure(
    await backend.sendToWindow(window, {
      errand: "pane",
      pane,
      found: found && JSON.stringify(found),
    }),
  );
}

/** Opens a tab for a pane; `quiet`: behind what is in front. */
export function openTab(pane: PaneId, where: Where, quiet = false): void {
  const info = usePanes.getState().panes[pane];
  openPanel(
    {
      id: `${TERMINAL}-${pane}`,
      kind: TERMINAL,
      title: info ? paneTitle(info) : "",
      params: { pane },
    },
    where,
    quiet,
  );
}

/** Takes a pane's tab away; its program goes on, and the sidebar keeps it. */
export function hideTab(pane: PaneId): void {
  const panel = panelOfPane(pane);
  if (panel) closePanel(panel.id);
}

/**
 * Brings a pane forward and a line of it into view. Calls `older` when the view does not hold that line.
 */
export function revealLine(
  pane: PaneId,
  match: MarkedMatch,
  focus: boolean,
  older: () => void,
): void {
  if (!usePanes.getState().panes[pane]) {
    older();
    return;
  }
  const elsewhere = windowOfPane(pane);
  if (elsewhere !== null) {
    // Who only looks through what was found stays in this window.
    if (focus) void showElsewhere(elsewhere, pane, match);
    else older();
    return;
  }
  showPane(pane, "tab", false);
  withHost(pane, (host) => {
    if (!host.revealMatch(match)) older();
    else if (focus) host.focus();
  });
}
