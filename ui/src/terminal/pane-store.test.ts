import { expect, test } from "vitest";
import { baseName, shortPath } from "../shared/paths";
import { paneInfo } from "../test-support";
import { stateOf } from "./pane-state";
import {
  applyPaneEvent,
  emptyPanes,
  paneInFull,
  panesInOrder,
  paneTitle,
} from "./pane-store";

test("panes come, change and go", () => {
  let state = applyPaneEvent(emptyPanes, {
    event: "opened",
    pane: paneInfo({ id: 2 }),
  });
  state = applyPaneEvent(state, { event: "opened", pane: paneInfo({ id: 1 }) });
  state = applyPaneEvent(state, {
    event: "changed",
    pane: paneInfo({ id: 2, title: "vim" }),
  });
  expect(panesInOrder(state).map(({ id, title }) => [id, title])).toEqual([
    [1, ""],
    [2, "vim"],
  ]);
  state = applyPaneEvent(state, { event: "closed", id: 2 });
  expect(panesInOrder(state).map(({ id }) => id)).toEqual([1]);
});

test("a program that asks for the clipboard again replaces its own wish, and closing ends it", () => {
  let state = emptyPanes;
  for (const [id, text] of [
    [1, "a"],
    [2, "b"],
    [1, "c"],
  ] as const)
    state = applyPaneEvent(state, { event: "clipboard_write", id, text });
  expect(state.wishes).toEqual([
    { pane: 2, text: "b" },
    { pane: 1, text: "c" },
  ]);
  state = applyPaneEvent(state, { event: "closed", id: 2 });
  expect(state.wishes).toEqual([{ pane: 1, text: "c" }]);
});

test.each([
  [{ name: "mine", title: "vim", program: ["/bin/bash"] }, "mine"],
  [{ name: null, title: "vim", program: ["/bin/bash"] }, "vim"],
  [{ name: null, title: "", program: ["/bin/bash", "-l"] }, "bash"],
  [{ name: "", title: "", program: [] }, "pane"],
])("what a pane is called: %o", (pane, title) => {
  expect(paneTitle(pane)).toBe(title);
});

test("a pane in full has its name, its program's title and its directory, each once", () => {
  const full = (change: Parameters<typeof paneInFull>[0]) =>
    paneInFull(change).split("\n");
  const pane = paneInfo({ name: "mine", title: "vim", cwd: "/src" });
  expect(full(pane)).toEqual(["mine", "vim", "/src"]);
  expect(full({ ...pane, name: null })).toEqual(["vim", "/src"]);
  expect(full({ ...pane, title: "" })).toEqual(["mine", "/src"]);
});

test("paths are short, and home is a tilde", () => {
  expect(baseName("/home/you/code/", "/home/you")).toBe("code");
  expect(baseName("/home/you", "/home/you")).toBe("~");
  expect(baseName("/")).toBe("/");
  expect(shortPath("/home/you/code", "/home/you")).toBe("~/code");
  expect(shortPath("/home/younger", "/home/you")).toBe("/home/younger");
});

test("an ended program is told apart from an idle one", () => {
  const exited = { state: "exited", code: 0, signal: null } as const;
  expect(stateOf(paneInfo({ state: exited }))).toBe("ended");
  expect(stateOf(paneInfo({ state: exited, attention: "failed" }))).toBe(
    "failed",
  );
  expect(stateOf(paneInfo({}))).toBe("idle");
});
