import {
  act,
  fireEvent,
  render,
  screen,
  waitFor,
  within,
} from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { StepKind, StepState } from "../bindings";
import { freshBackend } from "../test-support";
import { stateSheet } from "../twin/drawn-runs";
import type { MemoryBackend } from "../twin/memory-backend";
import {
  pathOf,
  type Recording,
  release,
  reviews,
  triage,
} from "../twin/recordings";
import { setSurroundings } from "./actions";
import { edgeLabel } from "./canvas-edges";
import { nearest } from "./canvas-keys";
import { chainSummary } from "./chains";
import { startFlows, useFlows } from "./flow-store";
import { KIND_PATHS, STATE_SHAPES } from "./icons";
import { layOut } from "./layout";
import { RunPanel } from "./RunPanel";
import { StepAside } from "./StepAside";
import { batchWords, KIND_WORDS, STATE_WORDS } from "./words";

const WAIT = { timeout: 10_000 };

let twin: MemoryBackend;

beforeEach(() => {
  twin = freshBackend({ flows: [triage, reviews, release] });
  setSurroundings({
    showStep() {},
    showPane() {},
    showAgent() {},
    directories: () => [],
  });
});

/** Starts a run of the sample, with its panel and the right side on screen. */
async function running(flow: Recording = triage): Promise<string> {
  const stop = await startFlows();
  const started = await twin.startFlow(pathOf(flow), {}, null);
  if (started.status === "error") throw new Error(started.error.message);
  render(
    <>
      <RunPanel run={started.data} />
      <StepAside />
    </>,
  );
  await screen.findByTestId("flow-canvas", {}, WAIT);
  stops.push(stop);
  return started.data;
}
const stops: (() => void)[] = [];
beforeEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const card = (id: string) => screen.findByTestId(`step-${id}`, {}, WAIT);

const KINDS = Object.keys(KIND_WORDS) as StepKind[];
const STATES = Object.keys(STATE_WORDS) as StepState[];

test("every kind in every state has words, a shape and a look of its own", async () => {
  twin.addRun(stateSheet(Date.now()));
  render(<RunPanel run="states" />);
  await screen.findByTestId("flow-canvas", {}, WAIT);
  const looks = new Set<string>();
  for (const kind of KINDS) {
    for (const state of STATES) {
      const step = await card(`${kind}_${state}`);
      const label = step.getAttribute("aria-label") ?? "";
      expect(label).toContain(`${kind}_${state}, ${KIND_WORDS[kind]}, `);
      const words =
        state === "skipped"
          ? "skipped: route took bug"
          : kind === "switch" && state === "succeeded"
            ? "took bug"
            : STATE_WORDS[state];
      expect(label, label).toContain(words);
      expect(step.querySelector(".step-note")).toHaveTextContent(words);
      const shapes = [...step.querySelectorAll("path")].map((path) =>
        path.getAttribute("d"),
      );
      expect(shapes).toEqual([KIND_PATHS[kind], STATE_SHAPES[state].path]);
      looks.add(shapes.join());
      expect(step).toHaveClass(
        state === "skipped" ? "dimmed" : state === "pending" ? "open" : "lit",
      );
    }
  }
  // Seen without colours they all differ.
  expect(looks.size).toBe(KINDS.length * STATES.length);
  expect(await card("run_failed")).toHaveTextContent("×2");
  expect((await card("run_failed")).getAttribute("aria-label")).toContain(
    "2 attempts",
  );
});

test("a run is followed: the branch that is taken lights up, the other says why it does not run", async () => {
  const run = await running();
  expect(await card("plan")).toHaveAttribute("data-state", "running");
  await act(async () => twin.finish(run, "plan"));
  expect(await card("fix")).toHaveClass("lit");
  expect(await card("test")).toHaveClass("ahead");
  const write = await card("write");
  expect(write).toHaveClass("dimmed");
  expect(write).toHaveAccessibleName("write, code, skipped: route took bug");
  expect(
    screen.getByRole("img", {
      name: "route, case bug, to fix: under way",
    }),
  ).toHaveAttribute("data-look", "flowing");
  expect(
    screen.getByRole("img", {
      name: "route, case docs, to write: not taken",
    }),
  ).toHaveAttribute("data-look", "dimmed");
  await act(async () => twin.finish(run, "fix"));
  await act(async () => twin.finish(run, "test"));
  expect(screen.getByTestId("run-state")).toHaveTextContent("needs you");
});

test("nothing moves when something happens", async () => {
  const run = await running();
  await card("plan");
  const places = () =>
    [...document.querySelectorAll<HTMLElement>(".react-flow__node")].map(
      (node) => node.style.transform,
    );
  const before = places();
  expect(before).toHaveLength(8);
  await act(async () => twin.finish(run, "plan"));
  await act(async () => twin.finish(run, "fix"));
  expect(places()).toEqual(before);
});

