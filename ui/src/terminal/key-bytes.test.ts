import { expect, test } from "vitest";
import { type KeyModes, type KeyPressed, keyBytes } from "./key-bytes";

/** How keys are written here: `ctrl+shift+Enter`, `a`, and where the place of the key matters `с@KeyC`. */
function pressed(text: string): KeyPressed {
  const parts = text.split(/\+(?!$)/);
  const last = parts.pop() ?? "";
  const [key = "", code = codeOf(key)] =
    last === "@" ? ["@"] : last.split("@", 2);
  const is = (modifier: string) => parts.includes(modifier);
  return {
    type: is("up") ? "keyup" : "keydown",
    key,
    code,
    location: code.startsWith("Numpad") ? 3 : 0,
    repeat: is("again"),
    shiftKey: is("shift"),
    altKey: is("alt"),
    ctrlKey: is("ctrl"),
    metaKey: is("meta"),
    getModifierState: (lock) => is(lock),
  };
}

function codeOf(key: string): string {
  return /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : "";
}

function table(modes: Partial<KeyModes>, rows: [string, string | null][]) {
  const all: KeyModes = {
    kitty: 0,
    otherKeys: 0,
    fullScreen: false,
    ...modes,
  };
  const got = rows.map(([key]) => [key, keyBytes(pressed(key), all)]);
  expect(got).toEqual(rows);
}

test("programs that ask for nothing get keys as xterm sends them", () => {
  table({}, [
    ["a", null],
    ["Enter", null],
    ["ctrl+c", null],
    ["ctrl+/", "\x1f"],
    ["ctrl+2", "\0"],
    ["ctrl+shift+@", "\0"],
    ["ctrl+shift+^", "\x1e"],
    ["ctrl+shift+_", "\x1f"],
    ["ctrl+shift+?", "\x7f"],
    ["ctrl+.", "."],
    ["ctrl+;", ";"],
    ["Insert", null],
    ["shift+Insert", null],
    ["ctrl+Insert", "\x1b[2;5~"],
    ["alt+PageUp", "\x1b[5;3~"],
    ["alt+PageDown", "\x1b[6;3~"],
    ["PageUp", null],
    ["shift+PageUp", null],
    ["F12", null],
    ["F13", "\x1b[25~"],
    ["F20", "\x1b[34~"],
    ["shift+F15", "\x1b[28;2~"],
    ["ContextMenu", "\x1b[29~"],
    ["up+a", null],
  ]);
});

test("Enter with Shift or Ctrl is one more line to programs that do not ask", () => {
  table({}, [
    ["shift+Enter", "\n"],
    ["ctrl+Enter", "\n"],
    ["alt+Enter", null],
  ]);
  table({ fullScreen: true }, [["shift+Enter", null]]);
});

test("modifyOtherKeys 1 tells keys apart that had no sequence", () => {
  table({ otherKeys: 1 }, [
    ["shift+Enter", "\x1b[27;2;13~"],
    ["ctrl+Enter", "\x1b[27;5;13~"],
    ["Enter", null],
    ["ctrl+.", "\x1b[27;5;46~"],
    ["ctrl+1", "\x1b[27;5;49~"],
    ["ctrl+shift+A", "\x1b[27;6;65~"],
    ["ctrl+a", null],
    ["ctrl+2", "\0"],
    ["alt+a", null],
    ["shift+Tab", null],
    ["A", null],
    ["shift+A", null],
    ["AltGraph+ctrl+alt+@", null],
  ]);
});

test("modifyOtherKeys 2 tells all keys apart that are pressed with a modifier", () => {
  table({ otherKeys: 2 }, [
    ["ctrl+a", "\x1b[27;5;97~"],
    ["alt+a", "\x1b[27;3;97~"],
    ["ctrl+i", "\x1b[27;5;105~"],
    ["shift+Tab", "\x1b[27;2;9~"],
    ["ctrl+Backspace", "\x1b[27;5;127~"],
    ["shift+A", null],
    ["ctrl+ArrowUp", null],
    ["F13", "\x1b[25~"],
  ]);
});

test("the kitty keyboard protocol tells keys apart", () => {
  table({ kitty: 1 }, [
    ["a", null],
    ["shift+A", null],
    ["Enter", null],
    ["Tab", null],
    ["Backspace", null],
    ["Escape", "\x1b[27u"],
    ["shift+Enter", "\x1b[13;2u"],
    ["ctrl+Enter", "\x1b[13;5u"],
    ["shift+Tab", "\x1b[9;2u"],
    ["alt+Backspace", "\x1b[127;3u"],
    ["ctrl+i", "\x1b[105;5u"],
    ["ctrl+shift+A", "\x1b[97;6u"],
    ["ctrl+ @Space", "\x1b[32;5u"],
    ["ctrl+shift+!@Digit1", "\x1b[49;6u"],
    ["alt+a", "\x1b[97;3u"],
    ["ctrl+.", "\x1b[46;5u"],
    ["ArrowUp", "\x1b[A"],
    ["shift+ArrowUp", "\x1b[1;2A"],
    ["ctrl+Home", "\x1b[1;5H"],
    ["ctrl+alt+Delete", "\x1b[3;7~"],
    ["F1", "\x1b[P"],
    ["F3", "\x1b[13~"],
    ["F12", "\x1b[24~"],
    ["ctrl+F4", "\x1b[1;5S"],
    ["F13", "\x1b[57376u"],
    ["ContextMenu", "\x1b[57363u"],
    ["ArrowLeft@Numpad4", "\x1b[57417u"],
    ["4@Numpad4", null],
    ["Enter@NumpadEnter", "\x1b[57414u"],
    ["Shift@ShiftLeft", null],
    ["up+ctrl+a", null],
    ["NumLock+shift+Enter", "\x1b[13;2u"],
    ["Dead", null],
    ["AltGraph+ctrl+alt+@", null],
    ["shift+PageUp", null],
  ]);
});

test("a program may ask for more by the kitty keyboard protocol", () => {
  // Releases and repetitions.
  table({ kitty: 1 | 2 }, [
    ["up+a", "\x1b[97;1:3u"],
    ["again+ArrowUp", "\x1b[1;1:2A"],
    ["up+ArrowUp", "\x1b[1;1:3A"],
    ["ctrl+a", "\x1b[97;5u"],
    ["up+Enter", ""],
    ["up+ctrl+Enter", ""],
  ]);
  // What else the key is.
  table({ kitty: 1 | 4 }, [
    ["ctrl+shift+A", "\x1b[97:65;6u"],
    ["ctrl+с@KeyC", "\x1b[1089::99;5u"],
    ["ctrl+a", "\x1b[97;5u"],
  ]);
  // All keys.
  table({ kitty: 8 }, [
    ["a", "\x1b[97u"],
    ["shift+A", "\x1b[97;2u"],
    ["CapsLock+A", "\x1b[97;65u"],
    ["Enter", "\x1b[13u"],
    ["Shift@ShiftLeft", "\x1b[57441u"],
    ["AltGraph@AltRight", "\x1b[57453u"],
  ]);
  table({ kitty: 8 | 2 }, [["up+Enter", "\x1b[13;1:3u"]]);
  // With their text.
  table({ kitty: 8 | 16 }, [
    ["a", "\x1b[97;;97u"],
    ["shift+A", "\x1b[97;2;65u"],
    ["ctrl+a", "\x1b[97;5u"],
  ]);
});
