import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { useNotices } from "../shared/notices";
import type { Target } from "../shared/targets";
import { freshBackend } from "../test-support";
import {
  changedWorktree,
  fileChange,
  fileDiff,
  hunk,
} from "../twin/example-changes";
import type { MemoryBackend } from "../twin/memory-backend";
import { keyOfDiff } from "../twin/memory-changes";
import { useSideBySide } from "./arranged";
import { ChangesTab } from "./ChangesTab";
import { followTouched } from "./touched-store";

const TREE = "/w/one";

let twin: MemoryBackend;
let targets: Target[] = [];
const onRun = vi.fn();

beforeEach(() => {
  targets = [];
  useSideBySide.setState({ sideBySide: false });
  twin = freshBackend();
  return followTouched();
});

const tab = (visible = true) => (
  <ChangesTab
    worktree={TREE}
    visible={visible}
    active={visible}
    near={[]}
    targets={targets}
    onConflicts={() => {}}
    onRun={onRun}
  />
);

const usual = () =>
  changedWorktree(TREE, {
    staged: [fileChange("src/parse.rs")],
    untracked: [
      fileChange("notes.md", { kind: "untracked", old: null }),
      fileChange("src/new.rs", { kind: "untracked", old: null }),
    ],
    whole: [fileChange("src/parse.rs")],
  });

test("the files are listed by how far they got, and the first one's lines are shown", async () => {
  twin.setChanges(usual());
  render(tab());
  await screen.findByText("let limit = 20;");
  expect(screen.getByTestId("diff")).toHaveAttribute(
    "data-path",
    "src/parse.rs",
  );
  const sections = screen.getAllByTestId("changes-section");
  expect(sections.map((one) => one.textContent)).toEqual([
    "Staged1",
    "Not tracked2",
  ]);
  expect(screen.getByTestId("changes")).toHaveTextContent(
    "2 commits since main, 1 behind",
  );
});

test("the arrow keys walk the files, and Enter goes on to the lines", async () => {
  twin.setChanges(usual());
  render(tab());
  await screen.findByTestId("diff-lines");
  await userEvent.keyboard("{End}");
  await waitFor(() =>
    expect(screen.getByTestId("diff")).toHaveAttribute("data-path", "notes.md"),
  );
  expect(screen.getByRole("treeitem", { selected: true })).toHaveTextContent(
    "notes.md",
  );
  await screen.findByTestId("diff-lines");
  await userEvent.keyboard("{Enter}");
  expect(screen.getByTestId("diff-lines")).toHaveFocus();
});

test("what is written shows up by itself, and an answer stays until there is a newer one", async () => {
  twin.setChanges(usual());
  render(tab());
  await screen.findByText("let limit = 20;");
  const later = usual();
  const file = fileChange("src/parse.rs");
  const key = keyOfDiff("staged", file.path);
  const text = hunk().text.replace("20", "30");
  const told = fileDiff(file, [hunk({ text })]);
  later.diffs.set(key, { near: told, all: told });
  await act(async () => twin.setChanges(later));
  await screen.findByText("let limit = 30;");
});

test("while nobody looks, nothing is asked; what was missed is asked for then", async () => {
  twin.setChanges(usual());
  const asked = vi.spyOn(twin, "worktreeChanges");
  const { rerender } = render(tab(false));
  await screen.findByTestId("diff-lines");
  const before = asked.mock.calls.length;
  await act(async () => twin.tellTouched([TREE]));
  await act(async () => twin.tellTouched(["/w/other"]));
  expect(asked.mock.calls.length).toBe(before);
  rerender(tab());
  await waitFor(() => expect(asked.mock.calls.length).toBe(before + 1));
});

test("a fold opens where it is", async () => {
  twin.setChanges(usual());
  render(tab());
  const [fold] = await screen.findAllByTestId("diff-fold");
  expect(fold).toHaveTextContent("Show 9 more lines");
  expect(screen.queryByText("line 3")).toBeNull();
  if (fold) await userEvent.click(fold);
  expect(await screen.findByText("line 3")).toBeInTheDocument();
});

test("all in one is asked for as one, and the filter leaves what it finds", async () => {
  twin.setChanges(usual());
  render(tab());
  await screen.findByTestId("diff-lines");
  await userEvent.type(screen.getByTestId("changes-filter"), "notes");
  expect(screen.getAllByTestId("changes-file")).toHaveLength(1);
  await userEvent.clear(screen.getByTestId("changes-filter"));
  await userEvent.click(screen.getByTestId("changes-together"));
  await waitFor(() =>
    expect(screen.getByTestId("changes-section")).toHaveTextContent(
      "All since main1",
    ),
  );
});

