import type { FunctionComponent } from "react";
import type { Command } from "./commands";
import type { Destination } from "./destinations";
import type { DockView } from "./dock/Dock";
import type { TreeItem } from "./tree-item";

/** What ends something that was started. */
export type Stop = () => void;

/**
 * What one subject adds to the window. `window/` puts these side by side, in one order that holds everywhere; a feature
 * knows `backend/`, `shared/` and itself, and no other feature.
 */
export interface Feature {
  /** Its folder. */
  name: string;
  commands: Command[];
  /** Its kinds of dock panels, by name. */
  views?: Record<string, DockView>;
  /** Its section of the sidebar. */
  sidebar?: FunctionComponent;
  /** A hook: its rows in the sidebar's tree of directories. */
  useItems?: () => TreeItem[];
  /** A hook: what of it can be gone to by name. */
  useDestinations?: () => Destination[];
  /** What it shows on the right side, by name. */
  asides?: Record<string, FunctionComponent>;
  /** Its part of the status bar. */
  status?: FunctionComponent;
  /** What it asks, over everything else. */
  dialogs?: FunctionComponent;
  /** Fetches what the window can't be shown without. */
  prepare?: () => Promise<Stop>;
  /** Begins what lives as long as the page. Nothing waits for it. */
  start?: () => Stop | Promise<Stop>;
}
