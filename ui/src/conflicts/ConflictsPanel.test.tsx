import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { startRepositories } from "../shared/repositories";
import type { Target } from "../shared/targets";
import { freshBackend } from "../test-support";
import {
  details,
  repositoryOf,
  side,
  verdict,
  worktree,
} from "../twin/example-conflicts";
import type { MemoryBackend } from "../twin/memory-backend";
import { ConflictsPanel } from "./ConflictsPanel";
import {
  keyOf,
  noConflicts,
  startConflicts,
  useConflicts,
} from "./conflict-store";
import { QuietMenu } from "./QuietMenu";
import { VerdictView } from "./VerdictView";

let twin: MemoryBackend;
const opened = vi.fn();

beforeEach(async () => {
  twin = freshBackend();
  opened.mockClear();
  useConflicts.setState(noConflicts, true);
  startConflicts();
  await startRepositories();
});

function panel() {
  render(
    <ConflictsPanel
      onOpen={opened}
      onRepository={vi.fn()}
      onAddFolder={vi.fn()}
      onClose={vi.fn()}
    />,
  );
}

const shop = () =>
  repositoryOf(
    "/w/shop",
    [worktree("/w/one"), worktree("/w/two")],
    [details()],
  );

test("with no repository, the panel says what to do", () => {
  panel();
  expect(
    screen.getByText(/No repository is in the workspace/),
  ).toBeInTheDocument();
});

test("a verdict is listed while it holds, and opens with Enter", async () => {
  panel();
  await act(async () => twin.setRepository(shop()));
  const row = await screen.findByTestId("verdict-row");
  expect(row).toHaveTextContent("parse.rs");
  expect(row).toHaveTextContent("no clean merge");
  row.focus();
  await userEvent.keyboard("{Enter}");
  expect(opened).toHaveBeenCalledOnce();
  await act(async () => twin.resolve("/w/shop/.git", keyOf(verdict())));
  expect(await screen.findByTestId("conflicts-none")).toBeInTheDocument();
});

test("a verdict is snoozed with a key, listed as quiet, and taken back", async () => {
  panel();
  await act(async () => twin.setRepository(shop()));
  (await screen.findByTestId("verdict-row")).focus();
  await userEvent.keyboard("s");
  expect(await screen.findByTestId("conflicts-none")).toBeInTheDocument();
  await userEvent.click(screen.getByTestId("wishes"));
  await userEvent.click(screen.getByText("Take back"));
  expect(await screen.findByTestId("verdict-row")).toBeInTheDocument();
});

test("the keys stay in the list when the row that had them is quiet", async () => {
  const also = (path: string) => details({ verdict: verdict({ path }) });
  const trees = [worktree("/w/one"), worktree("/w/two")];
  panel();
  await act(async () =>
    twin.setRepository(
      repositoryOf("/w/shop", trees, [
        also("a.rs"),
        also("b.rs"),
        also("c.rs"),
      ]),
    ),
  );
  const row = (path: string) =>
    screen
      .queryAllByTestId("verdict-row")
      .find((one) => one.textContent?.includes(path));
  await screen.findAllByTestId("verdict-row");
  row("b.rs")?.focus();
  await userEvent.keyboard("s");
  await waitFor(() => expect(row("c.rs")).toHaveFocus());
  await userEvent.keyboard("a");
  await waitFor(() => expect(row("c.rs")).toBeUndefined());
  expect(screen.getByText("Quiet").closest("button")).toHaveFocus();
  row("a.rs")?.focus();
  await userEvent.keyboard("s");
  await waitFor(() => expect(row("a.rs")).toBeUndefined());
  expect(screen.getByTestId("conflicts-panel")).toContainElement(
    document.activeElement as HTMLElement,
  );
});

