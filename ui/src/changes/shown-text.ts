/** So many characters of a line are drawn. */
const LONGEST = 2000;

/** Characters that would write the rest of the line in another direction, or hide themselves: shown by their numbers. */
const TURNING =
  /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** Control characters but for the tab: shown as their pictures. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** A line of a file as it is drawn: what a program wrote must not look like something else. */
export function shownText(line: string): {
  text: string;
  /** Characters that are left out at the end. */
  more: number;
  /** It ends in a carriage return, which is said beside it. */
  carriage: boolean;
} {
  const carriage = line.endsWith("\r");
  const own = carriage ? line.slice(0, -1) : line;
  const cut = own.slice(0, LONGEST);
  const text = cut
    .replace(TURNING, (char) => `[U+${numberOf(char)}]`)
    .replace(CONTROLS, (char) =>
      char === "\u007f"
        ? "\u2421"
        : String.fromCharCode(0x2400 + char.charCodeAt(0)),
    );
  return { text, more: own.length - cut.length, carriage };
}

function numberOf(char: string): string {
  return char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
}
