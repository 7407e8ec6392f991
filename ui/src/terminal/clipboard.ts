import { backend } from "../backend/backend";
import type { PaneId } from "../bindings";
import { reportFailure } from "../shared/notices";
import { useSettings } from "../shared/settings-store";
import { hostOf, liveHosts } from "./hosts";
import { activePane } from "./pane-tabs";
import { pasteRisk } from "./paste-guard";
import { ask } from "./questions";

// ---- Clipboard

export async function copySelection(): Promise<void> {
  const pane = activePane();
  const text = pane === null ? "" : (hostOf(pane)?.selection ?? "");
  if (text === "") return;
  reportFailure(await backend.writeClipboard(text));
}

export function selectedText(): string {
  const pane = activePane();
  return pane === null ? "" : (hostOf(pane)?.selection ?? "");
}

export async function pasteClipboard(pane = activePane()): Promise<void> {
  if (pane === null) return;
  const clipboard = await backend.readClipboard();
  if (reportFailure(clipboard)) return;
  if (clipboard.status === "ok") pasteText(pane, clipboard.data);
}

/** What the middle button pastes: what is selected in a pane, else what is on the clipboard. */
export async function pasteSelection(pane: PaneId): Promise<void> {
  const selected = liveHosts().find((host) => host.selection !== "");
  if (selected) pasteText(pane, selected.selection);
  else await pasteClipboard(pane);
}

/** Pastes text; asks first when it could run something that was not meant. */
export function pasteText(pane: PaneId, text: string): void {
  if (text === "") return;
  const risk = pasteRisk(text);
  if (useSettings.getState().settings?.paste_guard !== false && risk)
    ask({ ask: "paste", pane, text, risk });
  else hostOf(pane)?.paste(text);
}
