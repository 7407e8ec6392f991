import { backend } from "../backend/backend";
import type { MachineId, PaneId, PaneInfo, PaneRole } from "../bindings";
import {
  type DockApi,
  type DockLayout,
  layoutOf,
  type PanelSpec,
  restoreLayout,
} from "../shared/dock/dock";
import { machineOfPane, reachQuietly } from "../shared/machines";
import { notify } from "../shared/notices";
import { saver } from "../shared/saver";
import { again, openPaneNear, paneIsGone } from "./pane-life";
import { usePanes } from "./pane-store";
import { paneOfParams, TERMINAL } from "./pane-tabs";

/** What is kept of a pane, to open it again where it was when its program is gone. */
export interface SavedPane {
  cwd: string;
  name: string | null;
  role: PaneRole;
  private: boolean;
  /** The profile that it was opened by. */
  profile?: string | null;
  /** Whether its program had ended. */
  ended?: boolean;
}

/** The session as it is saved: the dock's own picture of tabs and splits, and what its panes were. */
export interface SavedSession {
  version: 1;
  layout: DockLayout;
  panes: Record<string, SavedPane>;
}

/** Reads a saved session; `null` when there is none, or it is not one of ours. */
export function parseSession(json: string | null): SavedSession | null {
  if (json === null) return null;
  try {
    const session = JSON.parse(json) as SavedSession | null;
    if (session?.version !== 1) return null;
    if (typeof session.layout?.panels !== "object") return null;
    return { ...session, panes: session.panes ?? {} };
  } catch {
    return null;
  }
}

/** The panes that a layout shows. */
export function panesOfLayout(layout: DockLayout): PaneId[] {
  const panes: PaneId[] = [];
  for (const panel of Object.values(layout.panels)) {
    const pane = paneOfParams(panel.params);
    if (panel.contentComponent === TERMINAL && pane !== null) panes.push(pane);
  }
  return panes;
}

/** The same layout with other panes in the old ones' places. */
export function replacePanes(
  layout: DockLayout,
  replaced: Map<PaneId, PaneId>,
): DockLayout {
  const panels = Object.fromEntries(
    Object.entries(layout.panels).map(([id, panel]) => {
      const pane = paneOfParams(panel.params);
      const other = pane === null ? undefined : replaced.get(pane);
      return panel.contentComponent === TERMINAL && other !== undefined
        ? [id, { ...panel, params: { ...panel.params, pane: other } }]
        : [id, panel];
    }),
  );
  return { ...layout, panels };
}

/** The same layout with another panel in the place of one. */
function replacePanel(
  { panels, grid, ...layout }: DockLayout,
  id: string,
  spec: PanelSpec,
): DockLayout {
  const { [id]: old, ...others } = panels;
  if (!old) return { panels, grid, ...layout };
  const renamed = (one: string) => (one === id ? spec.id : one);
  const inNode = (node: LayoutNode): LayoutNode => {
    const { data } = node;
    if (Array.isArray(data)) return { ...node, data: data.map(inNode) };
    const views = data.views.map(renamed);
    const { activeView } = data;
    return {
      ...node,
      data: {
        ...data,
        views,
        ...(activeView !== undefined && { activeView: renamed(activeView) }),
      },
    };
  };
  return {
    ...layout,
    grid: { ...grid, root: inNode(grid.root) },
    panels: {
      ...others,
      [spec.id]: {
        ...old,
        id: spec.id,
        contentComponent: spec.kind,
        title: spec.title,
        params: spec.params,
      },
    },
  };
}

type LayoutNode = DockLayout["grid"]["root"];

/** Whether what a pane printed says more of it than a new shell: its program was no shell, or had ended. */
function isOver({ role, ended = false, private: nothing }: SavedPane): boolean {
  return !nothing && (ended || role !== "shell");
}

