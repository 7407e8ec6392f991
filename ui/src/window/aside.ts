import { activePane } from "../terminal/pane-tabs";
import { showAside } from "../workspace/workspace-store";
import { focusPane } from "./search-in-panes";

/** Gives the keys to the pane in front; whether there is one. */
export function focusInFront(): boolean {
  const pane = activePane();
  if (pane !== null) focusPane(pane);
  return pane !== null;
}

/** The right side closes, and the keys are the pane's again. */
export function leaveAside(): void {
  showAside(null);
  focusInFront();
}
