import { backend } from "../backend/backend";
import type { Command } from "../shared/commands";
import {
  cycleTab,
  focusWay,
  moveWay,
  shiftTab,
  toggleZoom,
} from "../shared/dock/dock";
import { notify } from "../shared/notices";
import { zoomBy } from "../shared/settings-store";
import { blockCommands } from "./block-commands";
import { endBroadcast, useBroadcast } from "./broadcast";
import { broadcastToShown, toggleBroadcast } from "./broadcast-commands";
import { copySelection, pasteClipboard } from "./clipboard";
import { hostOf } from "./hosts";
import { copyMode, quickSelect } from "./modes";
import { closeEnded, endedPanes, newTerminal } from "./pane-life";
import { activePane, hideTab } from "./pane-tabs";
import { ask, startRenaming } from "./questions";

/** Everything that can be done with panes. */
export function terminalCommands(): Command[] {
  const inPane = () => activePane() !== null;
  const withPane = (act: (pane: number) => void) => () => {
    const pane = activePane();
    if (pane !== null) act(pane);
  };
  const command = (
    id: string,
    title: string,
    key: string | undefined,
    run: () => void,
    enabled?: () => boolean,
  ): Command => ({
    id,
    title,
    group: "Panes",
    ...(key && { key }),
    run,
    ...(enabled && { enabled }),
  });
  return [
    command(
      "pane.new",
      "New terminal",
      "Ctrl+Shift+T",
      () => void newTerminal(),
    ),
    command(
      "pane.new_private",
      "New private terminal: keeps nothing on disk",
      undefined,
      () => void newTerminal("tab", { private: true }),
    ),
    command(
      "pane.split_right",
      "Split right",
      "Ctrl+Shift+D",
      () => void newTerminal("right"),
    ),
    command(
      "pane.split_down",
      "Split down",
      "Ctrl+Shift+E",
      () => void newTerminal("down"),
    ),
    command(
      "pane.hide",
      "Hide the tab, keep the pane running",
      undefined,
      withPane(hideTab),
      inPane,
    ),
    command(
      "pane.rename",
      "Rename the pane",
      "Ctrl+Shift+R",
      withPane(startRenaming),
      inPane,
    ),
    command(
      "pane.zoom",
      "Zoom the pane, or unzoom",
      "Ctrl+Shift+Enter",
      toggleZoom,
    ),
    command(
      "pane.focus_left",
      "Focus the pane on the left",
      "Ctrl+Shift+Left",
      () => focusWay("left"),
    ),
    command(
      "pane.focus_right",
      "Focus the pane on the right",
      "Ctrl+Shift+Right",
      () => focusWay("right"),
    ),
    command("pane.focus_up", "Focus the pane above", "Ctrl+Shift+Up", () =>
      focusWay("up"),
    ),
    command("pane.focus_down", "Focus the pane below", "Ctrl+Shift+Down", () =>
      focusWay("down"),
    ),
    command("tab.next", "Next tab", "Ctrl+Tab", () => cycleTab(1)),
    command("tab.previous", "Previous tab", "Ctrl+Shift+Tab", () =>
      cycleTab(-1),
    ),
    command(
      "tab.move_left",
      "Move the tab into the group on the left, or a split there",
      "Alt+Shift+Left",
      () => moveWay("left"),
    ),
    command(
      "tab.move_right",
      "Move the tab into the group on the right, or a split there",
      "Alt+Shift+Right",
      () => moveWay("right"),
    ),
    command(
      "tab.move_up",
      "Move the tab into the group above, or a split there",
      "Alt+Shift+Up",
      () => moveWay("up"),
    ),
    command(
      "tab.move_down",
      "Move the tab into the group below, or a split there",
      "Alt+Shift+Down",
      () => moveWay("down"),
    ),
    command(
      "tab.shift_left",
      "Move the tab one place to the left among its tabs",
      "Alt+Shift+PageUp",
      () => shiftTab(-1),
    ),
    command(
      "tab.shift_right",
      "Move the tab one place to the right among its tabs",
      "Alt+Shift+PageDown",
      () => shiftTab(1),
    ),
    command(
      "pane.close_ended",
      "Close every pane whose program has ended",
      undefined,
      () => void closeEnded(),
      () => endedPanes().length > 0,
    ),
    command(
      "pane.copy",
      "Copy the selection",
      "Ctrl+Shift+C",
      () => void copySelection(),
      inPane,
    ),
    command(
      "pane.paste",
      "Paste",
      "Ctrl+Shift+V",
      () => void pasteClipboard(),
      inPane,
    ),
    command(
      "pane.select_all",
      "Select everything in the pane",
      undefined,
      withPane((pane) => hostOf(pane)?.selectAll()),
      inPane,
    ),
    command(
      "pane.copy_mode",
      "Copy mode: move, select and copy by keys",
      "Ctrl+Shift+Space",
      withPane(copyMode),
      inPane,
    ),
    command(
      "pane.quick_select",
      "Quick select: copy a path, link or hash by its letters",
      "Ctrl+Shift+Y",
      withPane(quickSelect),
      inPane,
    ),
    command(
      "pane.broadcast",
      "Type into several panes: this one joins or leaves",
      undefined,
      withPane(toggleBroadcast),
      inPane,
    ),
    command(
      "pane.broadcast_shown",
      "Type into all panes on show",
      undefined,
      broadcastToShown,
    ),
    command(
      "pane.broadcast_end",
      "Type into one pane again",
      undefined,
      endBroadcast,
      () => useBroadcast.getState().panes.length > 0,
    ),
    command(
      "pane.scroll_to_end",
      "Scroll to the end",
      "Ctrl+Shift+End",
      withPane((pane) => hostOf(pane)?.scrollToEnd()),
      inPane,
    ),
    ...blockCommands(),
    command("view.larger", "Larger text", "Ctrl+=", () => zoomBy(1)),
    command("view.smaller", "Smaller text", "Ctrl+-", () => zoomBy(-1)),
    command("view.usual_size", "Usual text size", "Ctrl+0", () => zoomBy(null)),
    command(
      "history.purge",
      "Remove the history of closed panes from disk…",
      undefined,
      () => void askToPurge(),
    ),
  ];
}

/** Asks before the history of closed panes is removed: there is no way back. */
async function askToPurge(): Promise<void> {
  const closed = await backend.closedPanes();
  if (closed.status === "error") notify("error", closed.error.message);
  else if (closed.data.length === 0)
    notify("info", "There is no history of closed panes.");
  else ask({ ask: "purge", panes: closed.data.map((pane) => pane.id) });
}
