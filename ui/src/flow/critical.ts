import type { FlowGraph, StepView } from "../bindings";
import { isTerminal } from "./run-model";
import { leadsBack } from "./ways";

/** From the beginning of its first attempt to the end of its last one, waits between them included. */
function weight(step: StepView | undefined, now: number): number {
  const first = step?.attempts[0];
  if (!step || !first || step.state === "skipped") return 0;
  const last = step.attempts[step.attempts.length - 1];
  const end = isTerminal(step.state) ? (last?.ended_at ?? now) : now;
  return Math.max(end - first.started_at, 0);
}

/** The chain of steps that took longest together: the run could only have been faster by making one of them faster. */
export function criticalPath(
  graph: FlowGraph,
  steps: Record<string, StepView>,
  now: number,
): string[] {
  const into = new Map<string, string[]>();
  const out = new Map<string, string[]>();
  const open = new Map<string, number>();
  for (const node of graph.nodes) open.set(node.id, 0);
  const seen = new Set<string>();
  for (const edge of graph.edges) {
    const key = `${edge.from}\n${edge.to}`;
    if (leadsBack(edge.kind) || seen.has(key)) continue;
    seen.add(key);
    into.set(edge.to, [...(into.get(edge.to) ?? []), edge.from]);
    out.set(edge.from, [...(out.get(edge.from) ?? []), edge.to]);
    open.set(edge.to, (open.get(edge.to) ?? 0) + 1);
  }
  const ready = graph.nodes
    .map((node) => node.id)
    .filter((id) => open.get(id) === 0);
  const total = new Map<string, number>();
  const before = new Map<string, string>();
  let end: string | null = null;
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    let longest = 0;
    for (const need of into.get(id) ?? []) {
      const length = total.get(need) ?? 0;
      if (length > longest) {
        longest = length;
        before.set(id, need);
      }
    }
    const own = weight(steps[id], now);
    // A step that took no time ends no path: the path stops where the time was spent.
    total.set(id, longest + own);
    if (own > 0 && (end === null || longest + own > (total.get(end) ?? 0)))
      end = id;
    for (const next of out.get(id) ?? []) {
      const left = (open.get(next) ?? 1) - 1;
      open.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  const path: string[] = [];
  for (let at: string | null = end; at !== null; at = before.get(at) ?? null)
    if (weight(steps[at], now) > 0 || path.length > 0) path.push(at);
  return path.reverse();
}
