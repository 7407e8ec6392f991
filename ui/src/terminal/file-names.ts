/** A part of a line that may name a file, with the place in it that is meant. */
export interface FileName {
  /** Where it stands in the line. */
  start: number;
  end: number;
  path: string;
  line: number | null;
  column: number | null;
}

/** So many parts of a line are looked up. */
const LOOKED_UP = 32;
/** Longer lines are not read for names. */
export const READ = 4_000;

/**
 * `src/a.rs:3:14`, `a.rs(3,14)`, `./a`, `~/b`, `"a.py", line 3`: what has a slash, an ending or a line number. Whether there
 * is such a file is not known here.
 */
const NAMES =
  /(?<path>(?:~|\.{1,2})?\/?[\p{L}\p{N}_@+%,=.-]+(?:\/[\p{L}\p{N}_@+%,=.-]+)*)(?:(?::(?<l1>\d{1,7})(?::(?<c1>\d{1,7}))?)|(?:\((?<l2>\d{1,7})(?:,\s?(?<c2>\d{1,7}))?\))|(?:", line (?<l3>\d{1,7})))?/gu;

/** What may name a file in a line. Pure. */
export function fileNamesIn(text: string): FileName[] {
  const names: FileName[] = [];
  for (const found of text.slice(0, READ).matchAll(NAMES)) {
    const { path = "", l1, c1, l2, c2, l3 } = found.groups ?? {};
    const line = l1 ?? l2 ?? l3;
    const column = c1 ?? c2;
    // A sentence's last word has a full stop behind it.
    const name = line === undefined ? path.replace(/[.,=]+$/, "") : path;
    if (!/[/.]/.test(name.replace(/^\.+$/, "")) && line === undefined) continue;
    if (!/[\p{L}\p{N}]/u.test(name)) continue;
    names.push({
      start: found.index,
      end: found.index + (line === undefined ? name.length : found[0].length),
      path: name,
      line: line === undefined ? null : Number(line),
      column: column === undefined ? null : Number(column),
    });
    if (names.length === LOOKED_UP) break;
  }
  return names;
}
