import { create } from "zustand";
import type { PaneId } from "../bindings";
import { useDock } from "../shared/dock/dock";
import { notify } from "../shared/notices";
import { usePanes } from "./pane-store";
import { activePane, paneOfParams, TERMINAL } from "./pane-tabs";

/** Panes that are typed into together: what is typed into one of them goes to each. */
export const useBroadcast = create<{ panes: PaneId[] }>(() => ({ panes: [] }));

/** What a terminal reports by itself (the mouse, the focus) means that terminal alone. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: reports begin with it
const REPORT = /^\x1b\[(?:[IO]$|M|<[\d;]+[Mm]$)/;

/** The other panes that what is typed into one goes to. */
export function alsoTo(pane: PaneId, data: string): PaneId[] {
  const { panes } = useBroadcast.getState();
  if (!panes.includes(pane) || REPORT.test(data)) return [];
  const known = usePanes.getState().panes;
  return panes.filter((other) => other !== pane && known[other]);
}

/** The pane that has the keys joins those that are typed into together, or leaves them. */
export function toggleBroadcast(pane = activePane()): void {
  if (pane === null) return;
  useBroadcast.setState(({ panes }) => ({
    panes: panes.includes(pane)
      ? panes.filter((other) => other !== pane)
      : [...panes, pane],
  }));
}

/** All terminals that are on show are typed into together. */
export function broadcastToShown(): void {
  const groups = useDock.getState().api?.groups ?? [];
  const panes = groups.flatMap(({ activePanel }) => {
    if (activePanel?.api.component !== TERMINAL) return [];
    const pane = paneOfParams(activePanel.params);
    return pane === null || !activePanel.api.isVisible ? [] : [pane];
  });
  if (panes.length > 1) useBroadcast.setState({ panes });
  else notify("info", "There is one terminal on show only.");
}

export function endBroadcast(): void {
  useBroadcast.setState({ panes: [] });
}

/** Panes that are gone are typed into no more. */
export function followBroadcast(): () => void {
  return usePanes.subscribe(({ panes: known }) => {
    const { panes } = useBroadcast.getState();
    const left = panes.filter((pane) => known[pane]);
    if (left.length < panes.length) useBroadcast.setState({ panes: left });
  });
}
