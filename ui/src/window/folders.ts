import { backend } from "../backend/backend";
import { notify } from "../shared/notices";
import { rememberFolder } from "../shared/window-state";
import { pasteText } from "../terminal/clipboard";
import { newTerminal } from "../terminal/pane-life";
import { shellWord } from "../terminal/paste-guard";

/** What is dropped on a pane is typed into it, as paths; a folder that is dropped elsewhere opens a terminal. */
export function dropped(paths: string[], at: { x: number; y: number }): void {
  const target = document.elementFromPoint(at.x, at.y);
  const pane = target?.closest<HTMLElement>("[data-pane]")?.dataset.pane;
  if (pane !== undefined)
    pasteText(Number(pane), paths.map(shellWord).join(" "));
  else
    for (const path of paths)
      void openFolder(path).then((wrong) => {
        if (wrong !== null) notify("error", `Not opened: ${wrong}.`);
      });
}

/** Opens a terminal in a folder, and takes the repository that it is in into the workspace; why not, if it can't. */
export async function openFolder(named: string): Promise<string | null> {
  const path = named.replace(/(?<=.)\/+$/, "");
  const looked = await backend.lookForFolders(path);
  if (looked.status === "error") return looked.error.message;
  if (looked.data.problem !== null) return looked.data.problem;
  // A folder that is in no repository is a folder.
  void backend.addRepository(path);
  void rememberFolder(path);
  void newTerminal("tab", { cwd: path });
  return null;
}
