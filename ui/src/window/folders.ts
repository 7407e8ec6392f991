import { backend } from "../backend/backend";
import { pasteText } from "../terminal/clipboard";
import { newTerminal } from "../terminal/pane-life";
import { shellWord } from "../terminal/paste-guard";

/** What is dropped on a pane is typed into it, as paths; a folder that is dropped elsewhere opens a terminal. */
export function dropped(paths: string[], at: { x: number; y: number }): void {
  const target = document.elementFromPoint(at.x, at.y);
  const pane = target?.closest<HTMLElement>("[data-pane]")?.dataset.pane;
  if (pane !== undefined)
    pasteText(Number(pane), paths.map(shellWord).join(" "));
  else for (const path of paths) openFolder(path);
}

/** Opens a terminal in a folder, and takes the repository that it is in into the workspace. */
export function openFolder(path: string): void {
  // A folder that is in no repository is a folder.
  void backend.addRepository(path);
  void newTerminal("tab", { cwd: path });
}
