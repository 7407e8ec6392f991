import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { showRun, showStep } from "../flow/actions";
import { openRun } from "../flow/flow-store";
import { useClosed } from "../shared/dock/closed";
import { useDock } from "../shared/dock/dock";
import { freshBackend, opened } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { pathOf, type Recording, release, triage } from "../twin/recordings";
import { App } from "./App";
import { labelOf, openHistory } from "./search-in-panes";

/** How long an event may take on a machine that is busy with other things. */
const WAIT = { timeout: 10_000 };

let twin: MemoryBackend;

beforeEach(() => {
  twin = freshBackend();
  useDock.setState({ settled: false });
  useClosed.setState({ closed: [] });
});

const pane = (id: number) => screen.findByTestId(`pane-${id}`, {}, WAIT);

test("the first start opens a terminal, and says what else there is", async () => {
  render(<App />);
  await pane(1);
  expect(await screen.findByTestId("welcome", {}, WAIT)).toBeInTheDocument();
  await waitFor(() => expect(twin.state.session).not.toBeNull(), WAIT);
});

test("keys split and close panes", async () => {
  render(<App />);
  await pane(1);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  // Nothing is laid out in jsdom.
  act(() => useDock.getState().api?.layout(1000, 600));
  await userEvent.keyboard("{Control>}{Shift>}D{/Shift}{/Control}");
  await pane(2);
  const groups = useDock.getState().api?.groups.length;
  await userEvent.keyboard("{Control>}{Shift>}W{/Shift}{/Control}");
  await waitFor(() => expect(twin.state.panes.has(2)).toBe(false), WAIT);
  expect(useDock.getState().api?.groups.length).toBe((groups ?? 0) - 1);
});

test("the terminal has its keys back after the palette", async () => {
  render(<App />);
  const root = (await pane(1)).querySelector<HTMLElement>(".terminal-root");
  const keys = () => root?.shadowRoot?.querySelector("textarea");
  await waitFor(() => expect(keys()).toBeTruthy(), WAIT);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  act(() => keys()?.focus());
  await userEvent.keyboard("{Control>}{Shift>}P{/Shift}{/Control}");
  await screen.findByTestId("palette");
  expect(document.activeElement).not.toBe(root);
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(document.activeElement).toBe(root), WAIT);
  expect(root?.shadowRoot?.activeElement).toBe(keys());
});

test("while the host does not answer, nothing is opened in place of what may still live", async () => {
  const list = twin.listPanes;
  await opened(twin, { cwd: "/home/you/api" });
  twin.listPanes = () =>
    Promise.resolve({
      status: "error",
      error: {
        code: "host_down",
        message: "the pane host does not answer",
        position: null,
      },
    });
  render(<App />);
  expect(
    await screen.findByText("the pane host does not answer", {}, WAIT),
  ).toBeInTheDocument();
  expect(twin.state.panes.size).toBe(1);
  expect(twin.state.session).toBeNull();
  twin.listPanes = list;
  await act(async () => twin.tellHost({ state: "up" }));
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
});

test("when the host came back without its panes, shells take their places", async () => {
  render(<App />);
  await pane(1);
  await waitFor(() => expect(twin.state.session).toContain('"pane":1'), WAIT);
  twin.state.panes.clear();
  await act(async () =>
    twin.tellHost({ state: "restarted", message: "the pane host had ended" }),
  );
  await pane(2);
  expect(screen.queryByTestId("pane-1")).toBeNull();
  expect(screen.getByText("the pane host had ended")).toBeInTheDocument();
});

test("what the start has to say is said", async () => {
  twin = freshBackend({
    notices: { others: ["the history on disk can't be written"] },
  });
  render(<App />);
  expect(
    await screen.findByText("the history on disk can't be written", {}, WAIT),
  ).toBeInTheDocument();
});

