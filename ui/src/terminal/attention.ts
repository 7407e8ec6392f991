import { backend } from "../backend/backend";
import type { PaneId } from "../bindings";
import { paneTitle, usePanes } from "./pane-store";

/** Tells the person through the desktop when something needs them and the window is not looked at. */
export function followAttention(): () => void {
  const told = new Map<PaneId, string>();
  const stopPanes = usePanes.subscribe(({ panes }) => {
    for (const pane of Object.values(panes)) {
      if (pane.attention !== "needs_you") {
        told.delete(pane.id);
        continue;
      }
      const message = pane.attention_message ?? "";
      if (told.get(pane.id) === message) continue;
      told.set(pane.id, message);
      tell(`${paneTitle(pane)} needs you`, message);
    }
  });
  const stopEvents = backend.onPaneEvent((event) => {
    if (event.event !== "notified") return;
    const pane = usePanes.getState().panes[event.id];
    // One message per wish: an attention message of the same words was told already.
    if (told.get(event.id) === event.body) return;
    tell(event.title || (pane ? paneTitle(pane) : "Switchyard"), event.body);
  });
  return () => {
    stopPanes();
    stopEvents();
  };
}

function tell(title: string, body: string): void {
  if (document.hasFocus()) return;
  void backend.notifyPerson(title, body);
}
