import { expect, test } from "vitest";
import type { StepState, StepView } from "../bindings";
import { graphOf } from "../twin/graph-of";
import { triage } from "../twin/recordings";
import { causesOf } from "./causes";
import { chainsOf } from "./chains";
import { criticalPath } from "./critical";
import { layOut } from "./layout";
import { looksOf } from "./looks";

function step(
  id: string,
  state: StepState,
  change: Partial<StepView> = {},
): StepView {
  return {
    id,
    state,
    skip: null,
    branch: null,
    queued_at: null,
    guard: null,
    guard_error: null,
    attempts: [],
    ...change,
  };
}

function stepsOf(...steps: StepView[]): Record<string, StepView> {
  return Object.fromEntries(steps.map((one) => [one.id, one]));
}

const skipped = (
  id: string,
  cause: "branch_not_taken" | "all_inputs_dead" | "upstream_failed",
  origin: string,
) =>
  step(id, "skipped", {
    skip: {
      cause,
      origin,
      tainted: cause === "upstream_failed",
      taken: cause === "branch_not_taken" ? "bug" : null,
    },
  });

const atShip = stepsOf(
  step("plan", "succeeded"),
  step("route", "succeeded", { branch: "bug" }),
  step("fix", "succeeded"),
  skipped("write", "branch_not_taken", "route"),
  skipped("ask", "branch_not_taken", "route"),
  step("test", "succeeded"),
  step("ship", "awaiting_approval"),
  step("done", "pending"),
);

test("the branch that was taken is lit from the switch to the join, the others are dimmed", () => {
  const { nodes, edges } = looksOf(triage.graph, atShip);
  expect(nodes).toMatchObject({
    plan: "lit",
    route: "lit",
    fix: "lit",
    test: "lit",
    ship: "lit",
    write: "dimmed",
    ask: "dimmed",
    done: "open",
  });
  expect(edges).toMatchObject({
    "plan→route": "lit",
    "route→fix": "lit",
    "fix→test": "lit",
    "test→ship": "lit",
    "route→write": "dimmed",
    "route→ask": "dimmed",
    "write→ship": "dimmed",
    "ask→done": "dimmed",
    "ship→done": "open",
  });
});

test("the way ahead on a branch is shown before the run gets there, and ends at the join", () => {
  const { nodes, edges } = looksOf(
    triage.graph,
    stepsOf(
      step("plan", "succeeded"),
      step("route", "succeeded", { branch: "bug" }),
      step("fix", "running"),
    ),
  );
  expect(nodes).toMatchObject({ fix: "lit", test: "ahead", ship: "open" });
  expect(edges).toMatchObject({
    "route→fix": "flowing",
    "fix→test": "ahead",
    "test→ship": "ahead",
    "ship→done": "open",
  });
});

test("a failure is seen on the edges that carry it, unless it may fail", () => {
  const graph = graphOf("f", [
    { id: "a", kind: "run" },
    { id: "b", kind: "run", allow_failure: true },
    { id: "c", kind: "run", needs: ["a"] },
    { id: "d", kind: "run", needs: ["b"] },
  ]);
  const { edges } = looksOf(
    graph,
    stepsOf(
      step("a", "failed"),
      step("b", "timed_out"),
      skipped("c", "upstream_failed", "a"),
      step("d", "running"),
    ),
  );
  expect(edges).toEqual({ "a→c": "bad", "b→d": "flowing" });
});

test("the causes of a skip lead step by step to where it began", () => {
  const graph = graphOf("f", [
    { id: "build", kind: "run" },
    { id: "other", kind: "run" },
    { id: "test", kind: "run", needs: ["build", "other"] },
    { id: "pack", kind: "run", needs: ["test"] },
    { id: "ship", kind: "run", needs: ["pack", "other"] },
  ]);
  const steps = stepsOf(
    step("build", "failed"),
    step("other", "succeeded"),
    skipped("test", "upstream_failed", "build"),
    skipped("pack", "upstream_failed", "build"),
    skipped("ship", "upstream_failed", "build"),
  );
  expect(causesOf(graph, steps, "ship")).toEqual(["pack", "test", "build"]);
  expect(causesOf(graph, steps, "test")).toEqual(["build"]);
  expect(causesOf(graph, steps, "build")).toEqual([]);
});

