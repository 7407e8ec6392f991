import { backend } from "../backend/backend";
import type { PaneId } from "../bindings";
import { notify, reportFailure } from "../shared/notices";
import { fileNamesIn } from "./file-names";
import { hostOf } from "./hosts";
import { openInEditor } from "./pane-life";
import type { Hint } from "./quick-hints";
import type { ModeEnd } from "./terminal-mode";

/** What is told of a text that was copied has at most so many letters. */
const TOLD = 60;

export function copyMode(pane: PaneId): void {
  hostOf(pane)?.copyMode((end) => void ended(pane, end));
}

export function quickSelect(pane: PaneId): void {
  hostOf(pane)?.quickSelect((end) => void ended(pane, end));
}

async function ended(pane: PaneId, { copy, open }: ModeEnd): Promise<void> {
  if (copy !== undefined) await copied(copy);
  if (open && !(await opened(pane, open))) await copied(open.text);
}

/** Copies, and says what. */
export async function copied(text: string): Promise<void> {
  if (reportFailure(await backend.writeClipboard(text))) return;
  const [first = ""] = text.split("\n");
  const short = first.length > TOLD ? `${first.slice(0, TOLD)}…` : first;
  const more = text.includes("\n")
    ? ` and ${text.split("\n").length - 1} more lines`
    : "";
  notify("info", `Copied: ${short}${more}`, undefined, "copied");
}

/** Opens a link in the browser, a file in the editor; says whether it is something that opens. */
async function opened(pane: PaneId, { kind, text }: Hint): Promise<boolean> {
  if (kind === "link" && /^https?:/i.test(text))
    return !reportFailure(await backend.openLink(text));
  return kind === "path" && openFile(pane, text);
}

/** Opens the file that a text names, as the pane's program would find it; `false` when there is none. */
export async function openFile(pane: PaneId, text: string): Promise<boolean> {
  const [name] = fileNamesIn(text);
  if (!name) return false;
  const found = await backend.findFiles(pane, [name.path]);
  const path = found.status === "ok" ? found.data[0] : null;
  if (path == null) return false;
  await openInEditor({ path, line: name.line, column: name.column });
  return true;
}
