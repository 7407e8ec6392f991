/** A key with its modifiers: what a command is bound to. */
export interface Chord {
  ctrl: boolean;
  shift: boolean;
  alt: boolean;
  meta: boolean;
  /** In lower case: `p`, `arrowleft`, `enter`, `=`. */
  key: string;
}

const NAMES: Record<string, string> = {
  left: "arrowleft",
  right: "arrowright",
  up: "arrowup",
  down: "arrowdown",
  esc: "escape",
  return: "enter",
  space: " ",
  plus: "+",
  del: "delete",
  ins: "insert",
  pgup: "pageup",
  pgdn: "pagedown",
};

const SHOWN: Record<string, string> = {
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
  " ": "Space",
  pageup: "PgUp",
  pagedown: "PgDn",
  escape: "Esc",
  enter: "Enter",
  tab: "Tab",
};

/** Reads `Ctrl+Shift+P`; `null` when it is no key. */
export function parseKey(text: string): Chord | null {
  const chord: Chord = {
    ctrl: false,
    shift: false,
    alt: false,
    meta: false,
    key: "",
  };
  // `Ctrl++` is the plus key.
  const parts = text.trim().replace(/\+\+$/, "+plus").split("+");
  const last = parts.pop()?.trim().toLowerCase() ?? "";
  for (const part of parts) {
    switch (part.trim().toLowerCase()) {
      case "ctrl":
      case "control":
        chord.ctrl = true;
        break;
      case "shift":
        chord.shift = true;
        break;
      case "alt":
      case "option":
        chord.alt = true;
        break;
      case "meta":
      case "cmd":
      case "super":
        chord.meta = true;
        break;
      default:
        return null;
    }
  }
  if (last === "") return null;
  chord.key = NAMES[last] ?? last;
  return chord;
}

/** Keys that have a name of several letters. */
const NAMED = new Set([
  ...Object.values(NAMES).filter((name) => name.length > 1),
  ...["backspace", "tab", "home", "end", "capslock", "contextmenu"],
  ...["pause", "printscreen", "scrolllock", "numlock"],
  ...Array.from({ length: 24 }, (_, index) => `f${index + 1}`),
]);

/** Whether a keyboard has this key: one character, or a key with a name. */
export function isKey({ key }: Chord): boolean {
  return [...key].length === 1 || NAMED.has(key);
}

/** Keys that are pressed together with another one. */
const MODIFIERS = new Set([
  ...["control", "shift", "alt", "meta", "altgraph"],
  ...["capslock", "numlock", "fn", "os", "dead", "process", "unidentified"],
]);

/** The chord of a key press; `null` for a modifier alone. */
export function chordOfPress(press: KeyPress): Chord | null {
  const pressed = press.key.toLowerCase();
  if (MODIFIERS.has(pressed)) return null;
  // What Shift and Alt make of a key is named by the key itself, as `matches` knows it.
  const byPlace = /^(?:Key|Digit)|^(?:Equal|Minus|Comma|Period|Slash)$/;
  const key =
    (press.shiftKey || press.altKey) && byPlace.test(press.code)
      ? codeKey(press.code)
      : pressed;
  return {
    ctrl: press.ctrlKey,
    shift: press.shiftKey,
    alt: press.altKey,
    meta: press.metaKey,
    key,
  };
}

/** Whether the key writes something by itself: a command on it would take it from every program. */
export function isTyped({ ctrl, alt, meta, key }: Chord): boolean {
  if (ctrl || alt || meta) return false;
  return (
    [...key].length === 1 ||
    ["enter", "tab", "backspace", "escape"].includes(key) ||
    key.startsWith("arrow")
  );
}

/** What of a `KeyboardEvent` decides. */
export type KeyPress = Pick<
  KeyboardEvent,
  "ctrlKey" | "shiftKey" | "altKey" | "metaKey" | "key" | "code"
>;

/** Whether a key press is this chord. */
export function matches(chord: Chord, press: KeyPress): boolean {
  if (
    chord.ctrl !== press.ctrlKey ||
    chord.shift !== press.shiftKey ||
    chord.alt !== press.altKey ||
    chord.meta !== press.metaKey
  )
    return false;
  const key = press.key.toLowerCase();
  if (key === chord.key) return true;
  // Shift and Alt change what a key yields (`Shift+=` is `+`); the physical key still tells.
  return codeKey(press.code) === chord.key;
}

function codeKey(code: string): string {
  if (code.startsWith("Key")) return code.slice(3).toLowerCase();
  if (code.startsWith("Digit")) return code.slice(5);
  switch (code) {
    case "Equal":
      return "=";
    case "Minus":
      return "-";
    case "Comma":
      return ",";
    case "Period":
      return ".";
    case "Slash":
      return "/";
    case "Backslash":
      return "\\";
    default:
      return code.toLowerCase();
  }
}

/** Writes a chord for people: `Ctrl+Shift+P`. */
export function formatKey(chord: Chord): string {
  return joined(chord, SHOWN[chord.key] ?? capital(chord.key));
}

const WRITTEN = new Map(
  Object.entries(NAMES).map(([name, key]) => [key, capital(name)]),
);

/** Writes a chord for `keys.json`: what `parseKey` reads. */
export function writeKey(chord: Chord): string {
  return joined(chord, WRITTEN.get(chord.key) ?? capital(chord.key));
}

function joined(chord: Chord, key: string): string {
  const parts = [
    chord.ctrl && "Ctrl",
    chord.alt && "Alt",
    chord.shift && "Shift",
    chord.meta && "Super",
  ].filter(Boolean);
  return [...parts, key].join("+");
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
