import { create } from "zustand";
import type { CommandMark, LineId, PaneId } from "../bindings";

/** A command that is selected, in its pane. */
export interface SelectedBlock {
  pane: PaneId;
  mark: CommandMark;
}

/** The selected command: one at a time, whatever pane it is in. */
export const useBlocks = create<{ selected: SelectedBlock | null }>(() => ({
  selected: null,
}));

export function selectBlock(pane: PaneId, mark: CommandMark): void {
  useBlocks.setState({ selected: { pane, mark } });
}

/** Selects nothing in a pane, or in any; says whether something was. */
export function deselectBlock(pane?: PaneId): boolean {
  const { selected } = useBlocks.getState();
  if (!selected || (pane !== undefined && selected.pane !== pane)) return false;
  useBlocks.setState({ selected: null });
  return true;
}

/** The line of the prompt of the command that is selected in a pane. */
export function selectedIn(pane: PaneId): LineId | null {
  const { selected } = useBlocks.getState();
  return selected?.pane === pane ? selected.mark.prompt : null;
}

/** A command's marks have changed: what is selected is what it is now, or nothing when it is marked no longer. */
export function marksChanged(pane: PaneId, marks: CommandMark[]): void {
  const { selected } = useBlocks.getState();
  if (selected?.pane !== pane) return;
  const now = marks.find(({ prompt }) => prompt === selected.mark.prompt);
  useBlocks.setState({ selected: now ? { pane, mark: now } : null });
}
