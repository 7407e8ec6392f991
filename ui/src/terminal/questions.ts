import { create } from "zustand";
import type { PaneId } from "../bindings";
import type { PasteRisk } from "./paste-guard";

/** What the person is being asked. */
export type Question =
  | { ask: "close"; pane: PaneId }
  | { ask: "purge"; panes: PaneId[] }
  | { ask: "paste"; pane: PaneId; text: string; risk: PasteRisk };

interface Questions {
  question: Question | null;
  /** The pane whose tab is being renamed. */
  renaming: PaneId | null;
}

export const useQuestions = create<Questions>(() => ({
  question: null,
  renaming: null,
}));

export function ask(question: Question | null): void {
  useQuestions.setState({ question });
}

export function startRenaming(pane: PaneId | null): void {
  useQuestions.setState({ renaming: pane });
}