test("a worktree without changes says so", async () => {
  twin.setChanges(changedWorktree(TREE, {}));
  render(tab());
  expect(await screen.findByTestId("changes-none")).toBeInTheDocument();
});

test("a worktree that is gone is said to be", async () => {
  render(tab());
  expect(await screen.findByRole("alert")).toHaveTextContent(
    "/w/one is in no worktree of git",
  );
});

test("a hunk is staged, and what is discarded can be taken back from where that is said", async () => {
  twin.setChanges(
    changedWorktree(TREE, { unstaged: [fileChange("src/parse.rs")] }),
  );
  render(tab());
  await userEvent.click(await screen.findByTestId("hunk-stage"));
  expect(twin.acted).toEqual([
    {
      act: "stage",
      view: "unstaged",
      files: [{ path: "src/parse.rs", from: null, hunks: [hunk()] }],
    },
  ]);
  await userEvent.click(screen.getByTestId("diff-discard"));
  expect(twin.acted.at(-1)?.files[0]?.hunks).toEqual([]);
  await waitFor(() => expect(useNotices.getState().notices).toHaveLength(1));
  const [notice] = useNotices.getState().notices;
  expect(notice?.text).toBe("Discarded src/parse.rs.");
  await act(async () => notice?.action?.run());
  expect(twin.restored).toEqual(["2-1-0"]);
  await waitFor(() =>
    expect(useNotices.getState().notices.map(({ text }) => text)).toEqual([
      "It is back as it was.",
    ]),
  );
});

test("who discards by keys goes on with the next file", async () => {
  twin.setChanges(
    changedWorktree(TREE, {
      unstaged: [fileChange("a.rs"), fileChange("b.rs"), fileChange("c.rs")],
    }),
  );
  render(tab());
  await screen.findByTestId("diff-lines");
  // Held down, it is pressed once.
  await userEvent.keyboard("{Delete>3/}{Delete}{Delete}");
  expect(
    twin.acted.map(({ files }) => files.map(({ path }) => path).join()),
  ).toEqual(["a.rs", "b.rs", "c.rs"]);
});

test("of many discards each can be taken back", async () => {
  twin.setChanges(
    changedWorktree(TREE, { unstaged: [fileChange("src/parse.rs")] }),
  );
  render(tab());
  const discard = await screen.findByTestId("diff-discard");
  for (let more = 5; more > 0; more--) await userEvent.click(discard);
  await waitFor(() => expect(useNotices.getState().notices).toHaveLength(5));
  for (const notice of useNotices.getState().notices)
    await act(async () => notice.action?.run());
  expect(new Set(twin.restored).size).toBe(5);
});

test("keys stage a file and discard it, and commits are left as they are", async () => {
  twin.setChanges(
    changedWorktree(TREE, {
      untracked: [fileChange("notes.md", { kind: "untracked", old: null })],
      committed: [fileChange("done.rs")],
    }),
  );
  render(tab());
  await screen.findByTestId("diff-lines");
  await userEvent.keyboard("s{Delete}{End}s{Delete}");
  expect(twin.acted.map(({ act, view }) => `${act} ${view}`)).toEqual([
    "stage untracked",
    "discard untracked",
  ]);
});

test("a file that was discarded by its button is said to be as it was, and nothing is left to press", async () => {
  const file = fileChange("src/parse.rs");
  twin.setChanges(
    changedWorktree(TREE, { unstaged: [file, fileChange("z.rs")] }),
  );
  render(tab());
  await screen.findByTestId("diff-discard");
  // What was written is told late, if at all: it is asked for without that.
  vi.spyOn(twin, "worktreeChanges").mockResolvedValue({
    status: "ok",
    data: changedWorktree(TREE, { unstaged: [fileChange("z.rs")] }).changes,
  });
  await userEvent.click(screen.getByTestId("diff-discard"));
  expect(await screen.findByTestId("diff-empty")).toHaveTextContent(
    "This file does not differ any more.",
  );
  expect(screen.getByTestId("diff")).toHaveAttribute(
    "data-path",
    "src/parse.rs",
  );
  expect(screen.queryByTestId("diff-discard")).toBeNull();
});

test("a file that was staged by its button is shown where it has got to", async () => {
  const file = fileChange("src/parse.rs");
  twin.setChanges(changedWorktree(TREE, { unstaged: [file] }));
  render(tab());
  await screen.findByTestId("diff-stage");
  const after = changedWorktree(TREE, { staged: [file] });
  await act(async () => twin.setChanges(after));
  expect(await screen.findByTestId("diff-unstage")).toBeInTheDocument();
  expect(screen.getByRole("treeitem", { selected: true })).toHaveTextContent(
    "parse.rs",
  );
});

