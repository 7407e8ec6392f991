import { act, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { MemoryBackend } from "../backend/memory-backend";
import { freshBackend, opened } from "../test-support";
import { PaneList } from "./PaneList";
import { startPanes } from "./pane-store";
import { StatusItems } from "./StatusItems";

let twin: MemoryBackend;

beforeEach(async () => {
  twin = freshBackend();
  await startPanes();
});

const row = (id: number) => screen.getByTestId(`sidebar-pane-${id}`);

test("an empty list says what to do", () => {
  render(<PaneList />);
  expect(screen.getByText("Open a terminal")).toBeInTheDocument();
});

test("each pane shows its state in words, under its directory", async () => {
  render(<PaneList />);
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

test("the list is walked with the arrow keys", async () => {
  render(<PaneList />);
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

test("the status bar counts the panes", async () => {
  render(<StatusItems />);
  await act(async () => {
    await opened(twin);
    await opened(twin);
  });
  expect(screen.getByTestId("status-panes")).toHaveTextContent("2 panes");
});
