import { backend } from "../backend/backend";
import type { CommandMark, LineId, PaneId } from "../bindings";

/** The commands that the shell of a pane marked, oldest first. */
export async function marksOf(pane: PaneId): Promise<CommandMark[]> {
  const marks = await backend.paneMarks(pane);
  return marks.status === "ok" ? marks.data : [];
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
