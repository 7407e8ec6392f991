import { act, render } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { Dock } from "../shared/dock/Dock";
import type { DockApi, DockLayout } from "../shared/dock/dock";
import { useParams } from "../shared/dock/panel";
import { useNotices } from "../shared/notices";
import { freshBackend, opened } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { newTerminal } from "./pane-life";
import { startPanes, usePanes } from "./pane-store";
import { panelOfPane, paneOfParams, showPane, TERMINAL } from "./pane-tabs";
import {
  followSession,
  panesOfLayout,
  parseSession,
  replacePanes,
  restoreSession,
} from "./session";

function View() {
  return <p>pane {String(paneOfParams(useParams()))}</p>;
}

const nothing = () => null;
const views = {
  [TERMINAL]: { view: View, tab: nothing },
  history: { view: View, tab: nothing },
};

/** A dock whose panels say which pane they show. */
async function dock(): Promise<DockApi> {
  let api: DockApi | null = null;
  render(
    <Dock
      views={views}
      empty={nothing}
      actions={nothing}
      onReady={(ready) => {
        api = ready;
        ready.layout(1000, 600);
      }}
    />,
  );
  if (!api) throw new Error("the dock is not ready");
  await act(async () => {
    await startPanes();
  });
  return api;
}

/** How a window shows what a pane printed. */
const historyOf = (pane: number, name: string | null) => ({
  id: `history-${pane}`,
  kind: "history",
  title: name ?? "",
  params: { pane },
});

const panesShown = (api: DockApi) =>
  api.panels.map((panel) => paneOfParams(panel.params));

/** A session with two panes side by side, as a window saves it. */
async function savedByAWindow(
  twin: MemoryBackend,
  more: () => Promise<void> = async () => {},
): Promise<string> {
  const api = await dock();
  vi.useFakeTimers();
  const stop = followSession(api);
  await act(async () => {
    await newTerminal("tab", { cwd: "/home/you/api", name: "left" });
    await newTerminal("right", { cwd: "/home/you/web" });
    await more();
    await vi.runAllTimersAsync();
  });
  stop();
  vi.useRealTimers();
  const json = twin.state.session;
  if (json === null) throw new Error("nothing was saved");
  return json;
}

let twin: MemoryBackend;
beforeEach(() => {
  twin = freshBackend();
});

test("a new window attaches to the panes that still live, in their places", async () => {
  const session = await savedByAWindow(twin);
  const api = await dock();
  twin.state.session = session;
  expect(await act(() => restoreSession(api, historyOf))).toBe("restored");
  expect(panesShown(api)).toEqual([1, 2]);
  expect(api.groups).toHaveLength(2);
  expect(twin.state.panes.size).toBe(2);
});

test("after the machine was restarted, shells in the same directories take the places", async () => {
  const session = await savedByAWindow(twin);
  twin = freshBackend({ session });
  await opened(twin, { cwd: "/elsewhere" });
  await opened(twin, { cwd: "/elsewhere" });
  await opened(twin, { cwd: "/elsewhere" });
  twin.state.panes.delete(1);
  twin.state.panes.delete(2);
  const api = await dock();
  expect(await act(() => restoreSession(api, historyOf))).toBe("restored");
  expect(panesShown(api)).toEqual([4, 5]);
  const { panes } = usePanes.getState();
  expect([panes[4]?.cwd, panes[5]?.cwd]).toEqual([
    "/home/you/api",
    "/home/you/web",
  ]);
  expect(panes[4]?.name).toBe("left");
  expect(useNotices.getState().notices[0]?.text).toContain("2 panes had ended");
});

test("after the machine was restarted, what was no shell comes back as what it printed", async () => {
  const session = await savedByAWindow(twin, async () => {
    const step = { role: "step", name: "build · 3kq #1" } as const;
    await newTerminal("tab", { program: "/bin/sh", ...step });
    await newTerminal("tab", { name: "over" });
    await newTerminal("tab", { role: "agent", private: true });
    twin.exit(4, 1);
  });
  twin = freshBackend({ session });
  const api = await dock();
  expect(await act(() => restoreSession(api, historyOf))).toBe("restored");
  expect(api.panels.map(({ id }) => id)).toEqual([
    "terminal-1",
    "terminal-2",
    "history-3",
    "history-4",
    "terminal-5",
  ]);
  expect(api.getPanel("history-3")?.params).toEqual({ pane: 3 });
  expect(api.getPanel("history-3")?.title).toBe("build · 3kq #1");
  expect(twin.state.panes.size).toBe(3);
});

