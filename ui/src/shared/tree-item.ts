import type { ReactNode } from "react";

/** Something that works in a directory and has a row in the sidebar: a pane, an agent. */
export interface TreeItem {
  key: string;
  directory: string;
  row: ReactNode;
}