test("an approval is answered with its form, and the run ends", async () => {
  const run = await running(release);
  await act(async () => twin.finish(run, "test"));
  await userEvent.click(await screen.findByTestId("answer-ship"));
  const form = within(await screen.findByTestId("approval"));
  expect(form.getByText("Ship The login button does nothing?")).toBeVisible();
  // What it is about is there in full.
  expect(await screen.findByText("all good")).toBeInTheDocument();
  const { answerApproval } = twin;
  twin.answerApproval = () =>
    Promise.resolve({
      status: "error",
      error: {
        code: "bad_params",
        message: "the field version must be one of these",
        position: null,
      },
    });
  await userEvent.click(form.getByTestId("approve"));
  expect(await form.findByRole("alert")).toHaveTextContent(
    "the field version must be one of these",
  );
  twin.answerApproval = answerApproval;
  await userEvent.selectOptions(form.getByTestId("field-version"), "minor");
  await userEvent.type(form.getByLabelText("Comment"), "well done");
  await userEvent.click(form.getByTestId("approve"));
  await waitFor(
    () =>
      expect(screen.getByTestId("run-state")).toHaveTextContent("succeeded"),
    WAIT,
  );
  const answer = twin.runs
    .get(run)
    ?.view.step_list.find((step) => step.id === "ship")?.attempts[0]?.answer;
  expect(answer).toEqual({
    approved: true,
    form: { version: "minor" },
    comment: "well done",
    by_timeout: false,
  });
});

test("a step that did not run leads to its cause, click by click", async () => {
  const run = await running();
  await act(async () => twin.finish(run, "plan"));
  await act(async () => twin.finish(run, "fix", { exit_code: 1 }));
  fireEvent.click(await card("done"));
  const chain = await screen.findByRole("list", { name: "Chain of causes" });
  expect(
    within(chain)
      .getAllByRole("button")
      .map((one) => one.dataset.testid),
  ).toEqual(["cause-ship", "cause-test", "cause-fix"]);
  await userEvent.click(screen.getByTestId("cause-fix"));
  const aside = await screen.findByTestId("step-aside");
  expect(within(aside).getByRole("heading", { name: "fix" })).toBeVisible();
  expect(within(aside).getByText("Rerun from here")).toBeEnabled();
});

test("what a switch saw is shown with its conditions", async () => {
  const run = await running();
  await act(async () => twin.finish(run, "plan"));
  fireEvent.click(await card("route"));
  const decided = await screen.findByRole("region", {
    name: "What it decided",
  });
  expect(decided).toHaveTextContent('results.plan.data.kind == "bug"');
  expect(decided).toHaveTextContent("It took bug.");
});

test("a failed run is retried, a run that goes on is cancelled", async () => {
  const run = await running();
  await act(async () => twin.finish(run, "plan", { exit_code: 1 }));
  expect(screen.getByTestId("run-state")).toHaveTextContent("failed");
  await userEvent.click(screen.getByText("Retry what failed"));
  expect(await card("plan")).toHaveAttribute("data-state", "running");
  await userEvent.click(screen.getByTestId("cancel-run"));
  await waitFor(
    () =>
      expect(screen.getByTestId("run-state")).toHaveTextContent("cancelled"),
    WAIT,
  );
});

test("a batch says how many of it run, and what its limit is", async () => {
  const run = await running(reviews);
  const frame = await screen.findByTestId("batch-review", {}, WAIT);
  expect(frame).toHaveAccessibleName("Batch review: 2 of 5 running, limit 2");
  await act(async () => twin.finish(run, "correctness"));
  expect(frame).toHaveTextContent("2 of 5 running, limit 2");
  expect(batchWords(["succeeded", "failed"], 2)).toBe("2 of 2 ended, limit 2");
});

test("a step is found by its name", async () => {
  await running();
  await userEvent.type(screen.getByTestId("find-step"), "TES");
  expect(await card("test")).toHaveClass("found");
  expect(await card("plan")).not.toHaveClass("found");
  await userEvent.keyboard("{Enter}");
  expect(useFlows.getState().picked?.step).toBe("test");
});

test("from far away a step is a patch that says and does what its card would", async () => {
  const run = await running();
  await card("plan");
  const canvas = screen.getByTestId("flow-canvas");
  while (canvas.dataset.far !== "true")
    await userEvent.click(screen.getByLabelText("Further away"));
  expect(screen.queryByTestId("step-plan")).toBeNull();
  const patch = screen.getByRole("button", { name: "plan, agent, running" });
  await act(async () => twin.finish(run, "plan"));
  expect(patch).toHaveAccessibleName(
    expect.stringContaining("plan, agent, succeeded"),
  );
  expect(patch).toHaveAttribute("data-state", "succeeded");
  fireEvent.click(patch);
  expect(useFlows.getState().picked?.step).toBe("plan");
});

test("arrows go to the nearest step in their direction", () => {
  const layout = layOut({ graph: triage.graph, chains: [] });
  expect(nearest(layout, null, [0, 1])).toBe("plan");
  expect(nearest(layout, "plan", [0, 1])).toBe("route");
  expect(nearest(layout, "route", [0, -1])).toBe("plan");
  expect(nearest(layout, "plan", [0, -1])).toBeNull();
});

test.each([
  [["succeeded", "succeeded"], { state: "succeeded", words: "2 of 2 done" }],
  [
    ["succeeded", "running", "pending"],
    { state: "running", words: "1 of 3 done" },
  ],
  [["failed", "skipped", "pending"], { state: "failed", words: "2 of 3 done" }],
  [
    ["awaiting_approval", "failed"],
    { state: "awaiting_approval", words: "1 of 2 done" },
  ],
] as const)("a chain of %j is %j", (states, summary) => {
  expect(chainSummary([...states])).toEqual(summary);
});

test("edges are told in words", () => {
  expect(
    edgeLabel({ from: "a", to: "b", kind: "case", labels: ["x", "y"] }, "lit"),
  ).toBe("a, case x or y, to b: taken");
  expect(
    edgeLabel({ from: "a", to: "b", kind: "need", labels: [] }, "open"),
  ).toBe("a to b");
  expect(
    edgeLabel({ from: "a", to: "b", kind: "goto", labels: [] }, "open"),
  ).toBe("a goes back to b when it is rejected");
});
