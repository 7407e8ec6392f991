import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { useNotices } from "../shared/notices";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { worktreeRow } from "../twin/memory-worktrees";
import { ask, closeAsked } from "./asked-store";
import { WorktreeDialogs } from "./WorktreeDialogs";

let twin: MemoryBackend;
const made = vi.fn();
const MAIN = worktreeRow({ path: "/w/shop", branch: "main", main: true });

beforeEach(() => {
  twin = freshBackend();
  closeAsked();
  made.mockClear();
});

function show(wish: Parameters<typeof ask>[0]) {
  render(<WorktreeDialogs onMade={made} />);
  act(() => ask(wish));
}

const type = (field: string, text: string) =>
  userEvent.type(screen.getByTestId(field), text);

test("a worktree is made from what was typed, which stays until then", async () => {
  twin.setWorktrees([MAIN]);
  twin.runInNew = ["npm ci"];
  show({ what: "new", directory: "/w/shop" });
  await type("worktree-branch", "main");
  await userEvent.click(screen.getByTestId("worktree-make"));
  expect(await screen.findByRole("alert")).toHaveTextContent(
    "main is checked out already",
  );
  await userEvent.keyboard("{Escape}");
  act(() => ask({ what: "new", directory: "/w/shop" }));
  expect(screen.getByTestId("worktree-branch")).toHaveValue("main");
  await type("worktree-branch", "-2");
  await type("worktree-base", "v1");
  await userEvent.click(screen.getByTestId("worktree-make"));
  await waitFor(() => expect(made).toHaveBeenCalledOnce());
  expect(twin.made).toEqual([
    { branch: "main-2", base: "v1", path: null, setUp: true },
  ]);
  expect(made.mock.lastCall?.[0].run).toEqual(["npm ci"]);
  expect(screen.queryByTestId("new-worktree")).toBeNull();
});

test("what would be lost is said, and each of it is agreed to before anything goes", async () => {
  const row = worktreeRow({
    holds: { uncommitted: 2, commits: 1, doing: null },
    at_work: { panes: ["pane 3 (server)"], agents: [] },
  });
  twin.setWorktrees([MAIN, row]);
  show({ what: "remove", worktree: row.path });
  const files = await screen.findByTestId("remove-files");
  const dialog = screen.getByTestId("remove-worktree");
  expect(dialog).toHaveTextContent("2 files that are not committed");
  expect(dialog).toHaveTextContent("What works there: pane 3 (server)");
  // Its commits stay with its branch.
  expect(screen.queryByTestId("remove-commits")).toBeNull();
  const really = screen.getByTestId("remove-really");
  await userEvent.click(files);
  expect(really).toBeDisabled();
  await userEvent.click(screen.getByTestId("remove-work"));
  expect(really).toBeEnabled();
  await userEvent.click(screen.getByTestId("remove-branch"));
  expect(really).toBeDisabled();
  await userEvent.click(screen.getByTestId("remove-commits"));
  await userEvent.click(really);
  expect(twin.removed).toEqual([
    { worktree: row.path, branch: true, lose: true, close: true },
  ]);
  const said = useNotices.getState().notices.map(({ text }) => text);
  expect(said[0]).toContain("switchyard changes undo 1-1-0");
});

test("where nothing would be lost, one press is enough, and nothing else is taken along", async () => {
  twin.setWorktrees([MAIN, worktreeRow()]);
  show({ what: "remove", worktree: "/w/shop-topic" });
  await screen.findByTestId("remove-nothing");
  await userEvent.click(screen.getByTestId("remove-really"));
  expect(twin.removed).toEqual([
    { worktree: "/w/shop-topic", branch: false, lose: false, close: false },
  ]);
});

test("those that are merged go at once, and the others stay", async () => {
  const merged = worktreeRow({
    path: "/w/a",
    branch: "a",
    merged: "as_others",
  });
  const holding = worktreeRow({
    path: "/w/b",
    branch: "b",
    holds: { uncommitted: 0, commits: 3, doing: null },
  });
  twin.setWorktrees([MAIN, merged, holding]);
  show({ what: "list", directory: "/w/shop" });
  await waitFor(() =>
    expect(screen.getAllByTestId("worktree-row")).toHaveLength(3),
  );
  const list = screen.getByTestId("worktrees");
  expect(list).toHaveTextContent("3 commits that are nowhere else");
  await waitFor(() => expect(list).toHaveTextContent("3.0 MiB"));
  await userEvent.click(screen.getByTestId("worktrees-prune"));
  await waitFor(() =>
    expect(screen.getAllByTestId("worktree-row")).toHaveLength(2),
  );
});

test("a branch is renamed, and what is wrong with its name is said", async () => {
  twin.setWorktrees([MAIN]);
  show({ what: "rename", worktree: "/w/shop-topic", branch: "topic" });
  const name = screen.getByTestId("worktree-name");
  await userEvent.clear(name);
  await userEvent.type(name, "main{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent(
    "there is a branch main already",
  );
  await userEvent.type(name, "-2{Enter}");
  await waitFor(() =>
    expect(twin.renamed).toEqual([["/w/shop-topic", "main-2"]]),
  );
});
