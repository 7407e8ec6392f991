import { activePane } from "../terminal/actions";
import { showAside } from "../workspace/workspace-store";
import { focusPane } from "./search-in-panes";

/** The right side closes, and the keys are the pane's again. */
export function leaveAside(): void {
  showAside(null);
  const pane = activePane();
  if (pane !== null) focusPane(pane);
}
