import type {
  DockviewApi,
  DockviewGroupPanel,
  IDockviewPanel,
  SerializedDockview,
} from "dockview-react";
import { create } from "zustand";

/** The dock itself, for who saves and restores all of it. */
export type DockApi = DockviewApi;

/** All that is in the dock, and where, as it is saved. */
export type DockLayout = SerializedDockview;

/** What a panel shows; its kind is the name under which a feature registered its view. */
export interface PanelSpec {
  id: string;
  kind: string;
  title: string;
  params: Record<string, unknown>;
}

/**
 * `roomy` is a tab as well: of the widest group, when the active one is narrow. Where that is narrow, too, it fills the
 * dock until it is closed or something else is brought forward.
 */
export type Where = "tab" | "right" | "down" | "roomy";

/** Two columns of text beside each other need about this many pixels. */
const ROOMY = 560;

export type Way = "left" | "right" | "up" | "down";

interface DockState {
  api: DockviewApi | null;
  /** The panel that has the focus. */
  activeId: string | null;
  panels: number;
  zoomed: boolean;
  /** Whether what is to be in it is there; until then an empty dock says nothing. */
  settled: boolean;
}

/** The dock of tabs and splits; it knows panels by kind and parameters, and no feature. */
export const useDock = create<DockState>(() => ({
  api: null,
  activeId: null,
  panels: 0,
  zoomed: false,
  settled: false,
}));

/** Takes over a new dock; returns what lets go of it. */
export function installDock(api: DockviewApi): () => void {
  const refresh = () =>
    useDock.setState({
      api,
      activeId: api.activePanel?.id ?? null,
      panels: api.totalPanels,
      zoomed: api.hasMaximizedGroup(),
    });
  const disposers = [
    api.onDidActivePanelChange(refresh),
    api.onDidActiveGroupChange(refresh),
    api.onDidAddPanel(refresh),
    api.onDidRemovePanel(refresh),
    api.onDidLayoutFromJSON(refresh),
    api.onDidMaximizedGroupChange(refresh),
  ];
  refresh();
  return () => {
    zoomedAt = null;
    for (const disposer of disposers) disposer.dispose();
    useDock.setState({ api: null, activeId: null, panels: 0, zoomed: false });
  };
}

/**
 * Opens a panel, or brings it forward when it is there: as a tab beside the active one, or in a split if there is room
 * for one. A `quiet` one stays behind what is in front.
 */
export function openPanel(
  spec: PanelSpec,
  where: Where = "tab",
  quiet = false,
): IDockviewPanel | null {
  const { api } = useDock.getState();
  if (!api) return null;
  const present = api.getPanel(spec.id);
  if (present) {
    if (!quiet) activate(present);
    return present;
  }
  if (!quiet) unzoom(api);
  const { kind, ...rest } = spec;
  const group = where === "roomy" ? roomyGroup(api) : api.activeGroup;
  const splits =
    (where === "right" || where === "down") &&
    (!group || hasRoom(group, where));
  const direction = !splits ? "within" : where === "right" ? "right" : "below";
  const panel = api.addPanel({
    ...rest,
    component: kind,
    inactive: quiet,
    ...(group &&
      api.totalPanels > 0 && {
        position: { referenceGroup: group, direction },
      }),
  });
  if (where === "roomy" && api.groups.length > 1 && isNarrow(panel))
    fillUntilClosed(api, panel);
  return panel;
}

function isNarrow({ api }: IDockviewPanel | DockviewGroupPanel): boolean {
  return api.width < ROOMY;
}

function fillUntilClosed(api: DockviewApi, panel: IDockviewPanel): void {
  zoom(api, panel);
  const closed = api.onDidRemovePanel(({ id }) => {
    if (id !== panel.id) return;
    closed.dispose();
    unzoom(api);
  });
}

function roomyGroup(api: DockviewApi): DockviewGroupPanel | undefined {
  const { activeGroup } = api;
  if (!activeGroup || !isNarrow(activeGroup)) return activeGroup;
  return api.groups.reduce(
    (widest, group) => (group.api.width > widest.api.width ? group : widest),
    activeGroup,
  );
}

/** Whether both halves of a group would be as large as the dock insists on: it would push others off the window for it. */
export function hasRoom(
  group: Pick<
    DockviewGroupPanel,
    "width" | "height" | "minimumWidth" | "minimumHeight"
  >,
  where: "right" | "down",
): boolean {
  return where === "right"
    ? group.width >= 2 * group.minimumWidth
    : group.height >= 2 * group.minimumHeight;
}

/** Brings a panel forward, out of the shadow of another that is zoomed. */
export function activate(panel: IDockviewPanel): void {
  const { api } = useDock.getState();
  if (api && !panel.api.isMaximized()) unzoom(api);
  panel.api.setActive();
}

export function findPanel(
  matches: (panel: IDockviewPanel) => boolean,
): IDockviewPanel | null {
  return useDock.getState().api?.panels.find(matches) ?? null;
}

export function activePanel(): IDockviewPanel | null {
  return useDock.getState().api?.activePanel ?? null;
}

/** Takes a panel out of the dock; when others are in the shadow of one that is zoomed, they stay there. */
export function removePanel(id: string): void {
  const { api } = useDock.getState();
  const panel = api?.getPanel(id);
  if (!api || !panel) return;
  const filling = api.panels.find(
    (other) => other.api.isMaximized() && other.group !== panel.group,
  );
  // With the last tab of a group the dock would end the zoom by itself, at a size at which no place fits.
  const endsGroup = panel.group.panels.length === 1;
  if (endsGroup) unzoom(api);
  api.removePanel(panel);
  if (endsGroup && filling && api.groups.length > 1) zoom(api, filling);
}

