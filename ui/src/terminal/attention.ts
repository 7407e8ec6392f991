import { backend } from "../backend/backend";
import type { PaneId } from "../bindings";
import { setNeeds, tellPerson } from "../shared/needs-you";
import { paneTitle, usePanes } from "./pane-store";
import { showPane } from "./pane-tabs";

/** Puts panes that ask for the person among what needs them, and passes on what programs say through the desktop. */
export function followAttention(): () => void {
  const since = new Map<PaneId, number>();
  const follow = ({ panes }: ReturnType<typeof usePanes.getState>) => {
    const needing = Object.values(panes).filter(
      (pane) => pane.attention === "needs_you",
    );
    const ids = new Set(needing.map((pane) => pane.id));
    for (const id of since.keys()) if (!ids.has(id)) since.delete(id);
    setNeeds(
      "panes",
      needing.map((pane) => {
        const at = since.get(pane.id) ?? Date.now();
        since.set(pane.id, at);
        return {
          id: String(pane.id),
          kind: pane.role === "agent" ? "agent" : "pane",
          title: paneTitle(pane),
          ...(pane.attention_message && { detail: pane.attention_message }),
          since: at,
          open: () => showPane(pane.id),
        };
      }),
    );
  };
  follow(usePanes.getState());
  const stopPanes = usePanes.subscribe(follow);
  const stopEvents = backend.onPaneHappened((event) => {
    if (event.event !== "notified") return;
    const pane = usePanes.getState().panes[event.id];
    // One message per wish: a need of the same words is told as such.
    if (
      pane?.attention === "needs_you" &&
      pane.attention_message === event.body
    )
      return;
    tellPerson(
      event.title || (pane ? paneTitle(pane) : "Switchyard"),
      event.body,
    );
  });
  return () => {
    stopPanes();
    stopEvents();
    setNeeds("panes", []);
  };
}
