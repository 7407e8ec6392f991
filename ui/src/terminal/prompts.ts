import { backend } from "../backend/backend";
import type { CommandMark, LineId, PaneId } from "../bindings";
import { notify, reportFailure } from "../shared/notices";
import { hostOf } from "./hosts";
import { activePane } from "./pane-tabs";

// ---- Prompts and commands

async function marksOf(pane: PaneId): Promise<CommandMark[]> {
  const marks = await backend.paneMarks(pane);
  return marks.status === "ok" ? marks.data : [];
}

/** Scrolls to the prompt before or after the top of the view. */
export async function goToPrompt(step: 1 | -1): Promise<void> {
  const pane = activePane();
  if (pane === null) return;
  const host = hostOf(pane);
  const top = host?.topLine() ?? null;
  const marks = await marksOf(pane);
  if (!host || top === null) return;
  if (marks.length === 0) {
    notify("info", "The shell of this pane does not mark its prompts.");
    return;
  }
  const prompts = marks.map((mark) => mark.prompt);
  const target =
    step < 0
      ? prompts.filter((line) => line < top).at(-1)
      : prompts.find((line) => line > top);
  if (target === undefined) {
    if (step > 0) host.scrollToEnd();
    return;
  }
  host.revealAtTop(target);
}

/** The lines that the last command with output printed: from the first, to the one after the last. */
export async function lastOutput(
  pane: PaneId,
): Promise<{ from: LineId; to: LineId } | null> {
  const marks = await marksOf(pane);
  for (const { output_from: from, output_to: to } of marks.reverse())
    if (from !== null && to !== null && to > from) return { from, to };
  return null;
}

/** Copies what the last command printed. */
export async function copyLastOutput(): Promise<void> {
  const pane = activePane();
  if (pane === null) return;
  const output = await lastOutput(pane);
  if (!output) {
    notify("info", "The shell of this pane has not marked a command's output.");
    return;
  }
  const lines = await backend.readLines(pane, {
    from: "after",
    line: output.from,
    count: Math.min(output.to - output.from, 100_000),
  });
  if (lines.status === "error") {
    notify("error", lines.error.message);
    return;
  }
  const text = lines.data
    .filter((line) => line.id < output.to)
    .map((line) => line.text)
    .join("\n");
  if (reportFailure(await backend.writeClipboard(text))) return;
  notify("info", "The last command's output is on the clipboard.");
}