test("what was discarded is listed, and given back from there", async () => {
  twin.setChanges(
    changedWorktree(TREE, { unstaged: [fileChange("src/parse.rs")] }),
  );
  render(tab());
  await userEvent.click(await screen.findByTestId("diff-discard"));
  await userEvent.click(screen.getByTestId("changes-more"));
  await userEvent.click(await screen.findByText("What was discarded…"));
  expect(await screen.findByTestId("snapshot")).toHaveTextContent(
    "src/parse.rs",
  );
  await userEvent.click(screen.getByTestId("snapshot-restore"));
  expect(twin.restored).toEqual(["1-1-0"]);
  await waitFor(() =>
    expect(
      screen.getAllByTestId("snapshot").map((one) => one.dataset.reason),
    ).toEqual(["restored", "discarded"]),
  );
});

test("what is staged is committed with its message, which is kept until then", async () => {
  twin.setChanges(usual());
  twin.setHook("all is well");
  const { unmount } = render(tab());
  const write = async (text: string) =>
    userEvent.type(await screen.findByTestId("commit-message"), text);
  await write("Read faster");
  unmount();
  render(tab());
  await write("{Enter}and why");
  const button = screen.getByTestId("commit-button");
  expect(button).toHaveTextContent("Commit 1 staged file");
  await userEvent.keyboard("{Control>}{Enter}{/Control}");
  expect(twin.committed).toEqual([
    { message: "Read faster\nand why", amend: false, all: false },
  ]);
  expect(await screen.findByTestId("commit-said")).toHaveTextContent(
    "all is well",
  );
  expect(screen.getByTestId("commit-message")).toHaveValue("");
});

test("what a hook does not let be is said, and the message stays", async () => {
  twin.setChanges(
    changedWorktree(TREE, {
      unstaged: [fileChange("a.rs")],
      untracked: [fileChange("b.rs")],
    }),
  );
  twin.setHook("", "nothing was committed: lint: line 7");
  render(tab());
  await userEvent.type(await screen.findByTestId("commit-message"), "All");
  const button = screen.getByTestId("commit-button");
  expect(button).toHaveTextContent("Commit all 2 files");
  await userEvent.click(button);
  expect(await screen.findByRole("alert")).toHaveTextContent("lint: line 7");
  expect(screen.getByTestId("commit-message")).toHaveValue("All");
  twin.setHook("");
  await userEvent.click(screen.getByTestId("commit-button"));
  await waitFor(() => expect(twin.committed.at(-1)?.all).toBe(true));
});

test("the last commit is amended, from the words that it has", async () => {
  twin.setChanges(usual());
  render(tab());
  await userEvent.click(await screen.findByTestId("commit-amend"));
  const message = screen.getByTestId("commit-message");
  await waitFor(() => expect(message).toHaveValue("What was last\n\nand why"));
  expect(screen.getByTestId("commit-button")).toHaveTextContent(
    "Amend with 1 staged file",
  );
  await userEvent.click(screen.getByTestId("commit-amend"));
  await waitFor(() => expect(message).toHaveValue(""));
  await userEvent.click(screen.getByTestId("commit-amend"));
  await waitFor(() => expect(message).not.toHaveValue(""));
  await userEvent.click(screen.getByTestId("commit-button"));
  expect(twin.committed).toEqual([
    { message: "What was last\n\nand why", amend: true, all: false },
  ]);
});

test("a file counts as looked at until it is another one, and the key goes on to the next", async () => {
  twin.setChanges(
    changedWorktree(TREE, {
      unstaged: [fileChange("a.rs"), fileChange("b.rs"), fileChange("c.rs")],
    }),
  );
  const { unmount } = render(tab());
  await screen.findByTestId("diff-lines");
  await userEvent.keyboard("{Home}{ArrowDown}l");
  const totals = () => screen.getByTestId("changes-totals");
  await waitFor(() => expect(totals()).toHaveTextContent("1 of 3 looked at"));
  expect(screen.getByTestId("diff")).toHaveAttribute("data-path", "b.rs");
  await userEvent.click(screen.getByTestId("diff-looked"));
  await waitFor(() => expect(totals()).toHaveTextContent("2 of 3 looked at"));
  unmount();
  render(tab());
  await waitFor(() => expect(totals()).toHaveTextContent("2 of 3 looked at"));
  await act(async () => twin.rewrite("a.rs"));
  await waitFor(() => expect(totals()).toHaveTextContent("1 of 3 looked at"));
  const [first] = screen.getAllByTestId("changes-file");
  expect(first).toHaveTextContent("changed since you looked at it");
});

