import { expect, test } from "vitest";
import type { Command } from "../shared/commands";
import { parseKey } from "../shared/keys";
import { holdersOf, keyGroups, warningOf } from "./key-rows";

const command = (id: string, key?: string): Command => ({
  id,
  title: `Do ${id}`,
  group: id.split(".")[0] ?? "",
  ...(key && { key }),
  run() {},
});

const commands = [
  command("pane.new", "Ctrl+Shift+T"),
  command("pane.close", "Ctrl+Shift+W"),
  command("view.larger"),
];

function chord(text: string) {
  const parsed = parseKey(text);
  if (!parsed) throw new Error(`\`${text}\` is no key`);
  return parsed;
}

function shown(keys: Record<string, string | null>, query = "", only = false) {
  return keyGroups(commands, keys, query, only).flatMap(([, rows]) =>
    rows.map(({ command, key, own, shared }) =>
      [
        command.id,
        key,
        own ? "own" : "",
        ...shared.map(({ id }) => `also ${id}`),
      ]
        .filter(Boolean)
        .join(" "),
    ),
  );
}

test("every command is listed with its key, and says whose else it is", () => {
  expect(shown({})).toEqual([
    "pane.new Ctrl+Shift+T",
    "pane.close Ctrl+Shift+W",
    "view.larger",
  ]);
  expect(shown({ "pane.new": null, "view.larger": "ctrl+shift+w" })).toEqual([
    "pane.new own",
    "pane.close Ctrl+Shift+W also view.larger",
    "view.larger Ctrl+Shift+W own also pane.close",
  ]);
});

test("commands are found by title, id and key", () => {
  expect(shown({}, "shift+w")).toEqual(["pane.close Ctrl+Shift+W"]);
  expect(shown({}, "do larger")).toEqual(["view.larger"]);
  expect(shown({ "pane.close": "F4" }, "", true)).toEqual([
    "pane.close F4 own",
  ]);
});

test("who has a key is known however it is written", () => {
  const held = holdersOf(chord("shift+ctrl+t"), commands, {}, "pane.close");
  expect(held.map(({ id }) => id)).toEqual(["pane.new"]);
  expect(holdersOf(chord("F2"), commands, {}, "pane.close")).toEqual([]);
});

test("what one types can be no command's key, and what programs use is told", () => {
  expect(warningOf(chord("a"))?.refused).toBe(true);
  expect(warningOf(chord("Shift+A"))?.refused).toBe(true);
  expect(warningOf(chord("Enter"))?.refused).toBe(true);
  expect(warningOf(chord("Ctrl+C"))?.refused).toBe(false);
  expect(warningOf(chord("F2"))).toBeNull();
  expect(warningOf(chord("Ctrl+Shift+C"))).toBeNull();
});
