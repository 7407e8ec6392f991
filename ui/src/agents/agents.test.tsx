import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { DockviewApi } from "dockview-react";
import { beforeEach, expect, it, vi } from "vitest";
import { useDock } from "../shared/dock/dock";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { AgentQuestions } from "./AgentQuestions";
import { AgentsHub } from "./AgentsHub";
import { AgentTimeline } from "./AgentTimeline";
import { askAboutAgents, sayQueued } from "./actions";
import { keyOfAgent, startAgents } from "./agent-store";
import { followQueues, useFreed } from "./queue";

let twin: MemoryBackend;
let stop = () => {};
let stopQueues = () => {};

beforeEach(async () => {
  stop();
  stopQueues();
  useFreed.setState({ freed: {} });
  twin = freshBackend();
  askAboutAgents(null);
  twin.agents.backend({ id: "paseo:localhost:6767" });
  stop = await startAgents();
});

function timeline(id: string) {
  const agent = twin.agents.agents.get(id);
  if (!agent) throw new Error("no such agent");
  const onPane = vi.fn();
  render(
    <>
      <AgentTimeline agent={keyOfAgent(agent)} active onPane={onPane} />
      <AgentQuestions />
    </>,
  );
  return onPane;
}

it("begins an agent as a persona, which is told first who it is", async () => {
  const user = userEvent.setup();
  twin.agents.backend({ id: "acp:gemini" });
  twin.agents.personas.personas.push({
    name: "reviewer",
    description: "Reads changes",
    agent: "acp:gemini",
    provider: null,
    model: "pro",
    mode: null,
    instructions: "You review.",
    file: "/w/.switchyard/personas/reviewer.md",
  });
  twin.agents.personas.problems.push("`/w/bad.md`: line 2: no");
  render(<AgentQuestions />);
  act(() => askAboutAgents({ ask: "new", cwd: "/w" }));
  await user.selectOptions(await screen.findByTestId("persona"), "reviewer");
  expect(screen.getByTestId("backend")).toHaveValue("acp:gemini");
  expect(screen.getByText(/line 2: no/)).toBeVisible();
  await user.type(screen.getByTestId("first-prompt"), "Look.");
  await user.click(screen.getByRole("button", { name: "Start" }));
  await waitFor(() => expect(screen.queryByTestId("new-agent")).toBeNull());
  expect(twin.agents.asked).toContain("start reviewer at acp:gemini in /w");
  expect(twin.agents.asked.join("\n")).toContain("You review.\n\nLook.");
});

it("lists the agents by worktree and finds them by their words", async () => {
  const user = userEvent.setup();
  render(<AgentsHub active />);
  act(() => {
    twin.agents.agent({ id: "a", title: "Fix the login", cwd: "/w/login" });
    twin.agents.agent({
      id: "b",
      title: "Write the docs",
      cwd: "/w/docs",
      status: { state: "failed" },
      last_error: "out of tokens",
    });
  });
  expect(screen.getByText("Fix the login")).toBeVisible();
  expect(screen.getByText("out of tokens")).toBeVisible();
  await user.type(screen.getByLabelText("Find an agent"), "login");
  expect(screen.queryByText("Write the docs")).toBeNull();
  await user.clear(screen.getByLabelText("Find an agent"));
  await user.click(screen.getByRole("button", { name: "Failed 1" }));
  expect(screen.queryByText("Fix the login")).toBeNull();
});

it("has the keys in its search, where Enter opens the only hit", async () => {
  const user = userEvent.setup();
  render(<AgentsHub active />);
  const opened: string[] = [];
  act(() => {
    twin.agents.agent({ id: "a", title: "Fix the login", cwd: "/w/login" });
    twin.agents.agent({ id: "b", title: "Write the docs", cwd: "/w/docs" });
  });
  const panel = (id: string) => ({
    api: { isMaximized: () => true, setActive: () => opened.push(id) },
  });
  useDock.setState({ api: { getPanel: panel } as unknown as DockviewApi });
  expect(screen.getByLabelText("Find an agent")).toHaveFocus();
  await user.keyboard("{Enter}");
  expect(opened).toEqual([]);
  await user.keyboard("docs{Enter}");
  expect(opened).toEqual(["agent-paseo:localhost:6767-b"]);
  useDock.setState({ api: null });
});

