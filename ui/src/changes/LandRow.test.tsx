import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { LandingEnd, Outlook, Prospect } from "../bindings";
import { useNotices } from "../shared/notices";
import { freshBackend } from "../test-support";
import { changedWorktree } from "../twin/example-changes";
import type { MemoryBackend } from "../twin/memory-backend";
import { LandRow, type Near } from "./LandRow";
import { followTouched } from "./touched-store";

const TREE = "/w/one";
const MAIN = "/w/main";

let twin: MemoryBackend;

beforeEach(() => {
  twin = freshBackend();
  useNotices.setState({ notices: [] });
  twin.setChanges(changedWorktree(TREE, {}));
  return followTouched();
});

function outlook(change: Partial<Outlook> = {}): Outlook {
  return {
    way: "land",
    from: "topic",
    into: "main",
    base_at: MAIN,
    commits: 2,
    uncommitted: null,
    prospect: { prospect: "clean" },
    ...change,
  };
}

const update = (change: Partial<Outlook> = {}) =>
  outlook({
    way: "update",
    from: "main",
    into: "topic",
    commits: 1,
    ...change,
  });

function shown(near: Near[] = []) {
  const onConflicts = vi.fn();
  render(
    <LandRow
      worktree={TREE}
      visible
      tick={0}
      near={near}
      onConflicts={onConflicts}
    />,
  );
  return onConflicts;
}

test("what would be done is said, done, and taken back", async () => {
  twin.setOutlooks([update(), outlook()]);
  shown();
  expect(await screen.findByTestId("update-way")).toHaveTextContent(
    "Update from maintopic gets 1 commit.",
  );
  expect(screen.getByTestId("land-way")).toHaveTextContent(
    "Land into mainmain gets 2 commits.",
  );
  await userEvent.click(screen.getByTestId("land"));
  expect(twin.landed).toMatchObject([
    { way: "land", without_uncommitted: false, leave_conflicts: false },
  ]);
  const [notice] = useNotices.getState().notices;
  expect(notice?.text).toBe("topic is in main now.");
  notice?.action?.run();
  await waitFor(() => expect(twin.takenBack).toEqual(["land"]));
  await waitFor(() =>
    expect(useNotices.getState().notices.map(({ text }) => text)).toEqual([
      "main is at 5f0c2d8e6a again.",
    ]),
  );
});

test("where there is nothing to go either way there is no row", async () => {
  twin.setOutlooks([outlook()]);
  shown();
  await screen.findByTestId("land-row");
  twin.setOutlooks([]);
  await waitFor(() =>
    expect(screen.queryByTestId("land-row")).not.toBeInTheDocument(),
  );
});

test("what keeps it from being done is said, and it can't be pressed", async () => {
  const why = "`main` is checked out in `/w/main`: there, `f` is not committed";
  twin.setOutlooks([outlook({ prospect: { prospect: "not", why } })]);
  shown();
  expect(await screen.findByTestId("land-way")).toHaveTextContent(
    "main is checked out in /w/main: there, f is not committed.",
  );
  expect(screen.getByTestId("land")).toBeDisabled();
});

test("what is not committed is said to stay, and is left where it is", async () => {
  twin.setOutlooks([outlook({ uncommitted: "`f` is not committed" })]);
  shown();
  expect(await screen.findByTestId("land-way")).toHaveTextContent(
    "main gets 2 commits. f is not committed. It stays here.",
  );
  await userEvent.click(screen.getByTestId("land"));
  expect(twin.landed).toMatchObject([{ without_uncommitted: true }]);
});

test("where a merge would stop is told by its files, shown, or left to be resolved here", async () => {
  const files = ["a", "b", "c", "d"];
  const prospect: Prospect = { prospect: "conflicts", files };
  twin.setOutlooks([update({ prospect }), outlook({ prospect })]);
  const onConflicts = shown();
  expect(await screen.findByTestId("land-way")).toHaveTextContent(
    "A merge of 2 commits would stop at a, b, c and 1 more.",
  );
  expect(screen.getByTestId("land")).toBeDisabled();
  await userEvent.click(screen.getByTestId("land-conflicts"));
  expect(onConflicts).toHaveBeenCalledWith(MAIN, files);
  await userEvent.click(screen.getByTestId("update-here"));
  expect(twin.landed).toMatchObject([{ way: "update", leave_conflicts: true }]);
});

test("a merge that would stop by the time it is asked for shows where", async () => {
  const end: LandingEnd = { end: "conflicts", files: ["f"], left: false };
  twin.setOutlooks([outlook()], end);
  const onConflicts = shown();
  await userEvent.click(await screen.findByTestId("land"));
  expect(onConflicts).toHaveBeenCalledWith(MAIN, ["f"]);
  expect(useNotices.getState().notices[0]?.text).toBe(
    "Nothing was done: a merge of topic into main would stop at f.",
  );
});

test("another worktree that changed the same lines is named, and keeps nothing from landing", async () => {
  twin.setOutlooks([outlook()]);
  const open = vi.fn();
  shown([
    { name: "search", worktree: "/w/two", files: ["src/a.rs"], open },
    { name: "main", worktree: MAIN, files: ["f"], open: () => {} },
  ]);
  await waitFor(() =>
    expect(
      screen.getAllByTestId("land-near").map((one) => one.textContent),
    ).toEqual(["search changed the same lines, in src/a.rs.Look"]),
  );
  await userEvent.click(screen.getByText("Look"));
  expect(open).toHaveBeenCalled();
  expect(screen.getByTestId("land")).toBeEnabled();
});
