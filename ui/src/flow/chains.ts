import type { FlowGraph, GraphNode, StepState } from "../bindings";
import { isTerminal } from "./run-model";
import { leadsBack } from "./ways";

/** A chain of steps that is drawn as one node. */
export interface Chain {
  /** The name of the node that stands for it. */
  id: string;
  steps: string[];
}

/** Chains shorter than this stay as they are: nothing would be gained. */
const SHORTEST = 4;

function chainId(first: string): string {
  return `chain:${first}`;
}

/** Whether a node of the canvas stands for a chain: no step may have such a name. */
export function isChain(node: string): boolean {
  return node.startsWith("chain:");
}

/**
 * The chains of a flow: steps one after the other, each needed by the next one alone. Approvals and switches are never
 * part of one, nor members of a batch, nor steps that are done in rounds: those must be seen.
 */
export function chainsOf(graph: FlowGraph): Chain[] {
  const into = new Map<string, string[]>();
  const out = new Map<string, string[]>();
  const pinned = new Set<string>();
  for (const edge of graph.edges) {
    if (edge.kind === "case") pinned.add(edge.from);
    if (leadsBack(edge.kind)) {
      pinned.add(edge.from);
      pinned.add(edge.to);
      continue;
    }
    const before = into.get(edge.to) ?? [];
    if (!before.includes(edge.from)) into.set(edge.to, [...before, edge.from]);
    const after = out.get(edge.from) ?? [];
    if (!after.includes(edge.to)) out.set(edge.from, [...after, edge.to]);
  }
  for (const node of graph.nodes)
    for (const step of node.repeat?.steps ?? []) pinned.add(step);
  const linear = (node: GraphNode) =>
    node.kind !== "switch" &&
    node.kind !== "approval" &&
    node.batch === null &&
    !pinned.has(node.id) &&
    (into.get(node.id)?.length ?? 0) <= 1 &&
    (out.get(node.id)?.length ?? 0) <= 1;
  const may = new Set(graph.nodes.filter(linear).map((node) => node.id));
  const chains: Chain[] = [];
  for (const node of graph.nodes) {
    const before = into.get(node.id)?.[0];
    const begins =
      may.has(node.id) && (before === undefined || !may.has(before));
    if (!begins) continue;
    const steps: string[] = [];
    for (
      let at: string | undefined = node.id;
      at !== undefined && may.has(at) && !steps.includes(at);
      at = out.get(at)?.[0]
    )
      steps.push(at);
    if (steps.length >= SHORTEST) chains.push({ id: chainId(node.id), steps });
  }
  return chains;
}

/** States of which one is worth more attention than the next. */
const MATTERS: StepState[] = [
  "awaiting_approval",
  "failed",
  "timed_out",
  "rejected",
  "running",
  "retry_wait",
  "queued",
  "cancelled",
  "pending",
  "skipped",
  "succeeded",
];

/** What is said of several steps at once. */
export interface ChainSummary {
  /** The state that matters most among them. */
  state: StepState;
  /** How many of them are done. */
  words: string;
}

/** Sums up the steps of a chain. */
export function chainSummary(states: StepState[]): ChainSummary {
  const done = states.filter(isTerminal).length;
  return {
    state: MATTERS.find((state) => states.includes(state)) ?? "pending",
    words: `${done} of ${states.length} done`,
  };
}