it("says in a line that a host is down, and keeps what it had", () => {
  render(<AgentsHub active />);
  act(() => {
    twin.agents.agent({ id: "a", title: "Fix the login" });
    twin.agents.backend({
      id: "paseo:localhost:6767",
      health: { state: "down", reason: "`localhost:6767` does not answer" },
    });
  });
  expect(screen.getByTestId("trouble-paseo:localhost:6767")).toHaveTextContent(
    "localhost:6767 does not answer",
  );
  expect(screen.getByText("Fix the login")).toBeVisible();
});

it("says what to do when there are no agents", () => {
  render(<AgentsHub active />);
  expect(screen.getByText("No agent works here yet.")).toBeVisible();
});

it("streams what an agent says, folded thoughts and changes with it", async () => {
  const user = userEvent.setup();
  twin.agents.agent({ id: "a", title: "Fix" });
  timeline("a");
  await user.type(screen.getByTestId("composer"), "Do it{Enter}");
  expect(twin.agents.asked).toEqual(["prompt a: Do it"]);
  act(() =>
    twin.agents.happen(
      "a",
      { event: "reasoning", text: "first line\nsecond line" },
      { event: "text", text: "Done: `x` is now " },
      { event: "text", text: "**y**." },
      {
        event: "tool",
        call: {
          id: "1",
          name: "edit",
          title: null,
          status: "completed",
          detail: {
            kind: "edit",
            paths: ["a.rs"],
            changes: [{ path: "a.rs", old_text: "x", new_text: "y" }],
          },
          error: null,
        },
      },
    ),
  );
  expect(screen.getByTestId("said")).toHaveTextContent("Do it");
  expect(screen.getByText("first line")).toBeVisible();
  expect(screen.queryByText(/second line/)).toBeNull();
  await user.click(screen.getByText("thought"));
  expect(screen.getByText(/second line/)).toBeVisible();
  expect(screen.getByText("a.rs")).toBeVisible();
  expect(screen.getByText("+1")).toBeVisible();
  expect(screen.getByTestId("composer")).toHaveValue("");
});

it("says what is written while an agent works when it is done", async () => {
  const user = userEvent.setup();
  stopQueues = followQueues(
    (agent, text) => void sayQueued(agent, text, false),
  );
  twin.agents.agent({ id: "a", title: "Fix", status: { state: "working" } });
  timeline("a");
  const composer = screen.getByTestId("composer");
  await user.type(composer, "Then the tests{Enter}And the docs{Enter}");
  expect(composer).toHaveValue("");
  expect(screen.getAllByTestId("queued")).toHaveLength(2);
  expect(twin.agents.asked).toEqual([]);
  act(() => void twin.agents.agent({ id: "a", status: { state: "done" } }));
  await waitFor(() =>
    expect(twin.agents.asked).toEqual(["prompt a: Then the tests"]),
  );
  // What failed is for the person to look at first.
  act(() => void twin.agents.agent({ id: "a", status: { state: "failed" } }));
  expect(screen.getByText("Waits for your word:")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "And the docs" }));
  expect(composer).toHaveValue("And the docs");
  expect(screen.queryByTestId("queued")).toBeNull();
  expect(twin.agents.asked).toEqual(["prompt a: Then the tests"]);
});

