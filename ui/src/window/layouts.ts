import { create } from "zustand";
import { backend } from "../backend/backend";
import type { Layout, PaneInfo } from "../bindings";
import { openPicker } from "../palette/Picker";
import type { Command } from "../shared/commands";
import {
  type DockLayout,
  layoutOf,
  restoreLayout,
  useDock,
} from "../shared/dock/dock";
import { notify, reportFailure } from "../shared/notices";
import { shortPath } from "../shared/paths";
import { useSettings } from "../shared/settings-store";
import { isInFront } from "../shared/windows";
import { openPaneNear, usualShell } from "../terminal/pane-life";
import { usePanes } from "../terminal/pane-store";
import { activePane } from "../terminal/pane-tabs";
import { dockOf, layoutFrom, panesOf, placedIn } from "./layout-tree";

/** Arrangements of panes by name: saved, chosen, opened, forgotten. */

/** The arrangement that waits for a name. */
export const useNaming = create<{ layout: Layout | null }>(() => ({
  layout: null,
}));

function nameArrangement(): void {
  const { api } = useDock.getState();
  const layout = api && layoutFrom(layoutOf(api), usePanes.getState().panes);
  if (layout) useNaming.setState({ layout });
  else notify("info", "There is no terminal in the window to save.");
}

/** Keeps what waits for a name; says why it can't be kept. */
export async function saveArrangement(name: string): Promise<string | null> {
  const { layout } = useNaming.getState();
  if (!layout) return null;
  const saved = await backend.saveLayout(name, layout);
  if (saved.status === "error") return saved.error.message;
  useNaming.setState({ layout: null });
  notify("info", `“${name.trim()}” is saved as a layout.`);
  return null;
}

async function chooseLayout(): Promise<void> {
  const listed = await backend.listLayouts();
  if (reportFailure(listed) || listed.status === "error") return;
  const home = useSettings.getState().platform?.home ?? "";
  const pane = activePane();
  const here = pane === null ? undefined : usePanes.getState().panes[pane]?.cwd;
  openPicker({
    label: "Open a layout",
    placeholder: "Which layout, and where?",
    empty: "No layout is saved under such a name.",
    choices: listed.data.flatMap(({ name, root, panes }) => {
      const choice = (at: string, kind: string) => ({
        key: `layout-${name}-${at}`,
        kind,
        title: name,
        detail: `${panes} ${panes === 1 ? "pane" : "panes"} in ${shortPath(at, home)}`,
        open: () => void openLayout(name, at),
      });
      const saved = choice(root, "Where it was");
      return here === undefined || here === root
        ? [saved]
        : [saved, choice(here, "Here")];
    }),
  });
}

async function chooseToRemove(): Promise<void> {
  const listed = await backend.listLayouts();
  if (reportFailure(listed) || listed.status === "error") return;
  openPicker({
    label: "Remove a layout",
    placeholder: "Which layout is to be forgotten?",
    empty: "No layout is saved under such a name.",
    choices: listed.data.map(({ name, root }) => ({
      key: `layout-${name}`,
      kind: "Layout",
      title: name,
      detail: root,
      open: () => void forget(name),
    })),
  });
}

/** Forgets a layout, and offers to take that back. */
async function forget(name: string): Promise<void> {
  const layout = await backend.loadLayout(name);
  if (reportFailure(layout) || layout.status === "error") return;
  if (reportFailure(await backend.removeLayout(name))) return;
  notify("info", `The layout “${name}” is forgotten.`, {
    label: "Bring it back",
    run: () => void backend.saveLayout(name, layout.data).then(reportFailure),
  });
}

/** Opens the panes of a layout in a directory, in the place of what is in the window; that goes on, and comes back by a click. */
export async function openLayout(
  name: string,
  root: string | null,
): Promise<void> {
  const { api } = useDock.getState();
  const loaded = await backend.loadLayout(name);
  if (reportFailure(loaded) || loaded.status === "error" || !api) return;
  const layout = loaded.data;
  const opened = await openPanes(layout, root ?? layout.root);
  const { width, height } = api;
  const dock = dockOf(layout.tree, opened, { width, height });
  if (!dock) return;
  const before: DockLayout | null = api.totalPanels > 0 ? layoutOf(api) : null;
  restoreLayout(api, dock);
  useDock.setState({ settled: true });
  if (before)
    notify(
      "info",
      `This is the layout “${name}”. What was here goes on without tabs.`,
      { label: "Bring it back", run: () => restoreLayout(api, before) },
      "layout",
    );
}

/** Opens the panes one after the other, so that their numbers are in the order in which they are seen. */
async function openPanes(
  { tree }: Layout,
  root: string,
): Promise<(PaneInfo | null)[]> {
  const opened: (PaneInfo | null)[] = [];
  for (const { cwd, name, program } of panesOf(tree)) {
    const [first, ...args] = program;
    opened.push(
      await openPaneNear({
        ...usualShell(),
        ...(first !== undefined && { program: first, args }),
        cwd: placedIn(root, cwd),
        name,
      }),
    );
  }
  return opened;
}

/** Opens what somebody outside of the window wants to see here, now and whenever it is told. */
export function followWantedLayouts(): () => void {
  async function take() {
    if (!isInFront()) return;
    const wanted = await backend.takeWantedLayout();
    if (wanted.status === "ok" && wanted.data)
      await openLayout(wanted.data.name, wanted.data.root);
  }
  // At the start, once what was there before is back.
  const stop = useDock.subscribe(({ settled }, before) => {
    if (settled && !before.settled) void take();
  });
  const unfollow = backend.onLayoutWanted(() => {
    if (useDock.getState().settled) void take();
  });
  return () => {
    stop();
    unfollow();
  };
}

export function layoutCommands(): Command[] {
  const group = "Window";
  const command = (id: string, title: string, run: () => void) => ({
    ...{ id, title, group, run },
  });
  return [
    command(
      "layout.save",
      "Save the arrangement as a layout…",
      nameArrangement,
    ),
    command("layout.open", "Open a layout…", () => void chooseLayout()),
    command("layout.remove", "Remove a layout…", () => void chooseToRemove()),
  ];
}
