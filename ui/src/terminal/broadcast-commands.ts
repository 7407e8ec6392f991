import { useDock } from "../shared/dock/dock";
import { notify } from "../shared/notices";
import { useBroadcast } from "./broadcast";
import { activePane, paneOfParams, TERMINAL } from "./pane-tabs";

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
