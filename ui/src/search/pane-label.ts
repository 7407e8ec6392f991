import type { PaneId } from "../bindings";

/** How a pane is shown in the results; another feature knows. */
export interface PaneLabel {
  title: string;
  /** Program, directory, time: what tells one pane from another. */
  detail: string;
  closed: boolean;
}

/** How a pane is shown, by its id. */
export type LabelOf = (pane: PaneId) => PaneLabel;
