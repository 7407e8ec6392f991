import type { FlowGraph, GraphCase, GraphNode, StepKind } from "../bindings";

export interface StepOf {
  id: string;
  kind: StepKind;
  needs?: string[];
  batch?: string;
  trigger?: GraphNode["trigger"];
  cases?: Record<string, string[]>;
  when?: string;
  allow_failure?: boolean;
  goto?: string;
  description?: string;
}

/** The picture of a flow from few words, as the engine would make it from a file. */
export function graphOf(
  name: string,
  steps: StepOf[],
  limits: Record<string, number> = {},
): FlowGraph {
  const edges: FlowGraph["edges"] = [];
  const batches = Object.entries(limits).map(([batch, max_concurrent]) => ({
    name: batch,
    max_concurrent,
    steps: steps.filter((step) => step.batch === batch).map((step) => step.id),
  }));
  const nodes = steps.map((step, index): GraphNode => {
    for (const other of steps)
      for (const [label, targets] of Object.entries(other.cases ?? {}))
        if (targets.includes(step.id))
          edges.push({ from: other.id, to: step.id, kind: "case", label });
    for (const need of step.needs ?? []) {
      const batch = batches.find((one) => `batch:${one.name}` === need);
      if (batch)
        for (const member of batch.steps)
          edges.push({ from: member, to: step.id, kind: "batch", label: null });
      else edges.push({ from: need, to: step.id, kind: "need", label: null });
    }
    if (step.goto)
      edges.push({ from: step.id, to: step.goto, kind: "goto", label: null });
    return {
      id: step.id,
      kind: step.kind,
      description: step.description ?? null,
      trigger: step.trigger ?? "all_success",
      when: step.when ?? null,
      batch: step.batch ?? null,
      allow_failure: step.allow_failure ?? false,
      cases: Object.entries(step.cases ?? {}).map(
        ([label, targets]): GraphCase => ({
          label,
          when:
            label === "default" ? null : `results.plan.data.kind == "${label}"`,
          steps: targets,
        }),
      ),
      line: index * 4 + 6,
    };
  });
  return { name, nodes, edges, batches };
}
