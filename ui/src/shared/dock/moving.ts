import { backend } from "../../backend/backend";
import type { Errand, WindowId } from "../../bindings";
import type { MenuItem } from "../ContextMenu";
import { keyOf } from "../commands";
import { reportFailure } from "../notices";
import { otherWindows, tellShown, windowTitle } from "../windows";
import { openPanel, type PanelSpec, removePanel, useDock } from "./dock";

/** Tabs that go from one window to another. */

/** Moves a tab to another window, or to a new one. A window that has no tab left by that is closed. */
export async function moveTab(id: string, to: WindowId | null): Promise<void> {
  const { api } = useDock.getState();
  const panel = api?.getPanel(id);
  if (!api || !panel) return;
  const spec: PanelSpec = {
    id,
    kind: panel.api.component,
    title: panel.title ?? "",
    params: panel.params ?? {},
  };
  // A pane is never in two windows: they would each give it their size.
  removePanel(id);
  await tellShown();
  const errand: Errand = { errand: "tab", tab: JSON.stringify(spec) };
  const sent =
    to === null
      ? await backend.newWindow(errand)
      : await backend.sendToWindow(to, errand);
  if (reportFailure(sent)) openPanel(spec);
  else if (api.totalPanels === 0) void backend.closeWindow();
}

/** A tab that another window gave away; `null` when it is none. */
export function readTab(tab: string): PanelSpec | null {
  try {
    const read = JSON.parse(tab) as Partial<PanelSpec> | null;
    const { id, kind, title, params } = read ?? {};
    if (typeof id !== "string" || typeof kind !== "string") return null;
    return { id, kind, title: title ?? "", params: params ?? {} };
  } catch {
    return null;
  }
}

/** What a tab's menu offers: the windows that it can be moved to. */
export function movingItems(id: string): MenuItem[] {
  return [
    {
      title: "Move to a new window",
      hint: keyOf("window.move_tab"),
      run: () => void moveTab(id, null),
    },
    ...otherWindows().map((other) => ({
      title: `Move to ${windowTitle(other)}`,
      run: () => void moveTab(id, other.id),
    })),
  ];
}
