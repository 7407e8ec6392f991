import type { PaneInfo } from "../bindings";
import type { Doing } from "../shared/StateIcon";

/** What a pane's program is doing, as people read it. */
export function stateOf(pane: Pick<PaneInfo, "attention" | "state">): Doing {
  switch (pane.attention) {
    case "needs_you":
      return "needs you";
    case "working":
      return "working";
    case "done":
      return "done";
    case "failed":
      return "failed";
    case "idle":
      return pane.state.state === "exited" ? "ended" : "idle";
  }
}
