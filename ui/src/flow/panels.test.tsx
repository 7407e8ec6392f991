import { EditorView } from "@codemirror/view";
import {
  act,
  fireEvent,
  render,
  screen,
  waitFor,
  within,
} from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeAll, beforeEach, expect, test } from "vitest";
import type { FlowGraph, RunInfo } from "../bindings";
import { setDraft, useDrafts } from "../shared/drafts";
import { formatDuration } from "../shared/durations";
import { freshBackend } from "../test-support";
import { stateSheet } from "../twin/drawn-runs";
import type { MemoryBackend } from "../twin/memory-backend";
import {
  pathOf,
  type Recording,
  release,
  retry,
  reviews,
  triage,
} from "../twin/recordings";
import { asksOf, fieldValue } from "./actions";
import { compareRuns } from "./Comparison";
import { svgOf } from "./export";
import { typedFrom, valuesOf } from "./Fields";
import { FlowFilePanel } from "./FlowFilePanel";
import { FlowsSection, inOrder } from "./FlowsSection";
import {
  findFlows,
  listRuns,
  openRun,
  startFlows,
  useFlows,
} from "./flow-store";
import { layOut } from "./layout";
import { filterRuns, RunsPanel } from "./RunsPanel";
import { askToStart, StartDialog } from "./StartDialog";
import { Timeline } from "./Timeline";
import { segmentsOf, tickOf } from "./timeline";
import { skipWords } from "./words";

const WAIT = { timeout: 10_000 };

// It is loaded when a file is first opened: the tests are about what it does then.
beforeAll(() => import("./editor/FlowEditor"), 60_000);

let twin: MemoryBackend;
let stop: () => void = () => {};

beforeEach(async () => {
  stop();
  twin = freshBackend({ flows: [triage, reviews, retry, release] });
  stop = await startFlows();
  await findFlows(["/work"]);
});

/** What the runs of triage were asked when they were recorded. */
const BUG = "The login button does nothing";
const DOCS = "The docs say nothing of keys";

async function started(
  question?: string,
  flow: Recording = triage,
): Promise<string> {
  const inputs: Record<string, string> =
    question === undefined ? {} : { question };
  const run = await twin.startFlow(pathOf(flow), inputs, null);
  if (run.status === "error") throw new Error(run.error.message);
  await openRun(run.data);
  return run.data;
}

/** The editor on screen: what is in it, and a person who writes at its end. */
async function editor() {
  const content = await screen.findByTestId("flow-text", {}, WAIT);
  const view = EditorView.findFromDOM(content);
  if (!view) throw new Error("no editor");
  const key = (key: string, keyCode: number, ctrlKey = false) =>
    fireEvent.keyDown(content, { key, keyCode, ctrlKey });
  return {
    content,
    view,
    key,
    text: () => view.state.doc.toString(),
    write: (insert: string) =>
      act(async () => {
        const at = view.state.doc.length;
        view.dispatch({
          changes: { from: at, insert },
          selection: { anchor: at + insert.length },
          userEvent: "input.type",
        });
      }),
  };
}

const MORE = "  - { id: more, needs: [nowhere], run: echo more }";

test("a flow's text is looked at while it is edited, and saved when it is asked for", async () => {
  render(<FlowFilePanel path={pathOf(release)} />);
  const { write } = await editor();
  await waitFor(
    () =>
      expect(screen.getByTestId("flow-verdict")).toHaveTextContent(
        "no mistakes",
      ),
    WAIT,
  );
  await write(MORE);
  await waitFor(
    () =>
      expect(screen.getByTestId("flow-verdict")).toHaveTextContent("1 error"),
    WAIT,
  );
  const wrong = screen.getByRole("list", { name: "What is wrong" });
  expect(wrong).toHaveTextContent("there is no step nowhere");
  expect(wrong).toHaveTextContent("13:");
  expect(screen.getByTestId("start-flow")).toBeDisabled();
  await userEvent.click(screen.getByTestId("save-flow"));
  expect(twin.files.get(pathOf(release))).toContain("nowhere");
});

test("what is wrong is marked at its place, and gone to from the list", async () => {
  render(<FlowFilePanel path={pathOf(release)} />);
  const { write, view, content, key, text } = await editor();
  await write(MORE);
  const row = await screen.findByRole("button", { name: /nowhere/ }, WAIT);
  await waitFor(
    () =>
      expect(content.querySelector(".cm-lintRange-error")).toHaveTextContent(
        "nowhere",
      ),
    WAIT,
  );
  await userEvent.click(row);
  expect(view.state.selection.main.head).toBe(text().indexOf("nowhere"));
  expect(content).toHaveFocus();
  key("s", 83, true);
  await waitFor(() => expect(screen.queryByText("not saved")).toBeNull(), WAIT);
  expect(twin.files.get(pathOf(release))).toBe(text());
});

