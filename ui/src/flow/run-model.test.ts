import { expect, test } from "vitest";
import { type MemoryBackend, memoryBackend } from "../twin/memory-backend";
import {
  pathOf,
  type Recording,
  recordings,
  retry,
  reviews,
  triage,
} from "../twin/recordings";
import { modelOf, type RunModel, withChange } from "./run-model";
import { segmentsOf } from "./timeline";

/** A run in the twin, as an outline tells it, and a model of it that is told changes alone. */
async function follow(
  twin: MemoryBackend,
  flow: Recording,
): Promise<{
  run: string;
  model: () => RunModel;
  fresh: () => Promise<RunModel>;
}> {
  const started = await twin.startFlow(pathOf(flow), {}, null);
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
  twin.onRunsChanged((changes) => {
    for (const change of changes) model = withChange(model, change);
  });
  return { run, model: () => model, fresh };
}

test.each([
  ...recordings,
])("what the engine tells of %s adds up to what a window that opens it later is given", (_name, {
  graph,
  takes,
}) => {
  for (const { name, opened, moments, left } of takes) {
    const model = moments.reduce(
      (model, { change }) => withChange(model, change),
      modelOf(opened, graph),
    );
    expect(model, name).toEqual(modelOf(left, graph));
  }
});

test("a step that waits for its next try is given up, and tried again with what failed", async () => {
  const twin = memoryBackend({ flows: [retry] });
  const { run, model, fresh } = await follow(twin, retry);
  twin.finish(run, "flaky");
  expect(model().steps.flaky?.state).toBe("retry_wait");
  expect(model()).toEqual(await fresh());
  await twin.cancelRun(run, { what: "step", step: "flaky" });
  expect(model().steps.after?.skip?.cause).toBe("upstream_failed");
  await twin.retryFailed(run);
  twin.finish(run, "flaky");
  expect(model().run.state).toBe("succeeded");
  expect(model()).toEqual(await fresh());
});

test("a run that asks the person waits", async () => {
  const twin = memoryBackend({ flows: [triage] });
  const { run, model, fresh } = await follow(twin, triage);
  for (const step of ["plan", "fix", "test"]) twin.finish(run, step);
  expect(model().run).toMatchObject({ state: "waiting", asks: ["ship"] });
  expect(model()).toEqual(await fresh());
});

test("a step that did not change stays the same object, and what is older changes nothing", async () => {
  const twin = memoryBackend({ flows: [triage] });
  const { run, model, fresh } = await follow(twin, triage);
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
  const twin = memoryBackend({ flows: [reviews] });
  const { run, model } = await follow(twin, reviews);
  const began = model().run.started_at;
  const running = () =>
    Object.values(model().steps).filter((step) => step.state === "running");
  expect(running()).toHaveLength(2);
  twin.finish(run, "correctness");
  expect(running()).toHaveLength(2);
  const segments = (step: string) => {
    const view = model().steps[step];
    return view ? segmentsOf(view) : [];
  };
  expect(
    segments("speed").map(({ kind, from, to }) => [kind, from, to]),
  ).toEqual([
    ["queued", began, began + 1000],
    ["running", began + 1000, null],
  ]);
  expect(segments("correctness").at(-1)).toMatchObject({
    to: began + 1000,
    state: "succeeded",
  });
});
