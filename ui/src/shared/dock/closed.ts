import type { IDockviewPanel } from "dockview-react";
import { create } from "zustand";
import {
  activate,
  type DockApi,
  type DockLayout,
  layoutOf,
  openPanel,
  type PanelSpec,
  removePanel,
  useDock,
  type Way,
} from "./dock";

/** A panel that was closed, and what it takes to bring it back. */
export interface ClosedPanel extends PanelSpec {
  /** What its feature would not know any more. */
  was: Record<string, unknown>;
  place: PlaceInDock;
}

/** Where a panel was: in a group, or beside another one when it was the last of its own. */
interface PlaceInDock {
  group: string;
  index: number;
  beside: { group: string; on: Way; width: number; height: number } | null;
}

/** So many are remembered. */
const KEPT = 30;

/** What was closed, the last one last. */
export const useClosed = create<{ closed: ClosedPanel[] }>(() => ({
  closed: [],
}));

/** Closes a panel. `was` is what is needed to bring it back, beside its parameters. */
export function closePanel(id: string, was: ClosedPanel["was"] = {}): void {
  const { api } = useDock.getState();
  const panel = api?.getPanel(id);
  if (!api || !panel) return;
  const one: ClosedPanel = {
    id: panel.id,
    kind: panel.api.component,
    title: panel.title ?? "",
    params: panel.params ?? {},
    was,
    place: placeOf(api, panel),
  };
  useClosed.setState(({ closed }) => ({
    closed: [...closed, one].slice(-KEPT),
  }));
  removePanel(id);
}

function placeOf(api: DockApi, panel: IDockviewPanel): PlaceInDock {
  const { group } = panel;
  const { width, height } = group;
  const { root, orientation } = layoutOf(api).grid;
  const next = sibling(root, group.id, orientation === "HORIZONTAL");
  return {
    group: group.id,
    index: group.panels.indexOf(panel),
    beside: next && { ...next, width, height },
  };
}

type Node = DockLayout["grid"]["root"];

/** The group next to `id` in the dock's tree, and on which side of it `id` lies. */
function sibling(
  node: Node,
  id: string,
  inRow: boolean,
): { group: string; on: Way } | null {
  if (!Array.isArray(node.data)) return null;
  const at = node.data.findIndex(
    ({ data }) => !Array.isArray(data) && data.id === id,
  );
  const next = node.data[at - 1] ?? node.data[at + 1];
  if (at >= 0 && next) {
    const after = at > 0;
    const on = inRow ? (after ? "right" : "left") : after ? "down" : "up";
    return { group: firstGroup(next), on };
  }
  for (const child of node.data) {
    const found = sibling(child, id, !inRow);
    if (found) return found;
  }
  return null;
}

function firstGroup({ data }: Node): string {
  if (!Array.isArray(data)) return data.id;
  const [first] = data;
  return first ? firstGroup(first) : "";
}

const DIRECTIONS = {
  left: "left",
  right: "right",
  up: "above",
  down: "below",
} as const;

/** Takes what was closed last off the list. */
export function takeClosed(): ClosedPanel | null {
  const { closed } = useClosed.getState();
  useClosed.setState({ closed: closed.slice(0, -1) });
  return closed.at(-1) ?? null;
}

/** Opens a panel where a closed one was, as far as that place is still there. */
export function putBack(
  { place }: ClosedPanel,
  spec: PanelSpec,
): IDockviewPanel | null {
  const { api } = useDock.getState();
  const at = (id: string | undefined) =>
    api?.groups.find((group) => group.id === id);
  const group = at(place.group);
  const beside = at(place.beside?.group);
  if (!api || api.getPanel(spec.id) || !(group || beside))
    return openPanel(spec);
  const { kind, ...rest } = spec;
  const panel = api.addPanel({
    ...rest,
    component: kind,
    ...(group && { position: { referenceGroup: group, index: place.index } }),
    ...(!group &&
      beside &&
      place.beside && {
        position: {
          referenceGroup: beside,
          direction: DIRECTIONS[place.beside.on],
        },
        initialWidth: place.beside.width,
        initialHeight: place.beside.height,
      }),
  });
  activate(panel);
  return panel;
}
