import { expect, test } from "vitest";
import { type MemoryBackend, memoryBackend } from "../backend/memory-backend";
import { reviews, triage } from "../backend/sample-flows";
import type { FlowEvent, RunView } from "../bindings";
import { applyEvents, modelOf, type RunModel } from "./run-model";
import { segmentsOf } from "./timeline";

/** A run in the twin, and a model of it that is told events alone. */
async function follow(
  twin: MemoryBackend,
  path: string,
): Promise<{ run: string; model: () => RunModel; events: FlowEvent[] }> {
  const events: FlowEvent[] = [];
  twin.onRuns((more) => events.push(...more));
  const started = await twin.startFlow(path, {}, null);
  if (started.status === "error") throw new Error(started.error.message);
  const run = started.data;
  const graph = await twin.runGraph(run);
  const view = await twin.runOutline(run);
  if (graph.status === "error" || view.status === "error")
    throw new Error("no run");
  const empty: RunView = {
    ...view.data,
    seq: 0,
    step_list: view.data.step_list.map((step) => ({
      ...step,
      state: "pending",
      skip: null,
      branch: null,
      attempts: [],
    })),
  };
  const begin = modelOf(empty, graph.data);
  return { run, model: () => applyEvents(begin, events), events };
}

/** What an outline says, in the words that a model of events can know. */
async function told(twin: MemoryBackend, run: string) {
  const view = await twin.runOutline(run);
  if (view.status === "error") throw new Error(view.error.message);
  return Object.fromEntries(
    view.data.step_list.map((step) => [
      step.id,
      [step.state, step.attempts.length, step.branch, step.skip],
    ]),
  );
}

function said(model: RunModel) {
  return Object.fromEntries(
    Object.values(model.steps).map((step) => [
      step.id,
      [step.state, step.attempts.length, step.branch, step.skip],
    ]),
  );
}

test("events add up to what the outline says, at every moment", async () => {
  const twin = memoryBackend({ flows: [triage] });
  const { run, model } = await follow(twin, triage.path);
  const check = async () =>
    expect(said(model())).toEqual(await told(twin, run));
  await check();
  twin.finish(run, "plan");
  await check();
  twin.finish(run, "fix", { state: "failed", retryIn: 1000 });
  await check();
  expect(model().steps.fix?.state).toBe("retry_wait");
  await twin.cancelRun(run, { what: "step", step: "fix" });
  await check();
  expect(model().steps.ship?.skip?.cause).toBe("upstream_failed");
  await twin.retryFailed(run);
  twin.finish(run, "fix");
  twin.finish(run, "test");
  await check();
  expect(model().run).toMatchObject({ state: "waiting", asks: ["ship"] });
  await twin.answerApproval(run, "ship", {
    approved: true,
    form: { version: "patch" },
    comment: null,
    by_timeout: false,
  });
  await check();
  expect(model().run.state).toBe("succeeded");
});

test("a step that no event is about stays the same object", async () => {
  const twin = memoryBackend({ flows: [triage] });
  const { run, model, events } = await follow(twin, triage.path);
  const before = model();
  const known = events.length;
  twin.finish(run, "plan");
  const after = applyEvents(before, events.slice(known));
  expect(after.steps.done).toBe(before.steps.done);
  expect(after.steps.plan).not.toBe(before.steps.plan);
  expect(applyEvents(after, events)).toBe(after);
});

test("a batch holds its limit, and its segments say who waited", async () => {
  let time = 1000;
  const twin = memoryBackend({ flows: [reviews], now: () => time });
  const { run, model, events } = await follow(twin, reviews.path);
  const running = () =>
    Object.values(model().steps).filter((step) => step.state === "running");
  expect(running()).toHaveLength(2);
  time = 1500;
  twin.finish(run, "correctness");
  expect(running()).toHaveLength(2);
  const segments = segmentsOf(events);
  expect(
    segments.get("speed")?.map(({ kind, from, to }) => [kind, from, to]),
  ).toEqual([
    ["queued", 1000, 1500],
    ["running", 1500, null],
  ]);
  expect(segments.get("correctness")?.at(-1)).toMatchObject({
    to: 1500,
    state: "succeeded",
  });
});
