import { expect, test } from "vitest";
import type { Command } from "./commands";
import { keyProblems } from "./key-problems";

const command = (id: string, key?: string): Command => ({
  id,
  title: id,
  group: "Panes",
  ...(key && { key }),
  run() {},
});

const commands = [
  command("pane.close", "Ctrl+Shift+W"),
  command("pane.new", "Ctrl+Shift+T"),
  command("tab.next", "Ctrl+Tab"),
];

test.each([
  ["nothing is wrong with none", {}, []],
  ["another key, or none", { "pane.close": "Ctrl+F4", "tab.next": null }, []],
  ["a default that gives way", { "pane.close": "Ctrl+Shift+T" }, []],
  [
    "an id that no command has",
    { "pane.explode": "F1" },
    ["No command is called “pane.explode”."],
  ],
  [
    "a slip of the fingers",
    { "pane.clsoe": "F1" },
    ["No command is called “pane.clsoe”; did you mean “pane.close”?"],
  ],
  [
    "a key that no keyboard has",
    { "pane.new": "Ctrl+Banana" },
    [
      "“Ctrl+Banana” for “pane.new” is no key; one is written like “Ctrl+Shift+K”, none is null.",
    ],
  ],
  [
    "a modifier that there is not",
    { "pane.new": "Hyper+K" },
    [
      "“Hyper+K” for “pane.new” is no key; one is written like “Ctrl+Shift+K”, none is null.",
    ],
  ],
  [
    "one key for two, however it is written",
    { "pane.new": "ctrl+shift+k", "tab.next": "Shift+Control+K" },
    ["Ctrl+Shift+K is given to “pane.new” and to “tab.next”."],
  ],
] as [
  string,
  Record<string, string | null>,
  string[],
][])("%s", (_name, keys, problems) => {
  expect(keyProblems(commands, keys)).toEqual(problems);
});

test.each([
  "Ctrl++",
  "F12",
  "Ctrl+Space",
  "Alt+é",
  "Shift+PgUp",
  "Ctrl+/",
])("%s is a key", (key) => {
  expect(keyProblems(commands, { "pane.new": key })).toEqual([]);
});

test("each is told with its line, where that is known", () => {
  const keys = { "pane.explode": "F1", "pane.new": "F2", "tab.next": "F2" };
  const problems = keyProblems(commands, keys, { "tab.next": 4 });
  expect(problems).toEqual([
    "No command is called “pane.explode”.",
    "Line 4: F2 is given to “pane.new” and to “tab.next”.",
  ]);
});