it("asks before a prompt cancels what an agent does", async () => {
  const user = userEvent.setup();
  twin.agents.agent({ id: "a", title: "Fix", status: { state: "working" } });
  timeline("a");
  await user.type(screen.getByTestId("composer"), "Something else{Enter}");
  await user.click(screen.getByRole("button", { name: "Say it now" }));
  expect(screen.getByTestId("replace-question")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Let it work" }));
  expect(screen.getByTestId("queued")).toBeVisible();
  expect(twin.agents.asked).toEqual([]);
  await user.click(screen.getByRole("button", { name: "Say it now" }));
  await user.click(screen.getByRole("button", { name: "Cancel it and send" }));
  expect(twin.agents.asked).toEqual(["prompt a: Something else"]);
  expect(screen.queryByTestId("queued")).toBeNull();
});

it("shows what is asked with its details, and answers", async () => {
  const user = userEvent.setup();
  twin.agents.agent({
    id: "a",
    status: { state: "needs_you" },
    permissions: [
      {
        id: "p1",
        tool: "execute",
        title: "Remove the build",
        detail: { kind: "shell", command: "rm -rf build/" },
        options: [],
      },
    ],
  });
  timeline("a");
  expect(screen.getByText("rm -rf build/")).toBeVisible();
  await user.click(screen.getByTestId("permission-allow"));
  expect(twin.agents.asked).toEqual(["answer a p1: allow"]);
  await waitFor(() => expect(screen.queryByTestId("permission")).toBeNull());
});

it("shows all that a request would do, and the agent's own answers to it", async () => {
  const user = userEvent.setup();
  twin.agents.agent({
    id: "a",
    status: { state: "needs_you" },
    permissions: [
      {
        id: "p1",
        tool: "edit",
        title: "Rename it everywhere",
        detail: {
          kind: "edit",
          paths: ["a.rs", "b.rs"],
          changes: [
            { path: "a.rs", old_text: "old name", new_text: "new name" },
            { path: "b.rs", old_text: "", new_text: "another file" },
          ],
          output: "and a remark",
        },
        options: [
          { id: "all", name: "Allow all edits", kind: "allow_always" },
          { id: "one", name: "Yes", kind: "allow_once" },
          { id: "no", name: "No, keep planning", kind: "reject_once" },
        ],
      },
    ],
  });
  timeline("a");
  expect(screen.getByRole("region", { name: "a.rs" })).toHaveTextContent(
    "new name",
  );
  expect(screen.getByRole("region", { name: "b.rs" })).toHaveTextContent(
    "another file",
  );
  expect(screen.getByText("and a remark")).toBeVisible();
  expect(screen.getByTestId("permission-allow")).toHaveTextContent("Yes");
  expect(screen.getByTestId("permission-deny")).toHaveTextContent(
    "No, keep planning",
  );
  await user.click(screen.getByRole("button", { name: "Allow all edits" }));
  expect(twin.agents.asked).toEqual(["answer a p1: choose all"]);
  expect(screen.getByTestId("composer")).toHaveFocus();
});

it("finds what was said before, and folds what is long", async () => {
  const user = userEvent.setup();
  twin.agents.agent({ id: "a" });
  timeline("a");
  const pasted = Array.from({ length: 40 }, (_, at) => `line ${at}`);
  act(() =>
    twin.agents.happen(
      "a",
      { event: "prompt", text: pasted.join("\n") },
      { event: "prompt", text: "Do it" },
    ),
  );
  expect(screen.queryByText(/line 39/)).toBeNull();
  await user.click(screen.getByRole("button", { name: "Show all 40 lines" }));
  expect(screen.getByText(/line 39/)).toBeVisible();
  const composer = screen.getByTestId("composer");
  await user.type(composer, "half{ArrowUp}");
  expect(composer).toHaveValue("Do it");
  await user.keyboard("{ArrowUp}");
  expect(composer).toHaveValue(pasted.join("\n"));
  await user.keyboard("{ArrowDown}{ArrowDown}");
  expect(composer).toHaveValue("half");
});

it("shows and chooses what an agent offers, and keeps what is not known", async () => {
  const user = userEvent.setup();
  const choice = (value: string) => ({
    value,
    name: `${value} one`,
    description: null,
  });
  twin.agents.agent({
    id: "a",
    offers: {
      settings: [
        {
          id: "m",
          name: "Model",
          category: "model",
          current: "small",
          choices: [choice("small"), choice("large")],
        },
      ],
    },
    usage: { context_used: 120, context_size: 1000, cost: "0.25 USD" },
  });
  timeline("a");
  expect(screen.getByText("context 12% full")).toBeVisible();
  expect(screen.getByText("0.25 USD")).toBeVisible();
  await user.selectOptions(screen.getByLabelText("Model"), "large one");
  expect(twin.agents.asked).toEqual(["choose a m: large"]);
  await waitFor(() =>
    expect(screen.getByLabelText("Model")).toHaveValue("large"),
  );
  act(() =>
    twin.agents.happen("a", {
      event: "other",
      kind: "something_new",
      text: '{\n  "x": 1\n}',
    }),
  );
  await user.click(screen.getByText("something_new"));
  expect(screen.getByText(/"x": 1/)).toBeVisible();
});

it("leads to the pane where a program waits", async () => {
  const user = userEvent.setup();
  twin.agents.agent({
    id: "a",
    backend: "command:claude",
    status: { state: "needs_you" },
    session: "pane 7",
  });
  const onPane = timeline("a");
  await user.click(screen.getByRole("button", { name: "Go to pane 7" }));
  expect(onPane).toHaveBeenCalledWith(7);
});

it("starts an agent in a new worktree with its first prompt", async () => {
  const user = userEvent.setup();
  render(<AgentQuestions />);
  act(() => askAboutAgents({ ask: "new", cwd: "~/project" }));
  const start = screen.getByRole("button", { name: "Start" });
  expect(start).toBeDisabled();
  await user.type(screen.getByTestId("provider"), "claude");
  await user.click(screen.getByTestId("own-worktree"));
  await user.type(
    screen.getByLabelText("Name of the worktree and its branch"),
    "fix-login",
  );
  await user.type(screen.getByTestId("first-prompt"), "Begin");
  await user.click(start);
  await waitFor(() => expect(screen.queryByTestId("new-agent")).toBeNull());
  expect(twin.agents.asked).toEqual([
    "worktree fix-login of /home/you/project",
    "start at paseo:localhost:6767 in /home/you/project-fix-login",
    "prompt agent-1: Begin",
  ]);
});

it("takes over a conversation that its agent remembers of a folder", async () => {
  const user = userEvent.setup();
  twin.agents.backend({ id: "acp:codex" });
  twin.agents.sessions.push(
    { id: "s1", cwd: "/w/a", title: "Fix the login", updated_at: null },
    { id: "s2", cwd: "/w/b", title: "Elsewhere", updated_at: null },
  );
  render(<AgentQuestions />);
  act(() => askAboutAgents({ ask: "import" }));
  await user.selectOptions(screen.getByTestId("backend"), "acp:codex");
  await user.type(screen.getByLabelText("Folder"), "/w/a");
  const show = "Show what it remembers of this folder";
  await user.click(screen.getByRole("button", { name: show }));
  expect(screen.queryByText("Elsewhere")).toBeNull();
  await user.click(await screen.findByText("Fix the login"));
  await user.click(screen.getByRole("button", { name: "Import" }));
  await waitFor(() =>
    expect(twin.agents.asked).toEqual(["import s1 at acp:codex"]),
  );
});

it("says nothing of HTML in what agents say", async () => {
  twin.agents.agent({ id: "a" });
  timeline("a");
  act(() =>
    twin.agents.happen("a", {
      event: "text",
      text: "<img src=x onerror=alert(1)>\n```html\n<b>bold</b>\n```\nafter",
    }),
  );
  await screen.findByLabelText("Copy the code", {}, { timeout: 10_000 });
  expect(document.querySelector(".agent-rows pre")).toHaveTextContent(
    "<b>bold</b>",
  );
  expect(document.querySelector(".agent-rows :is(img, b)")).toBeNull();
  expect(screen.getByText("after")).toBeVisible();
});