/** What is kept of panes. */
function savedPanes(
  layout: DockLayout,
  panes: Record<PaneId, PaneInfo>,
): Record<string, SavedPane> {
  const saved: Record<string, SavedPane> = {};
  for (const id of panesOfLayout(layout)) {
    const pane = panes[id];
    if (!pane) continue;
    saved[id] = {
      cwd: pane.cwd,
      name: pane.name,
      role: pane.role,
      private: pane.private,
      ...(pane.profile != null && { profile: pane.profile }),
      ended: pane.state.state === "exited",
    };
  }
  return saved;
}

export type Restored =
  /** There was no session: this is the first start. */
  | "first"
  /** The session is back. */
  | "restored"
  /** There was one, and it was empty or could not be used. */
  | "empty";

/**
 * Puts the saved session back: panes that still live are attached to in their places; for a shell that is gone, one is
 * opened in the same directory, under the same name; for the pane of an agent, of a step, and of a program that had ended,
 * what it printed is shown: `historyOf` says how.
 */
export async function restoreSession(
  api: DockApi,
  historyOf: (pane: PaneId, name: string | null) => PanelSpec,
): Promise<Restored> {
  const loaded = await backend.loadSession();
  if (loaded.status === "error") notify("error", loaded.error.message);
  const json = loaded.status === "ok" ? loaded.data : null;
  const session = parseSession(json);
  if (!session) {
    if (json === null) return "first";
    notify(
      "warning",
      "The saved layout can't be read. Panes that still run are in the sidebar.",
    );
    return "empty";
  }
  const { panes } = usePanes.getState();
  const replaced = new Map<PaneId, PaneId>();
  const away = new Set<MachineId>();
  let { layout } = session;
  for (const id of panesOfLayout(session.layout)) {
    if (panes[id]) continue;
    const machine = machineOfPane(id);
    if (machine !== null) {
      // It goes on over there, for all that is known here: nothing takes its place.
      away.add(machine);
      continue;
    }
    const saved = session.panes[id];
    if (saved && isOver(saved)) {
      const spec = historyOf(id, saved.name);
      layout = replacePanel(layout, `${TERMINAL}-${id}`, spec);
      continue;
    }
    const opened = await openPaneNear({
      ...again({ profile: saved?.profile ?? null }),
      cwd: saved?.cwd ?? null,
      name: saved?.name ?? null,
      private: saved?.private ?? false,
      continues: id,
    });
    if (opened) replaced.set(id, opened.id);
  }
  for (const machine of away) reachQuietly(machine);
  try {
    restoreLayout(api, replacePanes(layout, replaced));
  } catch (cause) {
    console.error("the saved layout could not be used", cause);
    api.clear();
    notify(
      "warning",
      "The saved layout can't be used. Panes that still run are in the sidebar.",
    );
    return "empty";
  }
  if (replaced.size > 0)
    notify(
      "info",
      replaced.size === 1
        ? "A pane's program had ended; a new shell is in its place. What it printed stands above, dimmed."
        : `The programs of ${replaced.size} panes had ended; new shells are in their places. What they printed stands above, dimmed.`,
    );
  return api.totalPanels > 0 ? "restored" : "empty";
}

const SAVE_AFTER_MS = 400;

/** Saves the session whenever it changes, and takes tabs of closed panes away. */
export function followSession(api: DockApi): () => void {
  let last = "";
  const saving = saver({
    ms: SAVE_AFTER_MS,
    complaint: "The session was not saved",
    async write() {
      const layout = layoutOf(api);
      const session: SavedSession = {
        version: 1,
        layout,
        panes: savedPanes(layout, usePanes.getState().panes),
      };
      const json = JSON.stringify(session);
      if (json === last) return { status: "ok", data: null };
      const saved = await backend.saveSession(json);
      if (saved.status === "ok") last = json;
      return saved;
    },
  });
  const layout = api.onDidLayoutChange(saving.soon);
  const stopPanes = usePanes.subscribe((state, before) => {
    for (const id of Object.keys(before.panes))
      if (!state.panes[Number(id)])
        paneIsGone(Number(id), before.panes[Number(id)]);
    saving.soon();
  });
  saving.soon();
  return () => {
    layout.dispose();
    stopPanes();
    saving.stop();
  };
}