test("a pane that asks for the person is on the list of who needs them, and one key away", async () => {
  await opened(twin);
  await opened(twin);
  render(<App />);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  expect(screen.queryByTestId("needs-you")).toBeNull();
  act(() =>
    twin.change(2, { attention: "needs_you", attention_message: "Which one?" }),
  );
  expect(await screen.findByTestId("needs-you", {}, WAIT)).toHaveTextContent(
    "Which one?",
  );
  expect(screen.getByTestId("status-needs-you")).toHaveTextContent(
    "1 needs you",
  );
  await userEvent.keyboard("{Control>}{Shift>}A{/Shift}{/Control}");
  await pane(2);
  act(() => twin.change(2, { attention: "idle", attention_message: null }));
  await waitFor(() => expect(screen.queryByTestId("needs-you")).toBeNull());
});

test("a closed pane that is not known yet when it is found is named once it is", async () => {
  const gone = await opened(twin, { cwd: "/home/you/api", name: "the build" });
  twin.print(gone.id, "needle\r\n");
  await twin.closePane(gone.id);
  const known = twin.closedPanes;
  let asked = 0;
  twin.closedPanes = () => {
    asked += 1;
    return asked === 1 ? Promise.resolve({ status: "ok", data: [] }) : known();
  };
  render(<App />);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  await userEvent.keyboard("{Control>}{Shift>}G{/Shift}{/Control}");
  const panel = await screen.findByTestId("search-panel", {}, WAIT);
  const box = panel.querySelector("input");
  if (!box) throw new Error("the panel has a box");
  await userEvent.type(box, "needle");
  await waitFor(() => expect(labelOf(gone.id).title).toBe("the build"), WAIT);
});

test("what a closed pane printed is headed by its name, also where nobody searched", async () => {
  const gone = await opened(twin, { cwd: "/home/you/api", name: "the build" });
  twin.print(gone.id, "compiled\r\n");
  await twin.closePane(gone.id);
  render(<App />);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  act(() => openHistory(gone.id, null));
  const view = await screen.findByTestId(`history-${gone.id}`, {}, WAIT);
  await waitFor(
    () =>
      expect(view.querySelector("header")).toHaveTextContent(/^the build · /),
    WAIT,
  );
});

const press = (keys: string) =>
  userEvent.keyboard(`{Control>}{Shift>}${keys}{/Shift}{/Control}`);

test("every tab closes by key, and comes back: a pane as a shell in its directory, with what it printed above", async () => {
  render(<App />);
  await pane(1);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  act(() => useDock.getState().api?.layout(1000, 600));
  act(() => twin.change(1, { cwd: "/home/you/api", name: "the build" }));
  act(() => twin.print(1, "compiled\r\n"));
  await press("J");
  await screen.findByTestId("agents-hub", {}, WAIT);
  await press("W");
  await waitFor(() => expect(screen.queryByTestId("agents-hub")).toBeNull());
  await press("W");
  await waitFor(() => expect(twin.state.panes.size).toBe(0), WAIT);
  expect(
    await screen.findByText("Closed the build.", {}, WAIT),
  ).toBeInTheDocument();
  await press("Z");
  await pane(2);
  const back = twin.state.panes.get(2)?.info;
  expect([back?.cwd, back?.name]).toEqual(["/home/you/api", "the build"]);
  expect(back?.earlier?.map((end) => end.pane)).toEqual([1]);
  expect(screen.queryByText("History: the build")).toBeNull();
  await press("Z");
  expect(await screen.findByTestId("agents-hub", {}, WAIT)).toBeVisible();
  await press("Z");
  expect(
    await screen.findByText("Nothing was closed in this window.", {}, WAIT),
  ).toBeInTheDocument();
});

