import type { GraphEdgeKind } from "../bindings";

/** Whether an edge leads back to what was before: what waits for what is not told by it. */
export function leadsBack(kind: GraphEdgeKind): boolean {
  return kind === "goto" || kind === "repeat";
}
