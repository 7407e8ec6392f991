import type { FlowGraph, StepView } from "../bindings";
import { isBad } from "./run-model";
import { leadsBack } from "./ways";

/**
 * The chain of causes of a step that did not run: from it, through what it needs, to the step where that began.
 * A step that ran, or waits, has no chain.
 */
export function causesOf(
  graph: FlowGraph,
  steps: Record<string, StepView>,
  id: string,
): string[] {
  const skip = steps[id]?.skip;
  if (steps[id]?.state !== "skipped" || !skip || skip.origin === id) return [];
  const needs = new Map<string, string[]>();
  for (const edge of graph.edges) {
    if (leadsBack(edge.kind)) continue;
    needs.set(edge.to, [...(needs.get(edge.to) ?? []), edge.from]);
  }
  // The shortest way upstream to the origin, over steps that did not succeed: those carried the cause on.
  const came = new Map<string, string>([[id, id]]);
  let frontier = [id];
  while (frontier.length > 0 && !came.has(skip.origin)) {
    const next: string[] = [];
    for (const at of frontier) {
      for (const need of needs.get(at) ?? []) {
        const state = steps[need]?.state;
        const carries =
          need === skip.origin ||
          state === "skipped" ||
          (state !== undefined && isBad(state));
        if (!carries || came.has(need)) continue;
        came.set(need, at);
        next.push(need);
      }
    }
    frontier = next;
  }
  if (!came.has(skip.origin)) return [skip.origin];
  const chain: string[] = [];
  for (let at = skip.origin; at !== id; at = came.get(at) ?? id) chain.push(at);
  return chain.reverse();
}
