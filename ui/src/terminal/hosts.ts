import { create } from "zustand";
import type { PaneId } from "../bindings";
import type { ScrollPlace } from "./terminal-lines";
import type { XtermHost } from "./xterm-host";

/** The views that are alive, by pane; `shown` counts snapshots, so that readers know when rows changed wholesale. */
export const useHosts = create<{
  shown: number;
  /** Which life of the pane host the views are attached to; counts up. */
  life: number;
}>(() => ({ shown: 0, life: 0 }));

/** The pane host was away: what was attached to it attaches anew. */
export function attachAnew(): void {
  useHosts.setState(({ life }) => ({ life: life + 1 }));
}

const hosts = new Map<PaneId, XtermHost>();
const waiting = new Map<PaneId, (host: XtermHost) => void>();
const places = new Map<PaneId, ScrollPlace>();

export function hostOf(pane: PaneId): XtermHost | null {
  return hosts.get(pane) ?? null;
}

export function liveHosts(): XtermHost[] {
  return [...hosts.values()];
}

export function addHost(host: XtermHost): void {
  hosts.set(host.pane, host);
}

/** A view's first snapshot is on screen. */
export function hostShown(host: XtermHost): void {
  const then = waiting.get(host.pane);
  waiting.delete(host.pane);
  then?.(host);
  useHosts.setState(({ shown }) => ({ shown: shown + 1 }));
}

export function removeHost(host: XtermHost): void {
  places.set(host.pane, host.scrollPlace());
  if (hosts.get(host.pane) === host) hosts.delete(host.pane);
}

/** Where a pane's view was scrolled to when it was parked. */
export function placeOf(pane: PaneId): ScrollPlace {
  return places.get(pane) ?? { at: "end" };
}

export function forgetPane(pane: PaneId): void {
  places.delete(pane);
  waiting.delete(pane);
}

/** Acts on a pane's view now, or as soon as it shows something. */
export function withHost(pane: PaneId, act: (host: XtermHost) => void): void {
  const host = hosts.get(pane);
  if (host?.isShown) act(host);
  else waiting.set(pane, act);
}