test("lines that come while one looks are marked, until the file was looked at", async () => {
  const show = (text: string) => {
    const changed = changedWorktree(TREE, { unstaged: [fileChange("z.rs")] });
    const told = fileDiff(fileChange("z.rs"), [hunk({ text })]);
    changed.diffs.set(keyOfDiff("unstaged", "z.rs"), { near: told, all: told });
    twin.setChanges(changed);
  };
  show(" one\n+two\n+three");
  render(tab());
  await screen.findByText("three");
  const fresh = () =>
    [...document.querySelectorAll("[data-fresh=true]")].map(
      (line) => line.querySelector(".changes-diff-text")?.textContent,
    );
  expect(fresh()).toEqual([]);
  await act(async () => show(" one\n+two\n+between\n+three"));
  await screen.findByText("between");
  expect(fresh()).toEqual(["between"]);
  await userEvent.click(screen.getByTestId("diff-looked"));
  await waitFor(() => expect(fresh()).toEqual([]));
});

test("a remark on lines stands below them, is sent to who works there, and is answered", async () => {
  const tell = vi.fn();
  const agent = {
    id: "agent-x",
    label: "Claude",
    detail: "idle",
    kind: "agent" as const,
    shell: false,
    open: () => {},
    tell,
  };
  const shell = { ...agent, id: "pane-1", label: "bash", shell: true };
  targets = [{ ...shell, kind: "pane" }, agent];
  twin.setChanges(usual());
  render(tab());
  await screen.findByText("let limit = 20;");
  // By keys: the first change, and the line after it.
  act(() => screen.getByTestId("diff-lines").focus());
  await userEvent.keyboard(
    "{ArrowDown}{ArrowDown}{Shift>}{ArrowDown}{/Shift}r",
  );
  expect(screen.getByTestId("remark-form")).toHaveTextContent("On lines 11–12");
  await userEvent.keyboard("Why twenty?{Control>}{Enter}{/Control}");
  expect(await screen.findByTestId("remark")).toHaveTextContent("Not sent");
  expect(screen.getByTestId("diff-lines")).toHaveFocus();
  await userEvent.click(screen.getByTestId("remark-edit"));
  await userEvent.keyboard(" Or ten?{Control>}{Enter}{/Control}");
  await waitFor(() =>
    expect(screen.getByTestId("remark")).toHaveTextContent(
      "Why twenty? Or ten?",
    ),
  );
  expect(screen.getByTestId("remarks-bar")).toHaveTextContent(
    "1 remark not sent",
  );

  await userEvent.click(screen.getByTestId("remarks-send"));
  expect(screen.getByTestId("tell-target")).toHaveValue("agent-x");
  await userEvent.click(screen.getByTestId("tell-send"));
  await waitFor(() => expect(tell).toHaveBeenCalledOnce());
  expect(tell.mock.calls[0]?.[0]).toContain(
    "src/parse.rs, lines 11-12:\n> let limit = 20;\n> let rest = 1;\nWhy twenty? Or ten?",
  );
  await waitFor(() =>
    expect(screen.getByTestId("remark")).toHaveTextContent("Sent to Claude"),
  );

  await act(async () => void (await twin.answeredRemarks("agent-x")));
  await waitFor(() =>
    expect(screen.queryByTestId("remark")).not.toBeInTheDocument(),
  );
  expect(screen.getByTestId("remarks-bar")).toHaveTextContent(
    "1 remark answered",
  );
  await userEvent.click(screen.getByTestId("remarks-all"));
  expect(screen.getByTestId("remark")).toHaveTextContent("Answered by Claude");
  await userEvent.click(screen.getByTestId("remark-gone"));
  await waitFor(() =>
    expect(screen.queryByTestId("remarks-bar")).not.toBeInTheDocument(),
  );
});

test("a remark that was not sent is not lost when its lines are others", async () => {
  twin.setChanges(usual());
  await twin.addRemark(
    TREE,
    { path: "src/parse.rs", side: "new", first: 11, lines: ["let limit = 9;"] },
    "Why nine?",
  );
  render(tab());
  const apart = await screen.findByTestId("remarks-apart");
  expect(apart).toHaveTextContent("src/parse.rs, line 11");
  expect(apart).toHaveTextContent("Why nine?");
});

