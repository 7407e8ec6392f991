import { afterEach, beforeEach, expect, test } from "vitest";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { registerCommands } from "./commands";
import { useNotices } from "./notices";
import { startSettings } from "./settings-store";

let twin: MemoryBackend;
let stop = () => {};

beforeEach(async () => {
  twin = freshBackend();
  registerCommands([
    { id: "pane.new", title: "New terminal", group: "Panes", run() {} },
  ]);
  stop = await startSettings();
});
afterEach(() => stop());

const notices = () => useNotices.getState().notices.map(({ text }) => text);

test("a notice leaves when its reason does, and of one thing only the latest stands", () => {
  twin.refuseSettings("line 3 is no JSON");
  twin.refuseSettings("line 4 is no JSON");
  expect(notices()).toEqual(["line 4 is no JSON"]);
  twin.tellSettings({});
  expect(notices()).toEqual([]);
  twin.tellHost({ state: "down", message: "it does not answer" });
  twin.tellHost({ state: "restarted", message: "it had ended" });
  expect(notices()).toEqual(["it had ended"]);
});

test("what was wrong with the settings at the start is told until they are right", async () => {
  stop();
  twin = freshBackend({
    notices: { about_settings: ["line 2", "line 3"], others: ["damaged"] },
  });
  stop = await startSettings();
  expect(notices()).toEqual(["line 2\nline 3", "damaged"]);
  twin.tellSettings({});
  expect(notices()).toEqual(["damaged"]);
});

test("what is wrong with the keys is told when they are saved, until they are right", () => {
  const saved = (keys: Record<string, string | null>) =>
    twin.tellSettings({ keys });
  saved({ "pane.nwe": "F1", "pane.new": "Ctrl+Nothing" });
  expect(notices()).toHaveLength(1);
  expect(notices()[0]).toContain("did you mean “pane.new”?");
  expect(notices()[0]).toContain("“Ctrl+Nothing” for “pane.new” is no key");
  saved({ "pane.new": "F1" });
  expect(notices()).toEqual([]);
});
