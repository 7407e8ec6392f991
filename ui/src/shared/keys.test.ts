import { expect, test, vi } from "vitest";
import { type Command, commandFor } from "./commands";
import {
  chordOfPress,
  formatKey,
  type KeyPress,
  matches,
  parseKey,
  writeKey,
} from "./keys";

function press(text: string, code = ""): KeyPress {
  const chord = parseKey(text);
  if (!chord) throw new Error(`\`${text}\` is no key`);
  return {
    ctrlKey: chord.ctrl,
    shiftKey: chord.shift,
    altKey: chord.alt,
    metaKey: chord.meta,
    key: chord.key,
    code,
  };
}

test.each([
  ["ctrl+shift+p", "Ctrl+Shift+P"],
  ["Ctrl+Shift+Left", "Ctrl+Shift+←"],
  ["alt+PageUp", "Alt+PgUp"],
  ["Ctrl++", "Ctrl++"],
  ["Ctrl+=", "Ctrl+="],
  ["F3", "F3"],
  ["cmd+k", "Super+K"],
])("%s is written %s", (text, written) => {
  const chord = parseKey(text);
  expect(chord && formatKey(chord)).toBe(written);
});

test.each(["", "Ctrl+", "Hyper+P", "+"])("`%s` is no key", (text) => {
  expect(parseKey(text)).toBeNull();
});

test("Shift changes what a key yields; the physical key still tells", () => {
  const chord = parseKey("Ctrl+Shift+=");
  expect(
    chord &&
      matches(chord, { ...press("Ctrl+Shift+="), key: "+", code: "Equal" }),
  ).toBe(true);
});

test("another modifier is another key", () => {
  const chord = parseKey("Ctrl+Shift+T");
  expect(chord && matches(chord, press("Ctrl+T"))).toBe(false);
});

function command(id: string, key: string, enabled = true): Command {
  return {
    id,
    title: id,
    group: "",
    key,
    run: vi.fn(),
    enabled: () => enabled,
  };
}

test("the person's key wins over another command's default", () => {
  const commands = [command("a", "F1"), command("b", "F2")];
  expect(commandFor(press("F1"), { commands, keys: { b: "F1" } })?.id).toBe(
    "b",
  );
  expect(commandFor(press("F1"), { commands, keys: {} })?.id).toBe("a");
});

test("a key that is taken away, or whose command means nothing now, is the program's", () => {
  const commands = [command("a", "F1"), command("b", "F2", false)];
  expect(commandFor(press("F1"), { commands, keys: { a: null } })).toBeNull();
  expect(commandFor(press("F2"), { commands, keys: {} })).toBeNull();
});

test.each([
  ["Ctrl+Shift+Left"],
  ["Alt+Pgup"],
  ["Ctrl++"],
  ["Ctrl+Shift+="],
  ["F3"],
  ["Super+K"],
  ["Ctrl+Space"],
])("%s is written as it is read", (text) => {
  const chord = parseKey(text);
  if (!chord) throw new Error(`\`${text}\` is no key`);
  expect(parseKey(writeKey(chord))).toEqual(chord);
});

test("a press is the chord that it matches, whatever Shift made of the key", () => {
  const plus = { ...press("Ctrl+Shift+="), key: "+", code: "Equal" };
  const chord = chordOfPress(plus);
  expect(chord && writeKey(chord)).toBe("Ctrl+Shift+=");
  expect(chord && matches(chord, plus)).toBe(true);
  expect(chordOfPress({ ...press("Ctrl+Shift+a"), key: "Shift" })).toBeNull();
});
