import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { freshBackend } from "../test-support";
import { changeFrame, startWindowState, useWindowState } from "./window-state";

let stop = () => {};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  stop();
  vi.useRealTimers();
});

const left = {
  sidebar: false,
  sidebar_width: 300,
  aside_width: 500,
  collapsed: ["/repo"],
};

test("a window is as it was left", async () => {
  const drawing = { device: "a GPU", drawn_by: "dom" } as const;
  freshBackend({
    window: { searches: ["error"], folders: ["/srv"], frame: left, drawing },
  });
  stop = await startWindowState();
  expect(useWindowState.getState()).toEqual({
    searches: ["error"],
    folders: ["/srv"],
    frame: left,
    drawing,
  });
});

test("a new window has its usual frame, and keeps nothing until something changes", async () => {
  const twin = freshBackend();
  stop = await startWindowState();
  expect(useWindowState.getState().frame.sidebar).toBe(true);
  vi.runAllTimers();
  expect(twin.state.window.frame).toBeNull();
});

test("what changes in the frame is kept once it rests, or when the page goes", async () => {
  const twin = freshBackend({ window: { frame: left } });
  stop = await startWindowState();
  const saves = vi.spyOn(twin, "saveFrame");
  for (const sidebar_width of [301, 302, 303])
    changeFrame(() => ({ sidebar_width }));
  vi.runAllTimers();
  expect(saves).toHaveBeenCalledExactlyOnceWith({
    ...left,
    sidebar_width: 303,
  });
  changeFrame(() => ({ sidebar: true }));
  window.dispatchEvent(new Event("pagehide"));
  expect(twin.state.window.frame).toMatchObject({ sidebar: true });
});
