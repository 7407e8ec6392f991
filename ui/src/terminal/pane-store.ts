import { create } from "zustand";
import { backend } from "../backend/backend";
import type { PaneEvent, PaneId, PaneInfo } from "../bindings";
import { notify } from "../shared/notices";
import { isOurs } from "../shared/windows";

/** A program's wish to put text on the clipboard, waiting for the person. */
export interface ClipboardWish {
  pane: PaneId;
  text: string;
}

export interface PanesState {
  panes: Record<PaneId, PaneInfo>;
  /** Whether the panes were listed. */
  listed: boolean;
  wishes: ClipboardWish[];
}

export const emptyPanes: PanesState = { panes: {}, listed: false, wishes: [] };

export const usePanes = create<PanesState>(() => emptyPanes);

/** What an event makes of the panes. */
export function applyPaneEvent(
  state: PanesState,
  event: PaneEvent,
): PanesState {
  switch (event.event) {
    case "opened":
    case "changed":
      return {
        ...state,
        panes: { ...state.panes, [event.pane.id]: event.pane },
      };
    case "closed": {
      const { [event.id]: _gone, ...panes } = state.panes;
      const wishes = state.wishes.filter((wish) => wish.pane !== event.id);
      return { ...state, panes, wishes };
    }
    case "clipboard_write":
      return {
        ...state,
        // One question per pane: a program that keeps asking replaces its own.
        wishes: [
          ...state.wishes.filter((wish) => wish.pane !== event.id),
          { pane: event.id, text: event.text },
        ],
      };
    case "notified":
    case "warned":
    case "lagged":
      return state;
  }
}

/** All panes, oldest first. */
export function panesInOrder(state: Pick<PanesState, "panes">): PaneInfo[] {
  return Object.values(state.panes).sort((a, b) => a.id - b.id);
}

/** What a pane is called: a person's name for it, else its title, else its program. */
export function paneTitle(
  pane: Pick<PaneInfo, "name" | "title" | "program">,
): string {
  const program = pane.program[0]?.split("/").pop() ?? "";
  return pane.name || pane.title || program || "pane";
}

/** A pane's name in full, the title that its program set where the name hides that, and where it works. */
export function paneInFull(pane: PaneInfo): string {
  return [...new Set([paneTitle(pane), pane.title, pane.cwd])]
    .filter((part) => part !== "")
    .join("\n");
}

/** Lists the panes; whether they are known now. */
export async function listPanes(): Promise<boolean> {
  const listed = await backend.listPanes();
  if (listed.status === "error") {
    notify("error", listed.error.message);
    return false;
  }
  const panes: Record<PaneId, PaneInfo> = {};
  for (const pane of listed.data) panes[pane.id] = pane;
  usePanes.setState({ panes, listed: true });
  return true;
}

/** Lists the panes and follows what happens to them. */
export async function startPanes(): Promise<() => void> {
  usePanes.setState(emptyPanes, true);
  const stop = backend.onPaneHappened((event) => {
    if (event.event === "lagged") {
      void listPanes();
      return;
    }
    if (event.event === "warned" && isOurs(event.id))
      notify("warning", event.message);
    // One window asks.
    if (event.event === "clipboard_write" && !isOurs(event.id)) return;
    usePanes.setState((state) => applyPaneEvent(state, event));
  });
  await listPanes();
  return stop;
}

export function dropWish(pane: PaneId): void {
  usePanes.setState(({ wishes }) => ({
    wishes: wishes.filter((wish) => wish.pane !== pane),
  }));
}
