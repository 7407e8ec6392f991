/** A key as the browser tells it: what is needed of a `KeyboardEvent`. */
export interface KeyPressed {
  type: string;
  key: string;
  code: string;
  location: number;
  repeat: boolean;
  shiftKey: boolean;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  getModifierState(lock: string): boolean;
}

/** How a program wants its keys. */
export interface KeyModes {
  /** The flags of the kitty keyboard protocol. */
  kitty: number;
  /** The level of modifyOtherKeys. */
  otherKeys: number;
  /** A full-screen program runs. */
  fullScreen: boolean;
}

/** The flags of the kitty keyboard protocol. */
const DISAMBIGUATE = 1;
const EVENTS = 2;
const ALTERNATES = 4;
const ALL_KEYS = 8;
const TEXT = 16;

/** Keys that are no text: the number and the last character of their sequence. */
const FUNCTIONAL = new Map<string, readonly [number, string]>([
  ["Escape", [27, "u"]],
  ["Enter", [13, "u"]],
  ["Tab", [9, "u"]],
  ["Backspace", [127, "u"]],
  ["Insert", [2, "~"]],
  ["Delete", [3, "~"]],
  ["ArrowUp", [1, "A"]],
  ["ArrowDown", [1, "B"]],
  ["ArrowRight", [1, "C"]],
  ["ArrowLeft", [1, "D"]],
  ["PageUp", [5, "~"]],
  ["PageDown", [6, "~"]],
  ["Home", [1, "H"]],
  ["End", [1, "F"]],
  ["Clear", [1, "E"]],
  ["F1", [1, "P"]],
  ["F2", [1, "Q"]],
  ["F3", [13, "~"]],
  ["F4", [1, "S"]],
  ...[15, 17, 18, 19, 20, 21, 23, 24].map(
    (number, at) => [`F${at + 5}`, [number, "~"]] as const,
  ),
  ...Array.from(
    { length: 23 },
    (_, at) => [`F${at + 13}`, [57376 + at, "u"]] as const,
  ),
  ["CapsLock", [57358, "u"]],
  ["ScrollLock", [57359, "u"]],
  ["NumLock", [57360, "u"]],
  ["PrintScreen", [57361, "u"]],
  ["Pause", [57362, "u"]],
  ["ContextMenu", [57363, "u"]],
]);

/** The keypad's keys, which have numbers of their own; by `code`, and those without a number lock by `key`. */
const KEYPAD = new Map<string, number>([
  ...Array.from(
    { length: 10 },
    (_, digit) => [`Numpad${digit}`, 57399 + digit] as const,
  ),
  ["NumpadDecimal", 57409],
  ["NumpadDivide", 57410],
  ["NumpadMultiply", 57411],
  ["NumpadSubtract", 57412],
  ["NumpadAdd", 57413],
  ["NumpadEnter", 57414],
  ["NumpadEqual", 57415],
  ["NumpadComma", 57416],
]);
const KEYPAD_MOVES = new Map<string, number>([
  ["ArrowLeft", 57417],
  ["ArrowRight", 57418],
  ["ArrowUp", 57419],
  ["ArrowDown", 57420],
  ["PageUp", 57421],
  ["PageDown", 57422],
  ["Home", 57423],
  ["End", 57424],
  ["Insert", 57425],
  ["Delete", 57426],
  ["Clear", 57427],
]);

/** Modifiers as keys, by `code`. */
const MODIFIERS = new Map<string, number>([
  ["ShiftLeft", 57441],
  ["ControlLeft", 57442],
  ["AltLeft", 57443],
  ["MetaLeft", 57444],
  ["ShiftRight", 57447],
  ["ControlRight", 57448],
  ["AltRight", 57449],
  ["MetaRight", 57450],
]);
const MODIFIER_KEYS = ["Shift", "Control", "Alt", "Meta", "AltGraph"];

/** The keys of a keyboard of the United States by `code`: alone, and with Shift. */
const LAYOUT = new Map<string, readonly [string, string]>([
  ...[..."abcdefghijklmnopqrstuvwxyz"].map(
    (letter) =>
      [`Key${letter.toUpperCase()}`, [letter, letter.toUpperCase()]] as const,
  ),
  ...[...")!@#$%^&*("].map(
    (shifted, digit) => [`Digit${digit}`, [`${digit}`, shifted]] as const,
  ),
  ["Space", [" ", " "]],
  ["Minus", ["-", "_"]],
  ["Equal", ["=", "+"]],
  ["BracketLeft", ["[", "{"]],
  ["BracketRight", ["]", "}"]],
  ["Backslash", ["\\", "|"]],
  ["Semicolon", [";", ":"]],
  ["Quote", ["'", '"']],
  ["Backquote", ["`", "~"]],
  ["Comma", [",", "<"]],
  ["Period", [".", ">"]],
  ["Slash", ["/", "?"]],
]);