/** Three worktrees at the same line of a changelog, and a pair elsewhere. */
function crowd() {
  const trees = ["/w/one", "/w/two", "/w/three"];
  const pair = (left: string, right: string, path: string) =>
    details({
      verdict: verdict({ path, left: side(left), right: side(right) }),
    });
  const all = [
    pair("/w/one", "/w/two", "CHANGELOG.md"),
    pair("/w/one", "/w/three", "CHANGELOG.md"),
    pair("/w/two", "/w/three", "CHANGELOG.md"),
    ...["a", "b", "c", "d"].map((name) =>
      pair("/w/one", "/w/two", `src/${name}.rs`),
    ),
  ];
  const repository = repositoryOf(
    "/w/shop",
    trees.map((path) => worktree(path)),
    all,
  );
  const { path, severity, overlaps: lines } = verdict({ path: "CHANGELOG.md" });
  repository.conflicts.groups = [
    {
      path,
      lines,
      severity,
      would_conflict: true,
      quiet: false,
      note: null,
      worktrees: trees,
      verdicts: all.slice(0, 3).map((one) => keyOf(one.verdict)),
      since: 0,
    },
  ];
  return repository;
}

test("many worktrees at the same lines are one row, which shows its pairs", async () => {
  panel();
  await act(async () => twin.setRepository(crowd()));
  const group = await screen.findByTestId("group-row");
  expect(group).toHaveTextContent("3 worktrees: one, three, two");
  expect(screen.getAllByTestId("verdict-row")).toHaveLength(4);
  await userEvent.click(group);
  const pairs = screen.getAllByTestId("pair-row");
  expect(pairs.map(({ textContent }) => textContent)).toEqual([
    "one and three",
    "one and two",
    "two and three",
  ]);
  await userEvent.click(pairs[2] as HTMLElement);
  expect(opened.mock.lastCall?.[0].verdict.right.name).toBe("three");
  // Its keys are about the file, not about one pair.
  group.focus();
  await userEvent.keyboard("s");
  await waitFor(() => expect(screen.queryByTestId("group-row")).toBeNull());
  expect(screen.getAllByTestId("verdict-row")).toHaveLength(4);
});

test("a filter leaves what each of its words is found in", async () => {
  panel();
  await act(async () => twin.setRepository(crowd()));
  await userEvent.type(
    await screen.findByLabelText("Filter conflicts"),
    "two src/b",
  );
  expect(screen.getAllByTestId("verdict-row")).toHaveLength(1);
  expect(screen.getByTestId("verdict-row")).toHaveTextContent("b.rs");
  await userEvent.type(screen.getByLabelText("Filter conflicts"), " nowhere");
  expect(
    screen.getByText("No conflict matches “two src/b nowhere”."),
  ).toBeInTheDocument();
});

test("a worktree is muted with whatever it meets", async () => {
  render(
    <QuietMenu said={{ repository: "/w/shop/.git", verdict: verdict() }} />,
  );
  await act(async () => twin.setRepository(crowd()));
  await userEvent.click(screen.getByTestId("quiet-menu"));
  await userEvent.click(await screen.findByText("Mute two"));
  const loud = () =>
    Object.values(useConflicts.getState().verdicts["/w/shop/.git"] ?? {})
      .filter(({ quiet }) => !quiet)
      .map(({ path, left, right }) => `${path} ${left.name} ${right.name}`);
  await waitFor(() => expect(loud()).toEqual(["CHANGELOG.md one three"]));
});

test("a picture that may be late says so, and why", async () => {
  panel();
  await act(async () =>
    twin.setRepository(
      repositoryOf("/w/shop", [worktree("/w/one")], [], {
        state: {
          state: "watched",
          health: "degraded",
          reasons: ["the system has no watches left"],
          watches: 3,
        },
      }),
    ),
  );
  const note = await screen.findByTestId("conflicts-degraded");
  expect(note).toHaveTextContent("the system has no watches left");
  await act(async () => twin.setRepository(shop()));
  await waitFor(() =>
    expect(screen.queryByTestId("conflicts-degraded")).not.toBeInTheDocument(),
  );
});

function target(change: Partial<Target> = {}): Target {
  return {
    id: "pane-1",
    label: "claude",
    detail: "claude",
    kind: "pane",
    shell: false,
    open: vi.fn(),
    tell: vi.fn(),
    ...change,
  };
}