/** Lets the active group fill the dock, or gives the others their places back. */
export function toggleZoom(): void {
  const { api } = useDock.getState();
  if (!api?.activePanel) return;
  if (api.hasMaximizedGroup()) unzoom(api);
  else if (api.groups.length > 1) zoom(api, api.activePanel);
}

/**
 * How large the dock was when one group began to fill it. The groups in its shadow keep the pixels that they had then: at
 * any other size they would not fit, and the dock would squeeze some of them.
 */
let zoomedAt: { width: number; height: number } | null = null;

function zoom(api: DockviewApi, panel: IDockviewPanel): void {
  zoomedAt = { width: api.width, height: api.height };
  api.maximizeGroup(panel);
}

function unzoom(api: DockviewApi): void {
  if (!api.hasMaximizedGroup()) return;
  atZoomedSize(api, () => api.exitMaximizedGroup());
  zoomedAt = null;
}

/** Does what shows the groups in the shadow at the size at which they fit; then the dock has its size again. */
function atZoomedSize<T>(api: DockviewApi, act: () => T): T {
  if (!zoomedAt || !api.hasMaximizedGroup()) return act();
  const { width, height } = api;
  api.layout(zoomedAt.width, zoomedAt.height);
  try {
    return act();
  } finally {
    api.layout(width, height);
  }
}

/** All that is in the dock, to be saved. */
export function layoutOf(api: DockApi): DockLayout {
  return atZoomedSize(api, () => api.toJSON());
}

/** Puts a saved layout into the dock. Throws when it can't be used. */
export function restoreLayout(api: DockApi, layout: DockLayout): void {
  const { maximizedNode, ...grid } = layout.grid as DockLayout["grid"] & {
    // It is there while a group is zoomed; the library's type does not say so.
    maximizedNode?: object;
  };
  const { width, height } = api;
  // The dock may have no size yet, and in none there is no proportion.
  api.layout(grid.width, grid.height);
  api.fromJSON({ ...layout, grid });
  if (maximizedNode && api.activePanel && api.groups.length > 1)
    zoom(api, api.activePanel);
  if (width > 0 && height > 0) api.layout(width, height);
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/**
 * Which box lies next to `from` on one side: the nearest that shares an edge's stretch with it, the one that shares most
 * of it first. Pure, so that the rule can be read and tested.
 */
export function neighbour<T>(
  from: Box,
  others: { box: Box; value: T }[],
  way: Way,
): T | null {
  const SLACK = 8;
  let best: { value: T; gap: number; shared: number } | null = null;
  for (const { box, value } of others) {
    const horizontal = way === "left" || way === "right";
    const gap =
      way === "left"
        ? from.left - box.right
        : way === "right"
          ? box.left - from.right
          : way === "up"
            ? from.top - box.bottom
            : box.top - from.bottom;
    const shared = horizontal
      ? Math.min(from.bottom, box.bottom) - Math.max(from.top, box.top)
      : Math.min(from.right, box.right) - Math.max(from.left, box.left);
    if (gap < -SLACK || shared <= 0) continue;
    if (
      !best ||
      gap < best.gap - SLACK ||
      (Math.abs(gap - best.gap) <= SLACK && shared > best.shared)
    )
      best = { value, gap, shared };
  }
  return best?.value ?? null;
}

/** The group on one side of another. */
function groupBeside(
  api: DockviewApi,
  from: DockviewGroupPanel,
  way: Way,
): DockviewGroupPanel | null {
  const others = api.groups
    .filter((group) => group !== from)
    .map((group) => ({ box: boxOf(group), value: group }));
  return neighbour(boxOf(from), others, way);
}

/** Moves the focus to the group on one side. */
export function focusWay(way: Way): void {
  const { api } = useDock.getState();
  const from = api?.activeGroup;
  if (!api || !from) return;
  unzoom(api);
  groupBeside(api, from, way)?.activePanel?.api.setActive();
}

/** How the dock calls a side of a group. */
const SIDES = {
  left: "left",
  right: "right",
  up: "top",
  down: "bottom",
} as const;

/** Moves the tab in front into the group on one side; where there is none, into a split of its own there. */
export function moveWay(way: Way): void {
  const { api } = useDock.getState();
  const panel = api?.activePanel;
  if (!api || !panel) return;
  unzoom(api);
  const { group } = panel;
  const beside = groupBeside(api, group, way);
  const across = way === "left" || way === "right" ? "right" : "down";
  if (beside) panel.api.moveTo({ group: beside });
  else if (group.panels.length > 1 && hasRoom(group, across))
    panel.api.moveTo({ group, position: SIDES[way] });
  panel.api.setActive();
}

/** Moves the tab in front one place on among those of its group, and round its ends. */
export function shiftTab(step: 1 | -1): void {
  const panel = activePanel();
  if (!panel) return;
  const { group } = panel;
  const { length } = group.panels;
  const at = group.panels.indexOf(panel);
  panel.api.moveTo({ group, index: (at + step + length) % length });
}

function boxOf(group: DockviewGroupPanel): Box {
  return group.element.getBoundingClientRect();
}

/** Goes to the next or previous tab of the active group. */
export function cycleTab(step: 1 | -1): void {
  const group = useDock.getState().api?.activeGroup;
  if (!group || group.panels.length < 2) return;
  const { length } = group.panels;
  const at = group.panels.findIndex((panel) => panel.api.isActive);
  group.panels[(at + step + length) % length]?.api.setActive();
}
