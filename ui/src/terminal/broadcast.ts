import { create } from "zustand";
import type { PaneId } from "../bindings";
import { usePanes } from "./pane-store";

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