test("what another program saves is seen at once, and nothing that was typed is lost", async () => {
  render(<FlowFilePanel path={pathOf(triage)} />);
  const { write, text } = await editor();
  const theirs = `${triage.text}# theirs\n`;
  await act(async () => twin.saveElsewhere(pathOf(triage), theirs));
  expect(text()).toBe(theirs);
  await write("# mine");
  await act(async () => twin.saveElsewhere(pathOf(triage), triage.text));
  expect(text()).toContain("# mine");
  expect(
    screen.getByText("The file was changed by another program."),
  ).toBeVisible();
  await userEvent.click(screen.getByText("Take its text"));
  await waitFor(() => expect(text()).toBe(triage.text), WAIT);
});

test("Tab indents, and leaves the text after Escape", async () => {
  render(<FlowFilePanel path={pathOf(triage)} />);
  const { write, text, key } = await editor();
  await write("x");
  expect(key("Tab", 9)).toBe(false);
  expect(text().endsWith("\n  x")).toBe(true);
  key("Escape", 27);
  expect(key("Tab", 9)).toBe(true);
  expect(text().endsWith("\n  x")).toBe(true);
});

test("what was written is undone in the editor that comes after it, too", async () => {
  const first = render(<FlowFilePanel path={pathOf(triage)} />);
  const { write, key } = await editor();
  await write("# mine");
  key("s", 83, true);
  await waitFor(() => expect(screen.queryByText("not saved")).toBeNull(), WAIT);
  first.unmount();
  render(<FlowFilePanel path={pathOf(triage)} />);
  const again = await editor();
  expect(again.text()).toBe(`${triage.text}# mine`);
  again.key("z", 90, true);
  expect(again.text()).toBe(triage.text);
});

test("what was written and not saved is there when the file is opened again", async () => {
  const first = render(<FlowFilePanel path={pathOf(triage)} />);
  await (await editor()).write("# mine");
  first.unmount();
  const list = render(<FlowsSection />);
  expect(await screen.findByTestId("flow-triage", {}, WAIT)).toHaveTextContent(
    "triagenot saved",
  );
  list.unmount();
  const second = render(<FlowFilePanel path={pathOf(triage)} />);
  const again = await editor();
  expect(again.text()).toBe(`${triage.text}# mine`);
  expect(screen.getByText("not saved")).toBeVisible();
  expect(twin.files.get(pathOf(triage))).toBe(triage.text);
  second.unmount();
  twin.saveElsewhere(pathOf(triage), `${triage.text}# theirs`);
  render(<FlowFilePanel path={pathOf(triage)} />);
  const last = await editor();
  expect(last.text()).toBe(`${triage.text}# mine`);
  await userEvent.click(screen.getByText("Take its text"));
  await waitFor(() => expect(last.text()).toBe(`${triage.text}# theirs`), WAIT);
  expect(useDrafts.getState().drafts).toEqual({});
});

test("what was written into a file that is gone is still to be had", async () => {
  const gone = "/home/you/gone.flow.yaml";
  setDraft(`flow:${gone}`, "name: mine", "name: theirs");
  render(<FlowFilePanel path={gone} />);
  expect((await editor()).text()).toBe("name: mine");
  expect(screen.getByRole("alert")).toHaveTextContent(gone);
});

test("what was written is reverted to what is on disk, and undone brings it back", async () => {
  render(<FlowFilePanel path={pathOf(triage)} />);
  const { write, text, key } = await editor();
  await write("# mine");
  await userEvent.click(screen.getByTestId("revert-flow"));
  await waitFor(() => expect(text()).toBe(triage.text), WAIT);
  expect(useDrafts.getState().drafts).toEqual({});
  key("z", 90, true);
  expect(text()).toBe(`${triage.text}# mine`);
});

