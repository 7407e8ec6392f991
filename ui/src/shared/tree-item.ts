import type { ReactNode } from "react";
import type { MachineId } from "../bindings";

/** Something that works in a directory and has a row in the sidebar: a pane, an agent. */
export interface TreeItem {
  key: string;
  directory: string;
  /** On which machine; not said: this one. */
  machine?: MachineId;
  row: ReactNode;
  /** What it is a part of; folded, that is one row. */
  group?: TreeGroup;
}

/** Something whose parts have rows of their own: a run, with the panes of its steps. */
export interface TreeGroup {
  key: string;
  title: string;
  /** What it is doing, in words. */
  state: string;
  /** Goes to it. */
  open: () => void;
  /** Closes those of its parts that have ended. */
  closeEnded: () => void;
}