test("what was written into a flow and not saved outlives its tab, and the window", async () => {
  twin = freshBackend({ flows: [release] });
  const place = `flow:${pathOf(release)}`;
  const left = { place, text: "name: mine", basis: release.text };
  twin.state.drafts = [left];
  render(<App />);
  await pane(1);
  await userEvent.click(await screen.findByText("Show", {}, WAIT));
  expect(
    await screen.findByRole("img", { name: "Not saved:" }, WAIT),
  ).toBeInTheDocument();
  await screen.findByTestId("flow-file", {}, WAIT);
  await press("W");
  expect(
    await screen.findByText(
      "Closed release.flow.yaml. What you wrote there is kept.",
      {},
      WAIT,
    ),
  ).toBeInTheDocument();
  expect(twin.state.drafts).toEqual([left]);
});

test("a split that was closed comes back beside the same group", async () => {
  render(<App />);
  await pane(1);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  act(() => useDock.getState().api?.layout(1000, 600));
  await press("D");
  await pane(2);
  const groups = useDock.getState().api?.groups.length;
  await press("W");
  await waitFor(() => expect(twin.state.panes.has(2)).toBe(false), WAIT);
  await press("Z");
  await pane(3);
  expect(useDock.getState().api?.groups.length).toBe(groups);
});

test("an approval is two keys away, and the keys are never lost after it", async () => {
  twin = freshBackend({ flows: [release] });
  render(<App />);
  await pane(1);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  act(() => useDock.getState().api?.layout(1000, 600));
  const run = await twin.startFlow(pathOf(release), {}, null);
  if (run.status === "error") throw new Error(run.error.message);
  await act(() => openRun(run.data));
  await act(async () => twin.finish(run.data, "test"));
  await screen.findByTestId("needs-you", {}, WAIT);
  await press("A");
  const field = await screen.findByTestId("field-version", {}, WAIT);
  await waitFor(() => expect(field).toHaveFocus(), WAIT);
  await userEvent.keyboard("{Control>}{Enter}{/Control}");
  await waitFor(() => expect(screen.queryByTestId("approve")).toBeNull(), WAIT);
  await waitFor(() => expect(document.body).not.toHaveFocus(), WAIT);
  await userEvent.keyboard("{F6}");
  expect(screen.getByTestId("status-bar")).toContainElement(
    document.activeElement as HTMLElement,
  );
});

test("anything is gone to by its name, and Enter alone goes back to where one was", async () => {
  render(<App />);
  await pane(1);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  act(() => useDock.getState().api?.layout(1000, 600));
  act(() => twin.change(1, { name: "the build" }));
  await press("T");
  await pane(2);
  await press("L");
  const box = await screen.findByTestId("switcher-input", {}, WAIT);
  expect(screen.getByTestId("go-terminal-1")).toHaveAttribute(
    "data-selected",
    "true",
  );
  await userEvent.type(box, "host agents every{Enter}");
  await screen.findByTestId("agents-hub", {}, WAIT);
  const front = () => useDock.getState().activeId;
  await press("L");
  await userEvent.type(
    await screen.findByTestId("switcher-input", {}, WAIT),
    "build{Enter}",
  );
  await waitFor(() => expect(front()).toBe("terminal-1"), WAIT);
  await press("L");
  await screen.findByTestId("switcher-input", {}, WAIT);
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(front()).toBe("agents"), WAIT);
});

test("the step on the right side is one of the run in front", async () => {
  twin = freshBackend({ flows: [release, triage] });
  render(<App />);
  await pane(1);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  act(() => useDock.getState().api?.layout(1000, 600));
  const started = async (flow: Recording) => {
    const run = await twin.startFlow(pathOf(flow), {}, null);
    if (run.status === "error") throw new Error(run.error.message);
    await act(() => openRun(run.data));
    return run.data;
  };
  const first = await started(release);
  const second = await started(triage);
  act(() => showRun(first));
  act(() => showStep(first, "publish"));
  const aside = () => screen.findByTestId("step-aside", {}, WAIT);
  expect(await aside()).toHaveAccessibleName("Step publish");
  act(() => showRun(second));
  await waitFor(async () =>
    expect(await aside()).toHaveAccessibleName("Step plan"),
  );
  act(() => showRun(first));
  await waitFor(async () =>
    expect(await aside()).toHaveAccessibleName("Step publish"),
  );
});