test("what changed since a moment is shown, and made what it was then, with a way back", async () => {
  twin.setChanges(usual());
  render(tab());
  await screen.findByText("let limit = 20;");
  expect(screen.queryByTestId("changes-since")).not.toBeInTheDocument();
  await userEvent.click(screen.getByTestId("changes-more"));
  await userEvent.click(await screen.findByText("Remember this moment"));
  const since = await screen.findByTestId("changes-since");
  await userEvent.selectOptions(since, "1-1-0");
  await waitFor(() =>
    expect(
      screen.getAllByTestId("changes-section").map((one) => one.textContent),
    ).toEqual(["All since a moment of yours1"]),
  );
  expect(screen.queryByTestId("commit")).not.toBeInTheDocument();
  await userEvent.click(await screen.findByTestId("diff-restore"));
  await waitFor(() =>
    expect(twin.restoredTo).toEqual([
      {
        since: "1-1-0",
        files: [{ path: "src/parse.rs", from: null, hunks: [] }],
      },
    ]),
  );
  const notice = useNotices
    .getState()
    .notices.find(({ text }) => text === "src/parse.rs is what it was then.");
  notice?.action?.run();
  await waitFor(() => expect(twin.restored).toEqual(["1-1-0-back"]));
  await userEvent.click(screen.getByTestId("hunk-restore"));
  await waitFor(() =>
    expect(twin.restoredTo.at(-1)?.files?.[0]?.hunks).toEqual([hunk()]),
  );
  await userEvent.click(screen.getByTestId("changes-more"));
  await userEvent.click(
    await screen.findByText("Restore everything to that moment"),
  );
  await waitFor(() =>
    expect(twin.restoredTo.at(-1)).toEqual({ since: "1-1-0", files: null }),
  );
});

test("V puts what was and what is side by side, where remarks are made as well", async () => {
  twin.setChanges(usual());
  render(tab());
  await screen.findByText("let limit = 20;");
  act(() => screen.getByTestId("diff-lines").focus());
  await userEvent.keyboard("v");
  const pairs = [...document.querySelectorAll(".changes-diff-pair")];
  const texts = pairs.map((pair) =>
    [...pair.querySelectorAll(".changes-diff-line")].map(
      (half) => half.textContent,
    ),
  );
  expect(texts.slice(0, 3)).toEqual([
    ["10 line 10", "10 line 10"],
    ["11−let limit = 10;", "11+let limit = 20;"],
    ["", "12+let rest = 1;"],
  ]);
  await userEvent.keyboard("{ArrowDown}r");
  expect(screen.getByTestId("remark-form")).toHaveTextContent("On line 11");
  await userEvent.keyboard("Why?{Control>}{Enter}{/Control}");
  expect(await screen.findByTestId("remark")).toHaveTextContent("Why?");
  await userEvent.keyboard("v");
  expect(document.querySelector(".changes-diff-pair")).toBeNull();
});

test("the page of its branch is opened by the person's own program, which is said", async () => {
  const args = ["browse", "--branch", "one"];
  twin.setForge({ program: "gh", args, pushed: false });
  twin.setChanges(usual());
  render(tab());
  await screen.findByText("let limit = 20;");
  await userEvent.click(screen.getByTestId("changes-more"));
  const item = await screen.findByText("Open its page: gh browse --branch one");
  expect(item.parentElement).toHaveTextContent("not pushed");
  await userEvent.click(item);
  await waitFor(() => expect(onRun).toHaveBeenCalledWith("gh", args));
});

test("a picture is shown as it was and as it is; what is none is said to be no text", async () => {
  const [logo, blob] = [fileChange("logo.png"), fileChange("x.bin")];
  const worktree = changedWorktree(TREE, { unstaged: [logo, blob] });
  for (const file of [logo, blob])
    for (const kind of ["near", "all"] as const) {
      const told = worktree.diffs.get(keyOfDiff("unstaged", file.path));
      if (told) told[kind] = { file, content: { content: "binary" } };
    }
  const picture = (base64: string) => ({
    media: "image/png",
    base64,
    bytes: 2048,
    width: 3,
    height: 2,
  });
  twin.setPictures("logo.png", { old: picture("b2xk"), new: picture("bmV3") });
  twin.setChanges(worktree);
  render(tab());
  const shown = await screen.findByTestId("diff-pictures");
  expect(shown).toHaveTextContent("As it was 3 × 2, 2 KiB");
  expect(screen.getByAltText("As it is")).toHaveAttribute(
    "src",
    "data:image/png;base64,bmV3",
  );
  await userEvent.click(screen.getByText("x.bin"));
  expect(await screen.findByTestId("diff-empty")).toHaveTextContent(
    "not text, as git sees it",
  );
});
