import type { IDisposable, ILink, Terminal } from "@xterm/xterm";
import { backend } from "../backend/backend";
import type { FilePlace, PaneId } from "../bindings";
import { fileNamesIn, READ } from "./file-names";
import { gridOf, printedLine, type Spot } from "./grid";

/** As xterm counts, from 1. */
function placeOf(spot: Spot | undefined): { x: number; y: number } | null {
  return spot ? { x: spot.col + 1, y: spot.row + 1 } : null;
}

/** Makes links of the names of files that are there, seen from the directory of the pane. Ctrl+click opens one. */
export function fileLinks(
  terminal: Terminal,
  pane: PaneId,
  {
    onLink,
    onOpen,
  }: {
    /** Where the link under the pointer leads; none: there is none any more. */
    onLink: (target: string | null) => void;
    onOpen: (place: FilePlace) => void;
  },
): IDisposable {
  async function linksIn(row: number): Promise<ILink[]> {
    const grid = gridOf(terminal.buffer.active, terminal.cols);
    const { text, spots } = printedLine(grid, row - 1, READ);
    const names = fileNamesIn(text);
    if (names.length === 0) return [];
    const there = await backend.findFiles(
      pane,
      names.map(({ path }) => path),
    );
    if (there.status === "error") return [];
    return names.flatMap((name, index): ILink[] => {
      const path = there.data[index];
      const start = placeOf(spots[name.start]);
      const end = placeOf(spots[name.end - 1]);
      if (path == null || !start || !end) return [];
      const { line, column } = name;
      return [
        {
          range: { start, end },
          text: text.slice(name.start, name.end),
          activate: (event) => {
            if (event.ctrlKey || event.metaKey) onOpen({ path, line, column });
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
