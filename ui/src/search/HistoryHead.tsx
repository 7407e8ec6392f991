import { backend, type Result } from "../backend/backend";
import type { Line, LineId, PaneId } from "../bindings";
import { IconButton } from "../shared/Button";
import { CopyIcon, HistoryIcon, SaveIcon, SearchIcon } from "../shared/icons";
import { notify, reportFailure } from "../shared/notices";
import type { PaneLabel } from "./pane-label";

/** More than this in one file helps nobody, and memory least of all. */
const SAVED_AT_MOST = 2_000_000;

export interface HistoryHeadProps {
  pane: PaneId;
  label: PaneLabel;
  /** The lines that were read. */
  lines: readonly Line[];
  onFind: () => void;
}

/** Whose history it is, and what can be done with its text. */
export function HistoryHead({ pane, label, lines, onFind }: HistoryHeadProps) {
  return (
    <header className="history-head">
      <HistoryIcon size={14} />
      <span className="history-name" title={label.detail}>
        {[label.title, label.detail, label.closed && "closed", "read only"]
          .filter(Boolean)
          .join(" · ")}
      </span>
      <IconButton label="Find" onClick={onFind}>
        <SearchIcon size={14} />
      </IconButton>
      <IconButton
        label="Copy the selection, or the lines that were read"
        onClick={() => void copy(lines)}
      >
        <CopyIcon size={14} />
      </IconButton>
      <IconButton
        label="Save all of it as text"
        onClick={() => void save(pane, label.title)}
      >
        <SaveIcon size={14} />
      </IconButton>
    </header>
  );
}

async function copy(lines: readonly Line[]) {
  const chosen = document.getSelection()?.toString() ?? "";
  const text = chosen || lines.map((one) => one.text).join("\n");
  if (!reportFailure(await backend.writeClipboard(text)))
    notify(
      "info",
      chosen
        ? "The selection is on the clipboard."
        : `${lines.length.toLocaleString("en")} lines are on the clipboard.`,
    );
}

async function save(pane: PaneId, title: string) {
  const text = await everything(pane);
  if (text === null) return;
  const name = `${title.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60) || "pane"}.txt`;
  const saved = await backend.saveText(name, text);
  if (saved.status === "error") reportFailure(saved);
  else notify("info", `Saved as ${saved.data}`);
}

/** Every line of a pane that is kept, as one text; the newest, when there are too many. */
async function everything(pane: PaneId): Promise<string | null> {
  const COUNT = 10_000;
  const pieces: string[] = [];
  let count = 0;
  let first: LineId | null = null;
  while (count < SAVED_AT_MOST) {
    const lines: Result<Line[]> = await backend.readLines(
      pane,
      first === null
        ? { from: "newest", count: COUNT }
        : { from: "before", line: first, count: COUNT },
    );
    if (lines.status === "error") {
      reportFailure(lines);
      return null;
    }
    const oldest = lines.data[0];
    if (!oldest) break;
    pieces.push(lines.data.map(({ text }) => text).join("\n"));
    count += lines.data.length;
    first = oldest.id;
  }
  return `${pieces.reverse().join("\n")}\n`;
}