test("long chains are found; switches, approvals and batches stay as they are", () => {
  const chain = Array.from({ length: 6 }, (_, index) => ({
    id: `s${index}`,
    kind: index === 5 ? ("approval" as const) : ("run" as const),
    needs: index === 0 ? [] : [`s${index - 1}`],
  }));
  expect(chainsOf(graphOf("chain", chain))).toEqual([
    { id: "chain:s0", steps: ["s0", "s1", "s2", "s3", "s4"] },
  ]);
  expect(chainsOf(triage.graph)).toEqual([]);
});

test("what took longest is the longest way in time, not in steps", () => {
  const took = (id: string, from: number, to: number) =>
    step(id, "succeeded", {
      attempts: [
        {
          attempt: 1,
          state: "succeeded",
          queued_at: null,
          started_at: from,
          ended_at: to,
          pane: null,
          worktree: null,
          agent: null,
          needs_you: null,
          held: null,
          exit_code: 0,
          message: null,
          output: null,
          output_file: null,
          data: null,
          prompt: null,
          asked_again: null,
          decision: null,
          question: null,
          answer: null,
          due: null,
        },
      ],
    });
  const graph = graphOf("f", [
    { id: "a", kind: "run" },
    { id: "b", kind: "run", needs: ["a"] },
    { id: "c", kind: "run", needs: ["b"] },
    { id: "slow", kind: "run", needs: ["a"] },
    { id: "end", kind: "run", needs: ["c", "slow"] },
  ]);
  const steps = stepsOf(
    took("a", 0, 10),
    took("b", 10, 20),
    took("c", 20, 30),
    took("slow", 10, 90),
    took("end", 90, 95),
  );
  expect(criticalPath(graph, steps, 100)).toEqual(["a", "slow", "end"]);
});

test("nothing overlaps in a layout, and a batch has its members within its frame", () => {
  const graph = graphOf(
    "f",
    [
      { id: "start", kind: "run" },
      { id: "one", kind: "run", batch: "fan", needs: ["start"] },
      { id: "two", kind: "run", batch: "fan", needs: ["start"] },
      { id: "three", kind: "run", batch: "fan", needs: ["start"] },
      { id: "beside", kind: "run", needs: ["start"] },
      { id: "end", kind: "value", needs: ["batch:fan", "beside"] },
    ],
    { fan: 2 },
  );
  const layout = layOut({ graph, chains: [] });
  const boxes = Object.entries(layout.nodes);
  expect(boxes).toHaveLength(6);
  for (const [id, a] of boxes)
    for (const [other, b] of boxes) {
      if (id >= other) continue;
      const apart =
        a.x + a.width <= b.x ||
        b.x + b.width <= a.x ||
        a.y + a.height <= b.y ||
        b.y + b.height <= a.y;
      expect(apart, `${id} and ${other}`).toBe(true);
    }
  const frame = layout.frames[0]?.box;
  const beside = layout.nodes.beside;
  if (!frame || !beside) throw new Error("no frame");
  for (const id of ["one", "two", "three"]) {
    const box = layout.nodes[id];
    expect(box && box.x > frame.x && box.y > frame.y).toBe(true);
  }
  expect(
    beside.x + beside.width <= frame.x || beside.x >= frame.x + frame.width,
  ).toBe(true);
});

test("a step that a rejection goes back to does not move anything", () => {
  const without = layOut({
    graph: {
      ...triage.graph,
      edges: triage.graph.edges.filter((edge) => edge.kind !== "goto"),
    },
    chains: [],
  });
  expect(layOut({ graph: triage.graph, chains: [] }).nodes).toEqual(
    without.nodes,
  );
});
