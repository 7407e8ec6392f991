import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { runCommand } from "../shared/commands";
import { useClosed } from "../shared/dock/closed";
import { useDock } from "../shared/dock/dock";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { App } from "./App";

/** How long an event may take on a machine that is busy with other things. */
const WAIT = { timeout: 10_000 };

let twin: MemoryBackend;

beforeEach(async () => {
  twin = freshBackend();
  useDock.setState({ settled: false });
  useClosed.setState({ closed: [] });
  render(<App />);
  await screen.findByTestId("pane-1", {}, WAIT);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  // Nothing is laid out in jsdom.
  act(() => useDock.getState().api?.layout(1000, 600));
});

const shown = () => useDock.getState().api?.panels.map(({ id }) => id) ?? [];

async function saved(name: string) {
  act(() => runCommand("layout.save"));
  await userEvent.type(await screen.findByTestId("layout-name"), name);
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(twin.state.layouts.has(name)).toBe(true), WAIT);
}

test("an arrangement is saved by name and opened in the place of what is there", async () => {
  act(() => runCommand("pane.split_right"));
  await screen.findByTestId("pane-2", {}, WAIT);
  await saved("shop");
  expect(twin.state.layouts.get("shop")?.tree.kind).toBe("row");
  act(() => runCommand("layout.open"));
  await userEvent.click(await screen.findByTestId(/^go-layout-shop/));
  await waitFor(
    () => expect(shown()).toEqual(["terminal-3", "terminal-4"]),
    WAIT,
  );
  // What was there goes on, and comes back.
  expect([...twin.state.panes.keys()]).toEqual([1, 2, 3, 4]);
  await userEvent.click(screen.getByText("Bring it back"));
  await waitFor(() => expect(shown()).toContain("terminal-2"), WAIT);
});

test("a layout that is wanted from outside is opened where it is wanted", async () => {
  await saved("shop");
  act(() => twin.want({ name: "shop", root: "/elsewhere" }));
  await waitFor(() => expect(shown()).toEqual(["terminal-2"]), WAIT);
  expect(twin.state.panes.get(2)?.info.cwd).toBe("/elsewhere");
});

test("a layout is forgotten, and what was forgotten comes back", async () => {
  await saved("shop");
  act(() => runCommand("layout.remove"));
  await userEvent.click(await screen.findByTestId("go-layout-shop"));
  await waitFor(() => expect(twin.state.layouts.size).toBe(0), WAIT);
  await userEvent.click(await screen.findByText("Bring it back"));
  await waitFor(() => expect(twin.state.layouts.size).toBe(1), WAIT);
});
