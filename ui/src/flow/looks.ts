import type { FlowGraph, GraphEdge, StepView } from "../bindings";
import { isBad, isTerminal } from "./run-model";
import { leadsBack } from "./ways";

/**
 * How an edge is drawn. `lit`: the run went this way; `flowing`: it goes this way right now; `ahead`: it will, because a
 * switch has taken this branch; `dimmed`: it did not; `bad`: a failure came along it; `open`: nothing is known yet.
 */
export type EdgeLook = "open" | "ahead" | "lit" | "flowing" | "bad" | "dimmed";

/** How a node is drawn beside its state: on the path of the run, on the branch ahead, or off it. */
export type NodeLook = "open" | "ahead" | "lit" | "dimmed";

export interface Looks {
  nodes: Record<string, NodeLook>;
  edges: Record<string, EdgeLook>;
}

export function edgeKey(edge: Pick<GraphEdge, "from" | "to">): string {
  return `${edge.from}→${edge.to}`;
}

/** Which way a run went, which it goes, and which it did not go. */
export function looksOf(
  graph: FlowGraph,
  steps: Record<string, StepView>,
): Looks {
  const ahead = aheadOf(graph, steps);
  const nodes: Record<string, NodeLook> = {};
  const mayFail = new Set<string>();
  for (const node of graph.nodes) {
    if (node.allow_failure) mayFail.add(node.id);
    const state = steps[node.id]?.state ?? "pending";
    nodes[node.id] =
      state === "skipped"
        ? "dimmed"
        : state !== "pending" || steps[node.id]?.items != null
          ? "lit"
          : ahead.has(node.id)
            ? "ahead"
            : "open";
  }
  const edges: Record<string, EdgeLook> = {};
  for (const edge of graph.edges) {
    if (leadsBack(edge.kind)) continue;
    const key = edgeKey(edge);
    const look = edgeLook(edge, steps, ahead, mayFail);
    // Between two steps there may be two edges, a case and a need: the case says which way it went.
    if (edges[key] === undefined || edge.kind === "case") {
      const before = edges[key];
      edges[key] =
        edge.kind === "case" && before && rank(before) > rank(look)
          ? before
          : look;
    }
  }
  return { nodes, edges };
}

function rank(look: EdgeLook): number {
  return ["dimmed", "open", "ahead", "bad", "lit", "flowing"].indexOf(look);
}

function edgeLook(
  edge: GraphEdge,
  steps: Record<string, StepView>,
  ahead: Set<string>,
  mayFail: Set<string>,
): EdgeLook {
  const from = steps[edge.from];
  const to = steps[edge.to];
  const target = to?.state ?? "pending";
  if (!from || !isTerminal(from.state))
    return ahead.has(edge.from) && target === "pending" ? "ahead" : "open";
  const moving = target === "running" || target === "retry_wait";
  if (edge.kind === "case") {
    if (from.state !== "succeeded") return "dimmed";
    if (from.branch !== edge.label) return "dimmed";
    return target === "skipped" ? "dimmed" : moving ? "flowing" : "lit";
  }
  if (from.state === "skipped") return "dimmed";
  if (isBad(from.state) && !mayFail.has(edge.from)) return "bad";
  if (target === "skipped") return "dimmed";
  return moving ? "flowing" : "lit";
}

/**
 * The steps of branches that were taken, up to their joins: those that can only be reached through the case that the
 * switch chose. What other branches reach as well is the join.
 */
function aheadOf(
  graph: FlowGraph,
  steps: Record<string, StepView>,
): Set<string> {
  const ahead = new Set<string>();
  const taken = graph.nodes.filter(
    (node) =>
      node.kind === "switch" &&
      steps[node.id]?.state === "succeeded" &&
      steps[node.id]?.branch,
  );
  if (taken.length === 0) return ahead;
  const into = new Map<string, GraphEdge[]>();
  const out = new Map<string, string[]>();
  for (const edge of graph.edges) {
    if (leadsBack(edge.kind)) continue;
    into.set(edge.to, [...(into.get(edge.to) ?? []), edge]);
    out.set(edge.from, [...(out.get(edge.from) ?? []), edge.to]);
  }
  for (const node of taken) {
    const branch = steps[node.id]?.branch;
    const first = node.cases.find((one) => one.label === branch)?.steps ?? [];
    const region = new Set(first);
    const waiting = [...first];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      for (const next of out.get(id) ?? []) {
        if (region.has(next)) continue;
        const inside = (into.get(next) ?? []).every(
          (edge) => region.has(edge.from) || edge.from === node.id,
        );
        if (!inside) continue;
        region.add(next);
        waiting.push(next);
      }
    }
    for (const id of region) ahead.add(id);
  }
  return ahead;
}
