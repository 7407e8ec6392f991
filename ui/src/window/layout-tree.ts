import type {
  Layout,
  LayoutNode,
  LayoutPane,
  LayoutPart,
  PaneId,
  PaneInfo,
} from "../bindings";
import type { DockLayout } from "../shared/dock/dock";
import { paneTitle } from "../terminal/pane-store";
import { paneOfParams, TERMINAL } from "../terminal/pane-tabs";

/** An arrangement as it is kept, out of the dock's own picture and back into it. All of it is pure. */

type GridNode = DockLayout["grid"]["root"];

/** Programs that are opened as the usual shell, wherever a layout is opened. */
const SHELLS = /^(?:ba|z|fi|da|k|tc|c|a)?sh$|^(?:nu|pwsh|elvish|xonsh|login)$/;

/** The directory that all of some are in. */
export function commonRoot(directories: string[]): string {
  const [first = "/", ...others] = directories;
  let root = first;
  for (const other of others)
    while (root !== "" && !isWithin(other, root))
      root = root.slice(0, root.lastIndexOf("/"));
  return root === "" ? "/" : root;
}

function isWithin(path: string, root: string): boolean {
  return root === "/" || path === root || path.startsWith(`${root}/`);
}

function relative(path: string, root: string): string {
  if (!isWithin(path, root)) return path;
  return path.slice(root === "/" ? 1 : root.length + 1);
}

/** Where a pane of a layout is, in a root of its own or another. */
export function placedIn(root: string, cwd: string): string {
  if (cwd.startsWith("/")) return cwd;
  if (cwd === "") return root;
  return `${root === "/" ? "" : root}/${cwd}`;
}

/** The arrangement of the terminals in the dock; `null` when there is none. Other panels are left out. */
export function layoutFrom(
  dock: DockLayout,
  panes: Record<PaneId, PaneInfo>,
): Layout | null {
  const shown = Object.values(dock.panels).flatMap((panel) => {
    const pane =
      panel.contentComponent === TERMINAL ? paneOfParams(panel.params) : null;
    const info = pane === null ? undefined : panes[pane];
    return info ? [{ id: panel.id, info }] : [];
  });
  const root = commonRoot(shown.map(({ info }) => info.cwd));
  const byPanel = new Map(shown.map(({ id, info }) => [id, info]));
  const across = `${dock.grid.orientation}` === "HORIZONTAL";
  const tree = nodeFrom(dock.grid.root, across, (id) => {
    const info = byPanel.get(id);
    return info ? savedPane(info, root) : null;
  });
  return tree ? { root, tree } : null;
}

function savedPane(info: PaneInfo, root: string): LayoutPane {
  const called = info.program[0]?.split("/").pop()?.replace(/^-/, "") ?? "";
  return {
    cwd: relative(info.cwd, root),
    name: info.name,
    program: SHELLS.test(called) ? [] : info.program,
  };
}

function nodeFrom(
  node: GridNode,
  across: boolean,
  pane: (panel: string) => LayoutPane | null,
): LayoutNode | null {
  if (!Array.isArray(node.data)) {
    const { views, activeView } = node.data;
    const kept = views.flatMap((id) => {
      const one = pane(id);
      return one ? [{ id, one }] : [];
    });
    if (kept.length === 0) return null;
    const front = kept.findIndex(({ id }) => id === activeView);
    const panes = kept.map(({ one }) => one);
    return { kind: "tabs", panes, front: Math.max(front, 0) };
  }
  const parts = node.data.flatMap((child): LayoutPart[] => {
    const inner = nodeFrom(child, !across, pane);
    return inner ? [{ share: child.size ?? 1, node: inner }] : [];
  });
  const [only] = parts;
  if (!only) return null;
  if (parts.length === 1) return only.node;
  const all = parts.reduce((sum, { share }) => sum + (share ?? 0), 0) || 1;
  const shared = parts.map(({ share, node }) => ({
    share: (share ?? 0) / all,
    node,
  }));
  return { kind: across ? "row" : "column", parts: shared };
}

/** The panes of an arrangement, in the order in which they are met. */
export function panesOf(node: LayoutNode): LayoutPane[] {
  return node.kind === "tabs"
    ? node.panes
    : node.parts.flatMap((part) => panesOf(part.node));
}

/** The dock's picture of an arrangement, with the panes that were opened for it, `null` for one that could not be. */
export function dockOf(
  tree: LayoutNode,
  opened: (PaneInfo | null)[],
  { width, height }: { width: number; height: number },
): DockLayout | null {
  const panels: DockLayout["panels"] = {};
  let next = 0;
  let groups = 0;

  function leaf(
    node: Extract<LayoutNode, { kind: "tabs" }>,
    size: number,
  ): GridNode | null {
    const views: string[] = [];
    let activeView: string | undefined;
    node.panes.forEach((_, index) => {
      const info = opened[next++];
      if (!info) return;
      const id = `${TERMINAL}-${info.id}`;
      panels[id] = {
        id,
        contentComponent: TERMINAL,
        title: paneTitle(info),
        params: { pane: info.id },
      };
      views.push(id);
      if (index === node.front) activeView = id;
    });
    const [first] = views;
    if (first === undefined) return null;
    groups++;
    return {
      type: "leaf",
      size,
      data: { id: `${groups}`, views, activeView: activeView ?? first },
    };
  }

  /** What lies `across` or down, as the dock wants it: each level the other way. */
  function branch(
    node: LayoutNode,
    across: boolean,
    size: number,
    room: { along: number; beside: number },
  ): GridNode | null {
    if (node.kind === "tabs") return leaf(node, size);
    const fits = (node.kind === "row") === across;
    const parts = fits ? node.parts : [{ share: 1, node }];
    const data = parts.flatMap((part) => {
      const along = room.along * (part.share ?? 1);
      const child = branch(part.node, !across, along, {
        along: room.beside,
        beside: along,
      });
      return child ? [child] : [];
    });
    return data.length === 0 ? null : { type: "branch", size, data };
  }

  const across = tree.kind !== "column";
  const root = branch(
    tree.kind === "tabs"
      ? { kind: "row", parts: [{ share: 1, node: tree }] }
      : tree,
    across,
    across ? height : width,
    across
      ? { along: width, beside: height }
      : { along: height, beside: width },
  );
  if (!root) return null;
  const orientation = (across ? "HORIZONTAL" : "VERTICAL") as never;
  return {
    grid: { root, width, height, orientation },
    panels,
    activeGroup: "1",
  };
}