test("a plan shows the way that inputs and outcomes would lead", async () => {
  render(<FlowFilePanel path={pathOf(triage)} />);
  const card = (id: string) => screen.findByTestId(`step-${id}`, {}, WAIT);
  // Nobody knows what `plan` will answer.
  await waitFor(
    () =>
      expect(screen.getByTestId("plan-outcome")).toHaveTextContent(
        "the rest depends on results.plan.data.kind",
      ),
    WAIT,
  );
  expect(await card("fix")).toHaveAttribute("data-state", "pending");
  fireEvent.click(await card("route"));
  expect(screen.getByTestId("step-depends")).toHaveTextContent(
    "What becomes of route depends on results.plan.data.kind.",
  );
  await userEvent.selectOptions(screen.getByTestId("stub-switch"), "bug");
  await waitFor(
    async () => expect(await card("write")).toHaveClass("dimmed"),
    WAIT,
  );
  expect(screen.getByTestId("plan-outcome")).toHaveTextContent(
    "it would have succeeded, with 6 of 8 steps run",
  );
  await userEvent.selectOptions(screen.getByTestId("stub-switch"), "docs");
  await waitFor(
    async () => expect(await card("write")).toHaveClass("lit"),
    WAIT,
  );
  expect(await card("fix")).toHaveClass("dimmed");
  fireEvent.click(await card("write"));
  await userEvent.selectOptions(screen.getByTestId("stub-state"), "failed");
  await waitFor(
    () =>
      expect(screen.getByTestId("plan-outcome")).toHaveTextContent(
        "it would have failed",
      ),
    WAIT,
  );
});

test("a run is started from a form that offers what was given last", async () => {
  await started(DOCS);
  render(<StartDialog />);
  act(() => askToStart(pathOf(triage)));
  const field = await screen.findByTestId("field-question", {}, WAIT);
  expect(field).toHaveValue(DOCS);
  await waitFor(() => expect(field).toHaveFocus());
  await userEvent.clear(field);
  await userEvent.type(field, `${BUG}{Enter}`);
  await waitFor(() => expect(screen.queryByTestId("start-dialog")).toBeNull());
  expect([...twin.runs.values()].at(-1)?.view.inputs).toEqual({
    question: BUG,
  });
});

test("a run that has just ended stays where it was for a while", () => {
  const run = (id: string, ended_at: number | null) =>
    ({
      id,
      state: ended_at === null ? "running" : "failed",
      ended_at,
    }) as RunInfo;
  const minutes = (count: number) => count * 60_000;
  const runs = [
    run("new", null),
    run("just", minutes(95)),
    run("old", minutes(10)),
    run("older start, later end", minutes(30)),
    run("long", null),
  ];
  const order = (now: number) => inOrder(runs, now).map(({ id }) => id);
  expect(order(minutes(100))).toEqual([
    "new",
    "just",
    "long",
    "older start, later end",
    "old",
  ]);
  expect(order(minutes(105))).toEqual([
    "new",
    "long",
    "just",
    "older start, later end",
    "old",
  ]);
});

test("what was typed into the form of a start is there until the run starts", async () => {
  render(<StartDialog />);
  act(() => askToStart(pathOf(triage)));
  const before = await screen.findByTestId("field-question", {}, WAIT);
  await userEvent.clear(before);
  await userEvent.type(before, "why?");
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByTestId("start-dialog")).toBeNull());
  act(() => askToStart(pathOf(triage)));
  const field = await screen.findByTestId("field-question", {}, WAIT);
  expect(field).toHaveValue("why?");
  await userEvent.click(screen.getByText("Begin anew"));
  expect(field).toHaveValue(BUG);
  await userEvent.type(field, "{Enter}");
  await waitFor(() => expect(screen.queryByTestId("start-dialog")).toBeNull());
  expect([...twin.runs.values()].at(-1)?.view.inputs).toEqual({
    question: BUG,
  });
  expect(useDrafts.getState().drafts).toEqual({});
});

test("the sidebar has what runs and what can be started", async () => {
  const run = await started(DOCS);
  render(<FlowsSection />);
  expect(
    await screen.findByTestId(`sidebar-run-${run}`, {}, WAIT),
  ).toHaveTextContent("triage0 of 8running");
  for (const step of ["plan", "write"])
    await act(async () => twin.finish(run, step));
  expect(screen.getByTestId(`sidebar-run-${run}`)).toHaveTextContent(
    "needs you",
  );
  expect(
    asksOf(useFlows.getState()).map(({ step, message }) => [step, message]),
  ).toEqual([["ship", `Ship ${DOCS}?`]]);
  expect(screen.getByTestId("start-triage")).toHaveAccessibleName(
    "Start triage",
  );
});

test("a timeline says what each step did, and when", async () => {
  const run = await started(undefined, retry);
  await act(async () => twin.finish(run, "flaky"));
  render(<Timeline run={run} />);
  expect(await screen.findByTestId("timeline", {}, WAIT)).toHaveAccessibleName(
    "Timeline of retry with timeout",
  );
  const flaky = useFlows.getState().models[run]?.steps.flaky;
  if (!flaky) throw new Error("no step");
  expect(
    segmentsOf(flaky).map((one) => [one.kind, one.state, one.to === null]),
  ).toEqual([
    ["queued", null, false],
    ["running", "failed", false],
    ["retry", null, true],
  ]);
  expect(tickOf(9_500)).toBe(1000);
});

