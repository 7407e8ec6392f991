import { type DockApi, useDock } from "../shared/dock/dock";
import { useSettings } from "../shared/settings-store";
import { takeErrand, useWindows } from "../shared/windows";
import { attachAnew } from "../terminal/hosts";
import { newTerminal } from "../terminal/pane-life";
import { listPanes, usePanes } from "../terminal/pane-store";
import { followSession, restoreSession } from "../terminal/session";
import { showTour } from "../workspace/Tour";
import { historyPanel } from "./search-in-panes";
import { doErrand } from "./windows";

/** Keeps the dock and the saved session the same, through whatever becomes of the host. */

let stopSession: (() => void) | null = null;

/** Stops saving what changes in the dock. */
export function leaveSession(): void {
  stopSession?.();
  stopSession = null;
}

/** Puts the session into the dock, and follows it from then on. */
export async function startDock(api: DockApi): Promise<void> {
  leaveSession();
  // Without a list of what lives, everything would seem gone: the session waits until the host answers.
  if (!usePanes.getState().listed) return;
  const restored = await restoreSession(api, historyPanel);
  const errand = takeErrand();
  if (errand) await doErrand(errand);
  else if (restored === "first") await newTerminal();
  if (restored === "first" && !errand && useWindows.getState().own === 1) {
    api.addPanel({
      id: "welcome",
      component: "welcome",
      title: "Welcome",
      inactive: true,
      position: { direction: "right" },
      initialWidth: Math.round(api.width * 0.4),
    });
    if (useSettings.getState().settings?.tour) showTour();
  }
  useDock.setState({ settled: true });
  stopSession = followSession(api);
}

/** The host is back: the same one, whose panes are attached to anew, or another, in which the session is restored. */
export async function hostIsBack(another: boolean): Promise<void> {
  const { api } = useDock.getState();
  const known = usePanes.getState().listed;
  if (another) {
    // What was saved last is what is restored: the panes that are gone must not be taken out of it first.
    leaveSession();
  }
  if (!(await listPanes())) return;
  attachAnew();
  if (api && (another || !known)) await startDock(api);
}