async function view(left: Target[], right: Target[] = []) {
  twin.setRepository(shop());
  show(left, right);
  await screen.findByTestId("region");
}

function show(left: Target[], right: Target[] = []) {
  render(
    <VerdictView
      repository="/w/shop/.git"
      verdictKey={keyOf(verdict())}
      targets={{ left, right }}
      onTerminal={vi.fn()}
    />,
  );
}

test("both hunks stand side by side, and the merge can be previewed", async () => {
  await view([]);
  const region = screen.getByTestId("region");
  expect(region).toHaveTextContent("enumerate()");
  expect(region).toHaveTextContent("filter(|line|");
  await userEvent.click(screen.getByTestId("verdict-merge"));
  expect(screen.getByTestId("merge-preview")).toHaveTextContent("<<<<<<< one");
});

test("what breaks shows both files, each with its own lines", async () => {
  const breaks = verdict({
    severity: "breaks",
    would_conflict: false,
    overlaps: [],
    note: "one removes `open` (src/store.rs line 41), which two uses in line 43",
    left: side("/w/one", { path: "src/store.rs" }),
  });
  const shown = [details({ verdict: breaks, merged: null })];
  const trees = [worktree("/w/one"), worktree("/w/two")];
  twin.setRepository(repositoryOf("/w/shop", trees, shown));
  show([]);
  await screen.findAllByTestId("region");
  expect(screen.getByTestId("side-left")).toHaveTextContent("src/store.rs");
  // Names are told apart from words, and stay as they are.
  expect(screen.getByText("open").tagName).toBe("CODE");
  expect(screen.getByText(/^one removes/)).toBeInTheDocument();
  // The same lines of two files are not beside each other.
  expect(screen.getAllByTestId("region")).toHaveLength(2);
});

test("a verdict that no longer holds says so", async () => {
  await view([]);
  await act(async () => twin.resolve("/w/shop/.git", keyOf(verdict())));
  expect(await screen.findByTestId("verdict-resolved")).toBeInTheDocument();
});

test("a message is read and changed before it is handed over, as one line", async () => {
  const claude = target();
  await view([claude]);
  await userEvent.click(screen.getByTestId("tell-left"));
  const text = screen.getByTestId("tell-text");
  await userEvent.type(text, "\nThanks");
  await userEvent.click(screen.getByTestId("tell-type"));
  expect(claude.tell).toHaveBeenCalledOnce();
  const [said, send] = vi.mocked(claude.tell).mock.calls[0] ?? [];
  expect(said).toMatch(/^A heads-up[^\n]* Thanks$/);
  expect(send).toBe(false);
});

test("to a shell a message is only typed", async () => {
  await view([target({ shell: true, detail: "a shell" })]);
  await userEvent.click(screen.getByTestId("tell-left"));
  const dialog = within(screen.getByTestId("tell-dialog"));
  expect(dialog.queryByTestId("tell-send")).not.toBeInTheDocument();
  expect(dialog.getByTestId("tell-type")).toBeInTheDocument();
});

test("of several, the agent is told unless the person chooses another", async () => {
  const shell = target({ id: "pane-2", label: "bash", shell: true });
  const agent = target({ id: "agent-1", label: "codex", kind: "agent" });
  await view([shell, agent]);
  await userEvent.click(screen.getByTestId("tell-left"));
  await userEvent.click(screen.getByTestId("tell-send"));
  expect(agent.tell).toHaveBeenCalledOnce();
  expect(shell.tell).not.toHaveBeenCalled();
});

test("names of sides come with the agents that work there", async () => {
  const named = details({
    verdict: verdict({ left: side("/w/one", { agent: "claude" }) }),
  });
  twin.setRepository(
    repositoryOf("/w/shop", [worktree("/w/one"), worktree("/w/two")], [named]),
  );
  panel();
  expect(await screen.findByTestId("verdict-row")).toHaveTextContent(
    "one (claude) and two",
  );
});
