import { act, waitFor } from "@testing-library/react";
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

test("what is wrong with the keys is told with its line when they are saved, until they are right", async () => {
  await twin.changeSetting("keys", "pane.new", { to: "value", value: "F1" });
  await twin.changeSetting("keys", "pane.nwe", { to: "value", value: "F2" });
  await waitFor(() => expect(notices()).toHaveLength(1));
  expect(notices()[0]).toBe(
    "keys.json\nLine 3: No command is called “pane.nwe”; did you mean “pane.new”?",
  );
  twin.tellSettings({ keys: { "pane.new": "Ctrl+Nothing" } });
  await waitFor(() =>
    expect(notices()[0]).toContain("“Ctrl+Nothing” for “pane.new” is no key"),
  );
  expect(notices()).toHaveLength(1);
  twin.tellSettings({ keys: { "pane.new": "F1" } });
  expect(notices()).toEqual([]);
});

test("keys that were mended while their lines were looked for are not told of", async () => {
  const { settingsSheet } = twin;
  let answer = () => {};
  twin.settingsSheet = async () => {
    await new Promise<void>((go) => {
      answer = go;
    });
    return settingsSheet();
  };
  twin.tellSettings({ keys: { "pane.nwe": "F1" } });
  twin.tellSettings({ keys: {} });
  await act(async () => answer());
  expect(notices()).toEqual([]);
});
