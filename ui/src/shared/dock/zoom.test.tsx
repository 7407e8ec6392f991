import { act, render } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { freshBackend } from "../../test-support";
import { closePanel } from "./closed";
import { Dock } from "./Dock";
import {
  activate,
  type DockApi,
  layoutOf,
  openPanel,
  restoreLayout,
  toggleZoom,
} from "./dock";

const views = { text: { view: () => <p>text</p> } };
const nothing = () => null;

let api: DockApi;

beforeEach(() => {
  freshBackend();
  api = dock(1170, 600);
  for (const [id, where] of [
    ["a", "tab"],
    ["b", "right"],
    ["c", "right"],
  ] as const)
    act(
      () => void openPanel({ id, kind: "text", title: id, params: {} }, where),
    );
  act(() => sized({ a: 300, b: 500 }));
});

function dock(width: number, height: number): DockApi {
  let made: DockApi | null = null;
  render(
    <Dock
      views={views}
      empty={nothing}
      actions={nothing}
      onReady={(ready) => {
        made = ready;
        ready.layout(width, height);
      }}
    />,
  );
  if (!made) throw new Error("the dock is not ready");
  return made;
}

function sized(widths: Record<string, number>): void {
  for (const [id, width] of Object.entries(widths))
    api.getPanel(id)?.group.api.setSize({ width });
}

/** How wide the group of each panel is. */
const widths = () =>
  Object.fromEntries(
    api.panels.map(({ id, group }) => [id, Math.round(group.width)]),
  );

/** A panel beside the dock opens or closes. */
const beside = (width: number) => act(() => api.layout(width, 600));

/** What the person asks for, whatever it is. */
const zoomAt = (id: string) =>
  act(() => {
    const panel = api.getPanel(id);
    if (panel) activate(panel);
    toggleZoom();
  });

test("zoom and back gives the same pixels, whatever opened beside the dock meanwhile", () => {
  const before = widths();
  for (const id of ["a", "b", "c"]) {
    zoomAt(id);
    expect(widths()[id]).toBe(1170);
    beside(768);
    // The window saves its layout whenever something changed.
    act(() => void layoutOf(api));
    expect(widths()[id]).toBe(768);
    act(() => toggleZoom());
    const narrow = widths();
    beside(1170);
    expect(widths()).toEqual(before);
    beside(768);
    expect(widths()).toEqual(narrow);
    beside(1170);
  }
});

test("panels beside the dock never change the proportions of its splits", () => {
  const before = widths();
  for (const width of [768, 400, 1170, 500, 340, 1170]) beside(width);
  expect(widths()).toEqual(before);
});

test("what is saved while a panel beside a zoomed group is open are the sizes of before", () => {
  const before = widths();
  zoomAt("b");
  beside(700);
  const saved = layoutOf(api);
  api = dock(1170, 600);
  act(() => restoreLayout(api, saved));
  expect(api.hasMaximizedGroup()).toBe(true);
  act(() => toggleZoom());
  expect(widths()).toEqual(before);
});

test("a group that ends in the shadow of a zoomed one leaves it zoomed, and the rest in proportion", () => {
  zoomAt("a");
  beside(700);
  act(() => closePanel("c"));
  expect(api.hasMaximizedGroup()).toBe(true);
  expect(widths().a).toBe(700);
  act(() => toggleZoom());
  beside(1170);
  const { a = 0, b = 0 } = widths();
  expect(a + b).toBe(1170);
  expect(a).toBeGreaterThanOrEqual(300);
  expect(b).toBeGreaterThanOrEqual(500);
});

test("what needs room opens in the widest group, and fills the dock where that is narrow, too", () => {
  const open = (id: string) =>
    act(
      () =>
        void openPanel({ id, kind: "text", title: id, params: {} }, "roomy"),
    );
  act(() => sized({ a: 300, b: 300 }));
  zoomAt("a");
  act(() => toggleZoom());
  open("wide");
  expect(widths().wide).toBeGreaterThan(560);
  const before = widths();
  beside(768);
  act(() => activate(api.panels[0] as (typeof api.panels)[0]));
  open("narrow");
  expect(widths().narrow).toBe(768);
  act(() => closePanel("narrow"));
  beside(1170);
  expect(widths()).toEqual(before);
});
