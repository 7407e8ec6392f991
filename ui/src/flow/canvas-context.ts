import { createContext } from "react";

/** What every part of one canvas needs to know. */
export interface Canvas {
  /** Which of the held runs, or plans, is drawn. */
  model: string;
  /** Begins the names of what the picture refers to: there may be several on the page. */
  name: string;
  critical: ReadonlySet<string>;
  found: ReadonlySet<string>;
  /** Does what a click on a node does: shows the step, or the steps of a chain. */
  open: (node: string) => void;
}

export const none: ReadonlySet<string> = new Set();

export const CanvasContext = createContext<Canvas>({
  model: "",
  name: "",
  critical: none,
  found: none,
  open: () => {},
});

/** Whether the canvas is looked at from so far away that nothing written on it could be read. */
export const FarContext = createContext(false);
