import type { IBufferLine, IDisposable, ILink, Terminal } from "@xterm/xterm";
import { backend } from "../backend/backend";
import type { PaneId } from "../bindings";
import { openInEditor } from "./pane-life";

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
const READ = 4_000;

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

/** A printed line over all of its rows, and in which cell each of its UTF-16 units stands. */
interface Printed {
  text: string;
  cells: { x: number; y: number }[];
}

function printedAt(terminal: Terminal, row: number): Printed {
  const { active } = terminal.buffer;
  let first = row;
  while (first > 0 && active.getLine(first)?.isWrapped) first--;
  const printed: Printed = { text: "", cells: [] };
  let line: IBufferLine | undefined = active.getLine(first);
  for (let y = first; line && printed.text.length < READ; ) {
    for (let x = 0; x < line.length; x++) {
      const cell = line.getCell(x);
      if (!cell || cell.getWidth() === 0) continue;
      const chars = cell.getChars() || " ";
      printed.text += chars;
      for (let unit = 0; unit < chars.length; unit++)
        printed.cells.push({ x: x + 1, y: y + 1 });
    }
    y++;
    line = active.getLine(y);
    if (!line?.isWrapped) break;
  }
  return printed;
}

/** Makes links of the names of files that are there, seen from the directory of the pane. Ctrl+click opens one in the editor. */
export function fileLinks(
  terminal: Terminal,
  pane: PaneId,
  onLink: (target: string | null) => void,
): IDisposable {
  async function linksIn(row: number): Promise<ILink[]> {
    const { text, cells } = printedAt(terminal, row - 1);
    const names = fileNamesIn(text);
    if (names.length === 0) return [];
    const there = await backend.findFiles(
      pane,
      names.map(({ path }) => path),
    );
    if (there.status === "error") return [];
    return names.flatMap((name, index): ILink[] => {
      const path = there.data[index];
      const start = cells[name.start];
      const end = cells[name.end - 1];
      if (path == null || !start || !end) return [];
      const { line, column } = name;
      return [
        {
          range: { start, end },
          text: text.slice(name.start, name.end),
          activate: (event) => {
            if (event.ctrlKey || event.metaKey)
              void openInEditor({ path, line, column });
          },
          hover: () =>
            onLink(
              [path, line, column].filter((one) => one !== null).join(":"),
            ),
          leave: () => onLink(null),
        },
      ];
    });
  }
  return terminal.registerLinkProvider({
    provideLinks: (row, callback) =>
      void linksIn(row).then((links) =>
        callback(links.length > 0 ? links : undefined),
      ),
  });
}
