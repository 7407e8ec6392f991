import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FlowGraph, RunChange, RunView, StepView } from "../bindings";
import { type MemoryBackend, memoryBackend } from "../twin/memory-backend";
import { reviews, triage } from "../twin/sample-flows";
import { modelOf, type RunModel, withChange } from "./run-model";
import { segmentsOf } from "./timeline";

/** A run in the twin, as an outline tells it, and a model of it that is told changes alone. */
async function follow(
  twin: MemoryBackend,
  path: string,
): Promise<{
  run: string;
  model: () => RunModel;
  fresh: () => Promise<RunModel>;
}> {
  const started = await twin.startFlow(path, {}, null);
  if (started.status === "error") throw new Error(started.error.message);
  const run = started.data;
  const fresh = async () => {
    const graph = await twin.runGraph(run);
    const view = await twin.runOutline(run);
    if (graph.status === "error" || view.status === "error")
      throw new Error("no run");
    return modelOf(view.data, graph.data);
  };
  let model = await fresh();
  twin.onRuns((changes) => {
    for (const change of changes) model = withChange(model, change);
  });
  return { run, model: () => model, fresh };
}

interface Recording {
  graph: FlowGraph;
  takes: {
    name: string;
    opened: RunView;
    moments: { change: RunChange }[];
    steps: Record<string, { view: StepView }>;
  }[];
}

const dir = join(import.meta.dirname, "../../../tests/recordings/runs");
const recordings = readdirSync(dir)
  .filter((name) => name.endsWith(".json"))
  .map((name): [string, Recording] => [
    name,
    JSON.parse(readFileSync(join(dir, name), "utf8")),
  ]);

test.each(
  recordings,
)("what the engine tells of %s adds up to what it came to", (_name, {
  graph,
  takes,
}) => {
  for (const { name, opened, moments, steps } of takes) {
    const begin = modelOf(opened, graph);
    const model = moments.reduce(
      (model, { change }) => withChange(model, change),
      begin,
    );
    const came = Object.entries(steps).map(([id, { view }]) => [
      id,
      {
        ...view,
        attempts: view.attempts.map((attempt) => ({
          ...attempt,
          output: null,
          data: null,
          prompt: null,
        })),
      },
    ]);
    expect(model.steps, name).toEqual(Object.fromEntries(came));
  }
});

test("changes add up to what an outline says", async () => {
  const twin = memoryBackend({ flows: [triage] });
  const { run, model, fresh } = await follow(twin, triage.path);
  twin.finish(run, "plan");
  twin.finish(run, "fix", { state: "failed", retryIn: 1000 });
  expect(model().steps.fix?.state).toBe("retry_wait");
  expect(model()).toEqual(await fresh());
  await twin.cancelRun(run, { what: "step", step: "fix" });
  expect(model().steps.ship?.skip?.cause).toBe("upstream_failed");
  await twin.retryFailed(run);
  twin.finish(run, "fix");
  twin.finish(run, "test");
  expect(model().run).toMatchObject({ state: "waiting", asks: ["ship"] });
  expect(model()).toEqual(await fresh());
});

test("a step that did not change stays the same object, and what is older changes nothing", async () => {
  const twin = memoryBackend({ flows: [triage] });
  const { run, model, fresh } = await follow(twin, triage.path);
  const before = model();
  twin.finish(run, "plan");
  const after = model();
  expect(after.steps.done).toBe(before.steps.done);
  expect(after.steps.plan).not.toBe(before.steps.plan);
  const { steps, ...info } = (await fresh()).run;
  const older = { info: { ...info, steps }, output: null, steps: [], seq: 0 };
  expect(withChange(after, older)).toBe(after);
});

test("a batch holds its limit, and its segments say who waited", async () => {
  let time = 1000;
  const twin = memoryBackend({ flows: [reviews], now: () => time });
  const { run, model } = await follow(twin, reviews.path);
  const running = () =>
    Object.values(model().steps).filter((step) => step.state === "running");
  expect(running()).toHaveLength(2);
  time = 1500;
  twin.finish(run, "correctness");
  expect(running()).toHaveLength(2);
  const segments = (step: string) => {
    const view = model().steps[step];
    return view ? segmentsOf(view) : [];
  };
  expect(
    segments("speed").map(({ kind, from, to }) => [kind, from, to]),
  ).toEqual([
    ["queued", 1000, 1500],
    ["running", 1500, null],
  ]);
  expect(segments("correctness").at(-1)).toMatchObject({
    to: 1500,
    state: "succeeded",
  });
});
