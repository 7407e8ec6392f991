import { waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import {
  backToDefault,
  change,
  emptySheet,
  groupsOf,
  readSheet,
  useSheet,
  zoomWindow,
} from "./sheet-store";

let twin: MemoryBackend;

beforeEach(async () => {
  twin = freshBackend();
  useSheet.setState(emptySheet, true);
  await readSheet();
});

/** The settings that are shown, with the line that sets each and what is wrong with it. */
function shown(changedOnly = false): string[] {
  return groupsOf(useSheet.getState(), changedOnly).flatMap(([group, rows]) =>
    rows.map(({ setting, line, mistake }) =>
      [group, setting.name, line, mistake]
        .filter((part) => part !== null)
        .join(" · "),
    ),
  );
}

test("each press of a key zooms, however long a change takes to be in force", async () => {
  const { changeSetting } = twin;
  const asked: (() => void)[] = [];
  twin.changeSetting = async (...given) => {
    await new Promise<void>((go) => asked.push(go));
    return changeSetting(...given);
  };
  for (let press = 0; press < 3; press++) zoomWindow(10);
  for (let answered = 0; answered < 3; answered++) {
    await waitFor(() => expect(asked).toHaveLength(answered + 1));
    asked[answered]?.();
  }
  await waitFor(() => expect(twin.state.settings.window_zoom).toBe(130));
});

test("a search finds settings by all of its words, in name, title, heading and meaning", () => {
  useSheet.setState({ query: "DISK days" });
  expect(shown()).toEqual(["History · history.keep_days"]);
  useSheet.setState({ query: "look zoom" });
  expect(shown()).toEqual(["Look · window_zoom"]);
  useSheet.setState({ query: "no such thing" });
  expect(shown()).toEqual([]);
});

test("what was changed is known by its line, until it goes back to its default", async () => {
  expect(shown(true)).toEqual([]);
  await change("settings", "font_size", 15);
  await change("settings", "history.keep_days", 3);
  expect(shown(true)).toEqual([
    "Text · font_size · 2",
    "History · history.keep_days · 3",
  ]);
  expect(twin.state.settings.history?.keep_days).toBe(3);
  await backToDefault("settings", "font_size");
  expect(shown(true)).toEqual(["History · history.keep_days · 2"]);
  expect(twin.state.settings.font_size).toBe(13);
});

test("what was refused is said at the setting until it is changed to what it can be", async () => {
  await change("settings", "font_size", "large");
  useSheet.setState({ query: "font_size" });
  expect(shown()).toEqual([
    'Text · font_size · `font_size` is "large", but must be a whole number from 6 to 72',
  ]);
  await change("settings", "font_size", 14);
  expect(shown()).toEqual(["Text · font_size · 2"]);
});

test("a mistake in the file is said at its setting", async () => {
  twin.spoil("settings", "font_size", "it is 500");
  await readSheet();
  useSheet.setState({ query: "font_size" });
  expect(shown()).toEqual(["Text · font_size · 2 · it is 500"]);
});