test("a directory that is gone is said, and the pane starts at home", async () => {
  const session = await savedByAWindow(twin);
  twin = freshBackend({ session, missing: ["/home/you/api"] });
  const api = await dock();
  await act(() => restoreSession(api, historyOf));
  expect(panesShown(api)).toHaveLength(2);
  expect(usePanes.getState().panes[1]?.cwd).toBe("/home/you");
  expect(useNotices.getState().notices[0]?.text).toContain("/home/you/api");
});

test.each([
  ["nothing was saved", null, "first"],
  ["the saved text is no session", "{", "empty"],
  [
    "it is of another version",
    '{"version":99,"layout":{"panels":{}}}',
    "empty",
  ],
  [
    "its layout is broken",
    '{"version":1,"layout":{"panels":{}},"panes":{}}',
    "empty",
  ],
])("when %s, the window opens all the same", async (_name, session, restored) => {
  vi.spyOn(console, "error").mockReturnValue();
  twin = freshBackend({ session });
  const api = await dock();
  expect(await act(() => restoreSession(api, historyOf))).toBe(restored);
});

test("a pane that was closed elsewhere takes its tab with it", async () => {
  const api = await dock();
  const stop = followSession(api);
  await act(async () => {
    await newTerminal();
  });
  expect(panelOfPane(1)).not.toBeNull();
  act(() => twin.tell({ event: "closed", id: 1 }));
  expect(panelOfPane(1)).toBeNull();
  stop();
});

test("tabs that were opened while the disk was full are saved when it is not any more", async () => {
  const api = await dock();
  const save = vi.spyOn(twin, "saveSession").mockResolvedValue({
    status: "error",
    error: { code: "store", message: "the disk is full", position: null },
  });
  vi.useFakeTimers();
  const stop = followSession(api);
  await act(async () => {
    await newTerminal();
    await vi.advanceTimersByTimeAsync(1_000);
  });
  const said = () => useNotices.getState().notices.map(({ text }) => text);
  expect(said()).toEqual(["The session was not saved: the disk is full"]);
  save.mockRestore();
  await vi.advanceTimersByTimeAsync(5_000);
  stop();
  vi.useRealTimers();
  expect(said()).toEqual([]);
  expect(
    panesOfLayout(parseSession(twin.state.session)?.layout as DockLayout),
  ).toEqual([1]);
});

test("a session is read with care", () => {
  expect(parseSession("null")).toBeNull();
  expect(parseSession("[]")).toBeNull();
  const layout = {
    panels: {
      a: { id: "a", contentComponent: TERMINAL, params: { pane: 1 } },
      b: { id: "b", contentComponent: "history", params: { pane: 1 } },
    },
  };
  const session = parseSession(JSON.stringify({ version: 1, layout }));
  expect(session?.panes).toEqual({});
  const replaced = session && replacePanes(session.layout, new Map([[1, 9]]));
  expect(replaced?.panels.a?.params).toEqual({ pane: 9 });
  // A history view shows what the old pane printed: that is still what it printed.
  expect(replaced?.panels.b?.params).toEqual({ pane: 1 });
});

test("a pane that is slow to start stays behind the one that was turned to meanwhile", async () => {
  const api = await dock();
  await act(() => newTerminal());
  const other = await opened(twin);
  let start = () => {};
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  const open = twin.openPane;
  twin.openPane = async (request) => {
    await started;
    return open(request);
  };
  await act(async () => {
    const slow = newTerminal();
    showPane(other.id);
    start();
    await slow;
  });
  expect(panesShown(api)).toHaveLength(3);
  expect(paneOfParams(api.activePanel?.params)).toBe(other.id);

  // Of two that were asked for at once, the later is in front.
  await act(async () => {
    await Promise.all([newTerminal(), newTerminal()]);
  });
  expect(panesShown(api)).toHaveLength(5);
  expect(paneOfParams(api.activePanel?.params)).toBe(panesShown(api).at(-1));
});
