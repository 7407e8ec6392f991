import { beforeEach, expect, test } from "vitest";
import type { RunChange } from "../bindings";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { pathOf, triage } from "../twin/recordings";
import { listRuns, openRun, startFlows, useFlows } from "./flow-store";

let twin: MemoryBackend;

beforeEach(() => {
  twin = freshBackend({ flows: [triage] });
});

async function started(): Promise<string> {
  const run = await twin.startFlow(pathOf(triage), {}, null);
  if (run.status === "error") throw new Error(run.error.message);
  return run.data;
}

test("what happens while a run is being opened is not missed", async () => {
  const stop = await startFlows();
  const run = await started();
  const { runGraph } = twin;
  // The outline was read before, the graph comes after it.
  twin.runGraph = async (id) => {
    await Promise.resolve();
    twin.finish(run, "plan");
    return runGraph(id);
  };
  await openRun(run);
  expect(useFlows.getState().models[run]?.steps.fix?.state).toBe("running");
  stop();
});

test("a run whose process is gone is seen to be interrupted", async () => {
  const stop = await startFlows();
  const run = await started();
  await openRun(run);
  twin.interrupt(run);
  await listRuns();
  await expect
    .poll(() => useFlows.getState().models[run]?.run.state)
    .toBe("interrupted");
  stop();
});

test("a run that goes on with another definition is shown with its new graph", async () => {
  let tell: (changes: RunChange[]) => void = () => {};
  const { onRunsChanged } = twin;
  twin.onRunsChanged = (heard) => {
    tell = heard;
    return onRunsChanged(heard);
  };
  const stop = await startFlows();
  const run = await started();
  await openRun(run);
  const shown = () => useFlows.getState().models[run];
  const before = shown();
  await openRun(run);
  expect(shown()?.graph).toBe(before?.graph);
  if (!before) throw new Error("it is open");
  const nodes = before.graph.nodes.slice(0, -1);
  const { runOutline } = twin;
  twin.runOutline = async (id) => {
    const view = await runOutline(id);
    if (view.status === "ok") view.data.seq += 1;
    return view;
  };
  twin.runGraph = async () => ({
    status: "ok",
    data: { ...before.graph, nodes },
  });
  const { steps, ...info } = before.run;
  const change = { info: { ...info, steps }, output: null, steps: [] };
  tell([{ ...change, seq: info.seq + 1, redefined: true }]);
  await expect.poll(() => shown()?.graph.nodes).toEqual(nodes);
  stop();
});

test("a run that can't be read says why, until it can", async () => {
  expect(await openRun("nowhere")).toBe(false);
  expect(useFlows.getState().problems.nowhere).toBe(
    "there is no run `nowhere`",
  );
});

test("a run that waits for the person is known in full without being looked at", async () => {
  const stop = await startFlows();
  const run = await started();
  for (const step of ["plan", "fix", "test"]) twin.finish(run, step);
  await listRuns();
  await expect
    .poll(() => useFlows.getState().models[run]?.run.asks)
    .toEqual(["ship"]);
  stop();
});
