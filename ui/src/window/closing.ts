import type { Command } from "../shared/commands";
import {
  type ClosedPanel,
  closePanel,
  putBack,
  takeClosed,
  useClosed,
} from "../shared/dock/closed";
import { activePanel } from "../shared/dock/dock";
import { notify } from "../shared/notices";
import { requestClose } from "../terminal/pane-life";
import { activePane } from "../terminal/pane-tabs";
import { views } from "./features";

/** Closing tabs of every kind, and bringing them back. */

function closeTab(): void {
  const pane = activePane();
  const panel = activePanel();
  if (pane !== null) void requestClose(pane);
  else if (panel) closePanel(panel.id);
}

/** Brings back what was closed last; asked again, what was closed before it. */
function reopenClosed(): void {
  const closed = takeClosed();
  if (closed) reopen(closed);
  else notify("info", "Nothing was closed in this window.");
}

function reopen(closed: ClosedPanel): void {
  const { id, kind, title, params } = closed;
  const own = views[kind]?.reopen;
  if (own) own(closed);
  else putBack(closed, { id, kind, title, params });
}

/** Offers for a while to take each closing back. */
export function offerUndo(): () => void {
  return useClosed.subscribe(({ closed }, { closed: before }) => {
    const last = closed.at(-1);
    if (!last || closed.length < before.length) return;
    const kept = views[last.kind]?.holdsDraft?.(last.params)
      ? " What you wrote there is kept."
      : "";
    notify(
      "info",
      `Closed ${last.title || "a tab"}.${kept}`,
      { label: "Bring it back", run: reopenClosed },
      "closed",
    );
  });
}

export function closingCommands(): Command[] {
  const group = "Panes";
  return [
    {
      id: "pane.close",
      title: "Close the tab",
      group,
      key: "Ctrl+Shift+W",
      enabled: () => activePanel() !== null,
      run: closeTab,
    },
    {
      id: "tab.reopen",
      title: "Bring back the tab that was closed last",
      group,
      key: "Ctrl+Shift+Z",
      run: reopenClosed,
    },
  ];
}
