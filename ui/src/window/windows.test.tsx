import { act, render, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import type { OpenWindow } from "../bindings";
import { Dock } from "../shared/dock/Dock";
import { activePanel, openPanel, useDock } from "../shared/dock/dock";
import { moveTab, movingItems } from "../shared/dock/moving";
import { startDrafts, useDrafts } from "../shared/drafts";
import { tellPerson } from "../shared/needs-you";
import { useNotices } from "../shared/notices";
import { startWindows, tellShown, useWindows } from "../shared/windows";
import { newTerminal } from "../terminal/pane-life";
import { startPanes, usePanes } from "../terminal/pane-store";
import { panelOfPane, showPane, TERMINAL } from "../terminal/pane-tabs";
import { freshBackend, opened } from "../test-support";
import { doErrand, followWindows, useWindowDestinations } from "./windows";

const nothing = () => null;
const views = {
  [TERMINAL]: { view: nothing, tab: nothing },
  page: { view: nothing, tab: nothing },
};

/** A window with a dock that knows of its sisters. */
async function aWindow() {
  const twin = freshBackend();
  render(
    <Dock
      views={views}
      empty={nothing}
      actions={nothing}
      onReady={(api) => api.layout(1000, 600)}
    />,
  );
  const stops = await act(async () => [
    await startPanes(),
    await startWindows(),
    await startDrafts(),
    followWindows(),
  ]);
  useDock.setState({ settled: true });
  return {
    twin,
    end() {
      for (const stop of stops) stop();
    },
  };
}

/** Another window, as it tells of itself. */
function other(id: number, panes: number[], title = "vim"): OpenWindow {
  return { id, shows: { title, tabs: panes.length, panes } };
}

const page = { id: "page-1", kind: "page", title: "A page", params: { of: 7 } };

test("a pane that has a tab in another window is shown there", async () => {
  const { twin, end } = await aWindow();
  const pane = await opened(twin);
  act(() => twin.tellWindows({ windows: [other(2, [pane.id])], front: 1 }));
  act(() => showPane(pane.id));
  expect(panelOfPane(pane.id)).toBeNull();
  expect(twin.sent).toEqual([
    { window: 2, errand: { errand: "pane", pane: pane.id, found: null } },
  ]);
  // The window is gone, and with it the tab: now it is shown here.
  act(() => twin.tellWindows({ windows: [], front: 1 }));
  act(() => showPane(pane.id));
  expect(panelOfPane(pane.id)).not.toBeNull();
  end();
});

test("a tab moves with what it shows, and its window tells so before the other one opens it", async () => {
  const { twin, end } = await aWindow();
  await act(async () => {
    await newTerminal();
    openPanel(page);
  });
  act(() => twin.tellWindows({ windows: [other(2, [])], front: 1 }));
  expect(movingItems(page.id).map(({ title }) => title)).toEqual([
    "Move to a new window",
    "Move to “vim”",
  ]);
  await act(() => moveTab(page.id, 2));
  expect(twin.shown.at(-1)).toMatchObject({ tabs: 1 });
  expect(twin.sent).toEqual([
    { window: 2, errand: { errand: "tab", tab: JSON.stringify(page) } },
  ]);
  expect(twin.windowActs).toEqual([]);
  // The last one takes the window with it.
  await act(() => moveTab(activePanel()?.id ?? "", null));
  expect(twin.sent.at(-1)?.window).toBeNull();
  expect(twin.windowActs).toEqual(["close"]);
  end();
});

test("a tab that no other window took stays", async () => {
  const { twin, end } = await aWindow();
  act(() => void openPanel(page));
  twin.sendToWindow = () =>
    Promise.resolve({
      status: "error",
      error: {
        code: "bad_id",
        message: "no window `9` is open",
        position: null,
      },
    });
  await act(() => moveTab(page.id, 9));
  expect(activePanel()?.id).toBe(page.id);
  expect(useNotices.getState().notices[0]?.text).toMatch(/no window/);
  end();
});

test("a tab that comes is opened as it was, and what is none is told of", async () => {
  const { twin, end } = await aWindow();
  const pane = await opened(twin);
  const tab = (spec: object) =>
    act(() => doErrand({ errand: "tab", tab: JSON.stringify(spec) }));
  await tab(page);
  expect(activePanel()?.params).toEqual({ of: 7 });
  await tab({
    ...{ id: `${TERMINAL}-${pane.id}`, kind: TERMINAL, title: "" },
    params: { pane: pane.id },
  });
  expect(panelOfPane(pane.id)).not.toBeNull();
  await act(() => doErrand({ errand: "tab", tab: "[" }));
  expect(useNotices.getState().notices[0]?.text).toMatch(/can't be read/);
  end();
});

test("a pane that came to be in two windows stays in the one that was there first", async () => {
  const { twin, end } = await aWindow();
  const pane = await opened(twin);
  act(() => showPane(pane.id));
  act(() => twin.tellWindows({ windows: [other(2, [pane.id])], front: 1 }));
  expect(panelOfPane(pane.id)).not.toBeNull();
  useWindows.setState({ own: 3 });
  act(() => twin.tellWindows({ windows: [other(2, [pane.id])], front: 3 }));
  expect(panelOfPane(pane.id)).toBeNull();
  expect(usePanes.getState().panes[pane.id]).toBeDefined();
  end();
});

test("what concerns no window alone is told once: in the one that the person turned to last", async () => {
  const { twin, end } = await aWindow();
  const pane = await opened(twin);
  const warn = (id: number) =>
    act(() => twin.tell({ event: "warned", id, message: `of ${id}` }));
  const notices = () => useNotices.getState().notices.map(({ text }) => text);
  act(() => twin.tellWindows({ windows: [other(2, [pane.id])], front: 2 }));
  warn(pane.id);
  warn(99);
  act(() => twin.tell({ event: "clipboard_write", id: pane.id, text: "x" }));
  tellPerson("Title", "body");
  expect(notices()).toEqual([]);
  expect(usePanes.getState().wishes).toEqual([]);
  expect(twin.state.notified).toEqual([]);
  act(() => void window.dispatchEvent(new Event("focus")));
  expect(twin.windowActs).toEqual(["turned to"]);
  warn(99);
  expect(notices()).toEqual(["of 99"]);
  end();
});

test("a window that was closed is brought back by whom is told of it", async () => {
  const { twin, end } = await aWindow();
  act(() =>
    twin.tellGone({ id: 2, shows: { title: "vim", tabs: 2, panes: [] } }),
  );
  const [notice] = useNotices.getState().notices;
  expect(notice?.text).toBe(
    "The window “vim” is closed. What runs in its 2 tabs goes on.",
  );
  notice?.action?.run();
  expect(twin.windowActs).toEqual(["reopen"]);
  // Of an empty one there is nothing to be said.
  act(() => useNotices.setState({ notices: [] }));
  act(() => twin.tellGone({ id: 3, shows: { title: "", tabs: 0, panes: [] } }));
  expect(useNotices.getState().notices).toEqual([]);
  end();
});

test("what is typed in one window is there in the other, and is not written twice", async () => {
  const { twin, end } = await aWindow();
  const draft = { place: "composer:1", text: "hello", basis: null };
  act(() => twin.tellDraft({ window: 2, place: draft.place, draft }));
  expect(useDrafts.getState().drafts[draft.place]).toEqual(draft);
  expect(twin.state.drafts).toEqual([]);
  act(() => twin.tellDraft({ window: 2, place: draft.place, draft: null }));
  expect(useDrafts.getState().drafts).toEqual({});
  // What this window wrote it knows.
  act(() => twin.tellDraft({ window: 1, place: draft.place, draft }));
  expect(useDrafts.getState().drafts).toEqual({});
  end();
});

test("the others are told what is shown once for each change, and are gone to by name", async () => {
  const { twin, end } = await aWindow();
  act(() => void openPanel(page));
  const count = twin.shown.length;
  expect(twin.shown.at(-1)).toEqual({ title: "A page", tabs: 1, panes: [] });
  await act(() => tellShown());
  expect(twin.shown).toHaveLength(count);
  act(() =>
    twin.tellWindows({ windows: [other(1, []), other(2, [5])], front: 1 }),
  );
  function Named() {
    return useWindowDestinations().map(({ title, detail, open }) => (
      <button
        key={title}
        type="button"
        onClick={open}
      >{`${title}: ${detail}`}</button>
    ));
  }
  render(<Named />);
  screen.getByText("“vim”: 1 tab").click();
  await waitFor(() =>
    expect(twin.sent).toEqual([{ window: 2, errand: { errand: "come" } }]),
  );
  end();
});