/** What xterm sends for keys that xterm.js does not know: the number of their sequence, which ends in `~`. */
const OLD_KEYS = new Map<string, number>([
  ["Insert", 2],
  ["PageUp", 5],
  ["PageDown", 6],
  ["F13", 25],
  ["F14", 26],
  ["F15", 28],
  ["F16", 29],
  ["F17", 31],
  ["F18", 32],
  ["F19", 33],
  ["F20", 34],
  ["ContextMenu", 29],
]);

/** The control characters that xterm.js does not send. */
const OLD_CONTROLS = new Map<string, string>([
  ["2", "\0"],
  ["@", "\0"],
  ["/", "\x1f"],
  ["_", "\x1f"],
  ["^", "\x1e"],
  ["?", "\x7f"],
]);

/**
 * What is sent for a key; `null` when that is xterm.js's to say, the empty string when nothing is.
 *
 * xterm.js knows keys as the first terminals sent them. Beyond that a program can ask for keys that it can tell apart, by
 * the kitty keyboard protocol or by modifyOtherKeys.
 */
export function keyBytes(pressed: KeyPressed, modes: KeyModes): string | null {
  // A person scrolls by these, whatever program runs.
  const scrolls = pressed.key === "PageUp" || pressed.key === "PageDown";
  if (scrolls && pressed.shiftKey && !pressed.ctrlKey && !pressed.altKey)
    return null;
  if (modes.kitty !== 0) return kittyBytes(pressed, modes.kitty);
  if (pressed.type !== "keydown") return null;
  if (modes.otherKeys > 0) {
    const bytes = otherKeyBytes(pressed, modes.otherKeys);
    if (bytes !== null) return bytes;
  }
  return oldBytes(pressed, modes.fullScreen);
}

/** Shift, Alt, Ctrl and Meta as sequences count them, without the one that is added. */
function modifiers(pressed: KeyPressed): number {
  return (
    (pressed.shiftKey ? 1 : 0) +
    (pressed.altKey ? 2 : 0) +
    (pressed.ctrlKey ? 4 : 0) +
    (pressed.metaKey ? 8 : 0)
  );
}

/** The text of a key; none for a key like Enter, one that begins an accent, or what an input method makes of it. */
function textOf(pressed: KeyPressed): string | null {
  return [...pressed.key].length === 1 ? pressed.key : null;
}

function oldBytes(pressed: KeyPressed, fullScreen: boolean): string | null {
  const { key, shiftKey, altKey, ctrlKey, metaKey } = pressed;
  const held = modifiers(pressed);
  // Shells take a line feed as Enter, and programs that have no better way to tell as one more line to write.
  if (key === "Enter" && (held === 1 || held === 4) && !fullScreen) return "\n";
  const number = OLD_KEYS.get(key);
  if (number !== undefined && !metaKey) {
    const known = key === "Insert" || key === "PageUp" || key === "PageDown";
    // Shift+Insert pastes.
    if (known && (held === 0 || (key === "Insert" && held === 1))) return null;
    return held === 0 ? `\x1b[${number}~` : `\x1b[${number};${held + 1}~`;
  }
  if (!ctrlKey || altKey || metaKey || textOf(pressed) === null) return null;
  const control = OLD_CONTROLS.get(key);
  if (control !== undefined) return control;
  // There is no control character for these; else they would open a list of emoji.
  return !shiftKey && (key === "." || key === ";") ? key : null;
}

/** As modifyOtherKeys has it: keys that else could not be told apart (1), or all that are pressed with a modifier (2). */
function otherKeyBytes(pressed: KeyPressed, level: number): string | null {
  const held = modifiers(pressed);
  const text = textOf(pressed);
  const special = { Enter: 13, Escape: 27, Tab: 9, Backspace: 127 }[
    pressed.key
  ];
  if (held === 0 || pressed.getModifierState("AltGraph")) return null;
  if (text === null) {
    const told = level >= 2 || pressed.key === "Enter" || special === 27;
    return special !== undefined && told
      ? `\x1b[27;${held + 1};${special}~`
      : null;
  }
  // With Shift alone it is another text.
  if (held === 1) return null;
  if (level < 2) {
    // Those that are a control character, or that begin with an escape character, can be told apart.
    const hasControl = /^[a-z@[\\\]^_? 2-8/]$/.test(text);
    if (!pressed.ctrlKey || (hasControl && !pressed.metaKey)) return null;
  }
  return `\x1b[27;${held + 1};${text.codePointAt(0)}~`;
}

