import { expect, test } from "vitest";
import type { LayoutNode, PaneInfo } from "../bindings";
import type { DockLayout } from "../shared/dock/dock";
import { paneInfo } from "../test-support";
import {
  commonRoot,
  dockOf,
  layoutFrom,
  panesOf,
  placedIn,
} from "./layout-tree";

const panes: Record<number, PaneInfo> = {
  1: paneInfo({ id: 1, cwd: "/w/shop", name: "shell" }),
  2: paneInfo({ id: 2, cwd: "/w/shop/api", program: ["/usr/bin/htop", "-d5"] }),
  3: paneInfo({ id: 3, cwd: "/w/shop/web", program: ["-zsh"] }),
};

const panel = (pane: number) => ({
  id: `terminal-${pane}`,
  contentComponent: "terminal",
  title: "",
  params: { pane },
});

/** A terminal at the left, two in tabs above another panel at the right. */
const dock = {
  grid: {
    width: 1000,
    height: 600,
    orientation: "HORIZONTAL",
    root: {
      type: "branch",
      size: 600,
      data: [
        { type: "leaf", size: 400, data: { id: "1", views: ["terminal-1"] } },
        {
          type: "branch",
          size: 600,
          data: [
            {
              type: "leaf",
              size: 300,
              data: {
                id: "2",
                views: ["terminal-2", "terminal-3"],
                activeView: "terminal-3",
              },
            },
            { type: "leaf", size: 300, data: { id: "3", views: ["welcome"] } },
          ],
        },
      ],
    },
  },
  panels: {
    "terminal-1": panel(1),
    "terminal-2": panel(2),
    "terminal-3": panel(3),
    welcome: { id: "welcome", contentComponent: "welcome", title: "Welcome" },
  },
  activeGroup: "1",
} as unknown as DockLayout;

const tree: LayoutNode = {
  kind: "row",
  parts: [
    {
      share: 0.4,
      node: {
        kind: "tabs",
        front: 0,
        panes: [{ cwd: "", name: "shell", program: [] }],
      },
    },
    {
      share: 0.6,
      node: {
        kind: "tabs",
        front: 1,
        panes: [
          { cwd: "api", name: null, program: ["/usr/bin/htop", "-d5"] },
          { cwd: "web", name: null, program: [] },
        ],
      },
    },
  ],
};

test("an arrangement is its terminals, with what they are and where", () => {
  expect(layoutFrom(dock, panes)).toEqual({ root: "/w/shop", tree });
  expect(layoutFrom(dock, {})).toBeNull();
});

test("it comes back with the panes that were opened for it, in the room that there is", () => {
  const opened = [11, 12, 13].map((id) => paneInfo({ id }));
  const back = dockOf(tree, opened, { width: 500, height: 300 });
  const again = Object.fromEntries(opened.map((one) => [one.id, one]));
  if (!back) throw new Error("nothing came back");
  const [left, right] = (back.grid.root.data as { size: number }[]) ?? [];
  expect([left?.size, right?.size]).toEqual([200, 300]);
  const saved = layoutFrom(back, again);
  expect(saved?.tree).toMatchObject({
    kind: "row",
    parts: [{ share: 0.4 }, { share: 0.6, node: { front: 1 } }],
  });
  expect(panesOf(tree)).toHaveLength(3);
});

test("a pane that could not be opened leaves no hole", () => {
  const back = dockOf(tree, [null, paneInfo({ id: 12 }), null], {
    width: 500,
    height: 300,
  });
  expect(Object.keys(back?.panels ?? {})).toEqual(["terminal-12"]);
  expect(dockOf(tree, [null, null, null], { width: 1, height: 1 })).toBeNull();
});

test("columns in rows in columns keep their ways", () => {
  const tabs = (cwd: string): LayoutNode => ({
    kind: "tabs",
    front: 0,
    panes: [{ cwd, name: null, program: [] }],
  });
  const half = (node: LayoutNode) => ({ share: 0.5, node });
  const deep: LayoutNode = {
    kind: "column",
    parts: [
      half(tabs("/a")),
      half({ kind: "row", parts: [half(tabs("/b")), half(tabs("/c"))] }),
    ],
  };
  const opened = ["/a", "/b", "/c"].map((cwd, id) => paneInfo({ id, cwd }));
  const back = dockOf(deep, opened, { width: 800, height: 600 });
  const again = back && layoutFrom(back, { ...opened });
  expect(again?.tree).toMatchObject({
    kind: "column",
    parts: [{ share: 0.5 }, { node: { kind: "row" } }],
  });
});

test.each([
  [["/w/shop/api", "/w/shop"], "/w/shop"],
  [["/w/shop", "/w/shopping"], "/w"],
  [["/a", "/b"], "/"],
  [["/"], "/"],
  [[], "/"],
])("what is common to %j is %s", (directories, root) => {
  expect(commonRoot(directories)).toBe(root);
});

test("directories are seen from another root, those outside stay where they are", () => {
  expect(placedIn("/other", "api")).toBe("/other/api");
  expect(placedIn("/other", "")).toBe("/other");
  expect(placedIn("/", "api")).toBe("/api");
  expect(placedIn("/other", "/etc")).toBe("/etc");
});
