import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { RepositoryView, RunInfo, WorktreeView } from "../bindings";
import { useFlows } from "../flow/flow-store";
import { useRepositories } from "../shared/repositories";
import { startPanes } from "../terminal/pane-store";
import { StatusItems } from "../terminal/StatusItems";
import { freshBackend, opened } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { Sidebar } from "./Sidebar";

let twin: MemoryBackend;

beforeEach(async () => {
  twin = freshBackend();
  useRepositories.setState({ repositories: [] });
  await startPanes();
});

const row = (id: number) => screen.getByTestId(`sidebar-pane-${id}`);

test("an empty list says what to do", () => {
  render(<Sidebar />);
  expect(screen.getByText("Open a terminal")).toBeInTheDocument();
});

test("each pane shows its state in words, under its directory", async () => {
  render(<Sidebar />);
  await act(async () => {
    await opened(twin, { cwd: "/home/you/api", name: "tests" });
    await opened(twin, { cwd: "/home/you/web", name: "claude" });
  });
  expect(screen.getByText("api")).toBeInTheDocument();
  for (const [attention, words] of [
    ["working", "working"],
    ["needs_you", "needs you"],
    ["done", "done"],
    ["failed", "failed"],
    ["idle", "idle"],
  ] as const) {
    act(() => twin.change(1, { attention }));
    expect(within(row(1)).getByText(words)).toBeInTheDocument();
  }
  act(() =>
    twin.change(2, {
      attention: "needs_you",
      attention_message: "Run the migration?",
    }),
  );
  expect(row(2)).toHaveTextContent("Run the migration?");
  expect(row(2)).toHaveTextContent("no tab");
});

test("a pane shows how far its program says that it is", async () => {
  render(<Sidebar />);
  await act(async () => {
    await opened(twin, { name: "claude" });
  });
  const list = () => within(row(1).parentElement as HTMLElement);
  expect(list().queryByRole("progressbar")).toBeNull();
  act(() => twin.change(1, { progress: { state: "running", percent: 40 } }));
  expect(list().getByRole("progressbar", { name: "progress" })).toHaveAttribute(
    "aria-valuenow",
    "40",
  );
  act(() => twin.change(1, { progress: { state: "failed", percent: null } }));
  expect(
    list().getByRole("progressbar", { name: "progress, failed" }),
  ).not.toHaveAttribute("aria-valuenow");
  act(() => twin.change(1, { progress: null }));
  expect(list().queryByRole("progressbar")).toBeNull();
});

test("the list is walked with the arrow keys", async () => {
  render(<Sidebar />);
  await act(async () => {
    await opened(twin, { cwd: "/a" });
    await opened(twin, { cwd: "/b" });
    await opened(twin, { cwd: "/a" });
  });
  row(1).focus();
  await userEvent.keyboard("{ArrowDown}");
  expect(row(3)).toHaveFocus();
  await userEvent.keyboard("{End}");
  expect(row(2)).toHaveFocus();
  await userEvent.keyboard("{Home}{ArrowUp}");
  expect(row(1)).toHaveFocus();
});

const worktree = (
  path: string,
  more: Partial<WorktreeView> = {},
): WorktreeView => ({
  path,
  name: path.split("/").pop() ?? "",
  branch: path.split("/").pop() ?? null,
  main: false,
  present: true,
  agent: null,
  changed_files: 0,
  conflicts: 0,
  would_conflict: 0,
  worst: null,
  ...more,
});

const repository = (worktrees: WorktreeView[]): RepositoryView => ({
  repository: "/code/api/.git",
  root: "/code/api",
  name: "api",
  added: false,
  state: { state: "watched", health: "live", reasons: [], watches: 3 },
  worktrees,
});

const inside = (testId: string) => within(screen.getByTestId(testId));

test("panes stand under their worktree, and worktrees under their repository", async () => {
  useRepositories.setState({
    repositories: [
      repository([
        worktree("/code/api", { branch: "main", main: true }),
        worktree("/code/api-login", { branch: "login", conflicts: 2 }),
        worktree("/code/api-old", { branch: "old" }),
      ]),
    ],
  });
  render(<Sidebar />);
  await act(async () => {
    await opened(twin, { cwd: "/code/api/src" });
    await opened(twin, { cwd: "/code/api-login" });
    await opened(twin, { cwd: "/tmp" });
  });
  inside("worktree-api").getByTestId("sidebar-pane-1");
  inside("worktree-api-login").getByTestId("sidebar-pane-2");
  inside("worktree-api-login").getByTestId("conflict-badge");
  expect(screen.getByText("tmp")).toBeInTheDocument();
  // What nothing goes on in is one click away.
  expect(screen.queryByTestId("worktree-api-old")).toBeNull();
  await userEvent.click(screen.getByText("1 more worktree"));
  await userEvent.click(inside("worktree-api-old").getByText("old"));
  expect(twin.state.panes.get(4)?.info.cwd).toBe("/code/api-old");
});

test("the panes of steps are one row under their run, and what has ended of them is closed together", async () => {
  const run = { id: "3kq", flow: "ship", state: "running", asks: [] };
  useFlows.setState({ runs: [run as unknown as RunInfo] });
  render(<Sidebar />);
  await act(async () => {
    await opened(twin, { cwd: "/tmp" });
    for (const name of ["build · 3kq #1", "test · 3kq #2 again"])
      await opened(twin, { cwd: "/tmp", role: "step", name });
    // Of a run that nothing is known of, and a person's own name for a shell.
    await opened(twin, { cwd: "/tmp", role: "step", name: "build · gone #1" });
    await opened(twin, { cwd: "/tmp", name: "notes · 3kq #1" });
  });
  const group = screen.getByTestId("group-run-3kq");
  expect(group).toHaveTextContent("shiprunning · 2 panes");
  expect(screen.queryByTestId("sidebar-pane-2")).toBeNull();
  for (const id of [1, 4, 5]) expect(row(id)).toBeInTheDocument();
  await userEvent.click(within(group).getByText("ship"));
  within(group).getByTestId("sidebar-pane-2");
  act(() => twin.exit(1, 0));
  act(() => twin.exit(2, 0));
  await userEvent.click(
    screen.getByLabelText("Close the panes of ship that have ended"),
  );
  await waitFor(() =>
    expect([...twin.state.panes.keys()]).toEqual([1, 3, 4, 5]),
  );
});

test("a repository of one worktree is one line, and folds", async () => {
  useRepositories.setState({
    repositories: [
      repository([worktree("/code/api", { branch: "main", main: true })]),
    ],
  });
  render(<Sidebar />);
  await act(async () => {
    await opened(twin, { cwd: "/code/api" });
  });
  expect(screen.queryByTestId("worktree-api")).toBeNull();
  expect(screen.getByTestId("repository-api")).toHaveTextContent("main");
  const heading = inside("repository-api").getByRole("button", {
    expanded: true,
  });
  await userEvent.click(heading);
  expect(screen.queryByTestId("sidebar-pane-1")).toBeNull();
  expect(heading).toHaveAttribute("aria-expanded", "false");
});

test("the status bar counts the panes", async () => {
  render(<StatusItems />);
  await act(async () => {
    await opened(twin);
    await opened(twin);
  });
  expect(screen.getByTestId("status-panes")).toHaveTextContent("2 panes");
});