function kittyBytes(pressed: KeyPressed, flags: number): string | null {
  const all = (flags & ALL_KEYS) !== 0;
  const releases = pressed.type === "keyup";
  if (pressed.type !== "keydown" && !releases) return null;
  if (releases && !(flags & EVENTS)) return null;
  const modifier = MODIFIER_KEYS.includes(pressed.key);
  if (modifier && !all) return null;
  const text = textOf(pressed);
  const isText =
    text !== null &&
    (pressed.getModifierState("AltGraph") ||
      !(pressed.altKey || pressed.ctrlKey || pressed.metaKey));
  let held = modifiers(pressed);
  if (isText && held !== modifiers(pressed)) held &= 1;
  if (isText && !all && !releases) return null;
  // The numbers of the keypad and the modifiers are told apart from their likes only by those who asked for it.
  const apart = (flags & (DISAMBIGUATE | ALL_KEYS)) !== 0;
  const [number, last] = kittyCode(pressed, text, apart) ?? [];
  if (number === undefined || last === undefined) return null;
  const plain = number === 13 || number === 9 || number === 127;
  if (last === "u" && plain && !all && number < 128) {
    // So that somebody whose program ended without a word can still type.
    if (releases) return "";
    if (held === 0) return null;
  }
  if (!apart && !releases && !pressed.repeat) return null;
  // With a lock on, a key would else look as no program expects it that asked for less.
  if (all) {
    if (pressed.getModifierState("CapsLock")) held += 64;
    if (pressed.getModifierState("NumLock")) held += 128;
  }
  const event = !(flags & EVENTS)
    ? ""
    : releases
      ? ":3"
      : pressed.repeat
        ? ":2"
        : "";
  const alternates =
    flags & ALTERNATES && text !== null ? alternatesOf(pressed, number) : "";
  const written =
    flags & TEXT && all && isText && !releases ? text.codePointAt(0) : null;
  const second =
    held !== 0 || event !== "" || written !== null
      ? `;${held === 0 && event === "" ? "" : held + 1}${event}`
      : "";
  const third = written === null ? "" : `;${written}`;
  const first =
    number === 1 && last !== "u" && second === ""
      ? ""
      : `${number}${alternates}`;
  return `\x1b[${first}${second}${third}${last}`;
}

/** The number of a key and the last character of its sequence. */
function kittyCode(
  pressed: KeyPressed,
  text: string | null,
  apart: boolean,
): readonly [number, string] | undefined {
  if (MODIFIER_KEYS.includes(pressed.key)) {
    const number =
      pressed.key === "AltGraph" ? 57453 : MODIFIERS.get(pressed.code);
    return number === undefined ? undefined : [number, "u"];
  }
  const keypad = pressed.location === 3 && apart;
  const ofKeypad = keypad
    ? (KEYPAD_MOVES.get(pressed.key) ?? KEYPAD.get(pressed.code))
    : undefined;
  if (ofKeypad !== undefined) return [ofKeypad, "u"];
  const functional = FUNCTIONAL.get(pressed.key);
  if (functional) return functional;
  if (text === null) return undefined;
  return [unshifted(pressed, text).codePointAt(0) ?? 0, "u"];
}

/** The text of a key without Shift, as far as the browser lets one know. */
function unshifted(pressed: KeyPressed, text: string): string {
  const [alone, shifted] = LAYOUT.get(pressed.code) ?? [];
  if (pressed.shiftKey && alone !== undefined && text === shifted) return alone;
  const lower = text.toLowerCase();
  return [...lower].length === 1 ? lower : text;
}

/** What the key is with Shift, and what it is on a keyboard of the United States, where that is something else. */
function alternatesOf(pressed: KeyPressed, number: number): string {
  const text = textOf(pressed)?.codePointAt(0);
  const shifted =
    pressed.shiftKey && text !== undefined && text !== number ? text : null;
  const there = LAYOUT.get(pressed.code)?.[0].codePointAt(0);
  const base = there !== undefined && there !== number ? there : null;
  if (base !== null) return `:${shifted ?? ""}:${base}`;
  return shifted === null ? "" : `:${shifted}`;
}