test("two runs are compared step by step", async () => {
  const bug = await started(BUG);
  const docs = await started(DOCS);
  for (const run of [bug, docs])
    await act(async () => twin.finish(run, "plan"));
  const { models } = useFlows.getState();
  const [a, b] = [models[bug], models[docs]];
  if (!a || !b) throw new Error("no models");
  const differing = compareRuns(a, b).filter((row) => row.differs);
  expect(differing.map((row) => row.step)).toEqual([
    "route",
    "fix",
    "write",
    "ask",
    "test",
  ]);
  expect(differing[0]).toMatchObject({ left: "took bug", right: "took docs" });
  await act(listRuns);
  render(<RunsPanel />);
  expect(within(screen.getByTestId("runs")).getByText("2 of 2")).toBeVisible();
});

test("runs are filtered by words and by state", () => {
  const run = (id: string, flow: string, state: RunInfo["state"]) =>
    ({ id, flow, path: `/home/you/${flow}.flow.yaml`, state }) as RunInfo;
  const runs = [
    run("1", "triage", "failed"),
    run("2", "triage", "succeeded"),
    run("3", "reviews", "failed"),
  ];
  const ids = (...given: [string, RunInfo["state"] | ""]) =>
    filterRuns(runs, ...given).map(({ id }) => id);
  expect(ids("", "")).toEqual(["1", "2", "3"]);
  expect(ids("TRI", "failed")).toEqual(["1"]);
  expect(ids("you reviews", "")).toEqual(["3"]);
});

test("a saved picture stands for itself, whatever a step is called", () => {
  const sheet = stateSheet(60_000);
  const graph = JSON.parse(
    JSON.stringify(sheet.graph).replaceAll("run_failed", "<a&b>"),
  ) as FlowGraph;
  const view = sheet.takes[0]?.opened;
  if (!view) throw new Error("no run");
  const { step_list, ...run } = view;
  const svg = svgOf(
    {
      run,
      graph,
      steps: Object.fromEntries(step_list.map((step) => [step.id, step])),
      order: step_list.map((step) => step.id),
    },
    layOut({ graph, chains: [] }),
    {
      ground: "#000",
      card: "#111",
      text: "#fff",
      dim: "#aaa",
      line: "#888",
      accent: "#00f",
      done: "#0f0",
      failed: "#f00",
      needs: "#ff0",
    },
  );
  const drawn = new DOMParser().parseFromString(svg, "image/svg+xml");
  expect(drawn.querySelector("parsererror")).toBeNull();
  expect(svg).toContain("&lt;a&amp;b&gt;");
  expect(drawn.querySelectorAll("g")).toHaveLength(66);
});

test.each([
  ["text", "", undefined],
  ["text", "a", "a"],
  ["integer", "3", 3],
  ["number", "x", "x"],
  ["boolean", "true", true],
  ["boolean", "", false],
])("a %s field with %j means %j", (type, text, value) => {
  expect(fieldValue(type, text)).toEqual(value);
});

test("fields begin with the last values that still fit, else with defaults", () => {
  const field = (name: string, type: "text" | "enum", change = {}) => ({
    name,
    type,
    required: false,
    default: null,
    values: [] as string[],
    description: null,
    ...change,
  });
  const fields = [
    field("a", "text", { default: "x" }),
    field("b", "enum", { values: ["s", "l"], default: "s" }),
    field("c", "text"),
  ];
  expect(typedFrom(fields, { a: "last", b: "gone" })).toEqual({
    a: "last",
    b: "",
    c: "",
  });
  expect(valuesOf(fields, { a: "", b: "l", c: "1" })).toEqual({
    b: "l",
    c: "1",
  });
});

test.each([
  [12, "12 ms"],
  [1234, "1.2 s"],
  [9999, "9.9 s"],
  [59_900, "59 s"],
  [61_000, "1m 01s"],
  [3_700_000, "1h 01m"],
  [200_000_000, "2d 7h"],
])("%d ms are %s", (ms, words) => {
  expect(formatDuration(ms)).toBe(words);
});

test("every cause of a skip has words", () => {
  const causes = [
    "guard_false",
    "branch_not_taken",
    "band",
    "all_inputs_dead",
    "upstream_failed",
    "rule_not_met",
    "user",
    "run_cancelled",
  ] as const;
  const words = causes.map((cause) =>
    skipWords({ cause, origin: "o", tainted: false, taken: null }),
  );
  expect(new Set(words).size).toBe(causes.length);
  for (const said of words) expect(said).not.toContain("undefined");
});
