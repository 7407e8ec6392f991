import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { useSettings } from "../shared/settings-store";
import { freshBackend, opened } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { pasteText } from "./clipboard";
import { requestClose } from "./pane-life";
import { startPanes, usePanes } from "./pane-store";
import { Questions } from "./Questions";

let twin: MemoryBackend;
let pane: number;

beforeEach(async () => {
  twin = freshBackend();
  pane = (await opened(twin, { name: "build" })).id;
  await startPanes();
});

test("closing a busy pane is asked first, and no is no", async () => {
  twin.change(pane, { busy: true, command: "make release" });
  render(<Questions />);
  void requestClose(pane);
  const question = await screen.findByTestId("close-question");
  expect(question).toHaveTextContent("Close build?");
  expect(question).toHaveTextContent("make release");
  await userEvent.click(screen.getByText("Keep it running"));
  expect(screen.queryByTestId("close-question")).toBeNull();
  expect(twin.state.panes.has(pane)).toBe(true);
  void requestClose(pane);
  await userEvent.click(await screen.findByRole("button", { name: "Close" }));
  await waitFor(() => expect(twin.state.panes.has(pane)).toBe(false));
});

test("a program that was started a moment ago is asked about, told of or not", async () => {
  const fake = twin.state.panes.get(pane);
  if (!fake) throw new Error("the pane is open");
  fake.info = { ...fake.info, busy: true };
  expect(usePanes.getState().panes[pane]?.busy).toBe(false);
  render(<Questions />);
  void requestClose(pane);
  expect(await screen.findByTestId("close-question")).toBeVisible();
  expect(twin.state.panes.has(pane)).toBe(true);
});

test("closing an idle pane is not asked", async () => {
  render(<Questions />);
  void requestClose(pane);
  await waitFor(() => expect(twin.state.panes.has(pane)).toBe(false));
  expect(screen.queryByTestId("close-question")).toBeNull();
});

test("a paste of several lines is shown before it is sent", async () => {
  render(<Questions />);
  pasteText(pane, "cd /\nrm -rf \x1b[31m*\n");
  const question = await screen.findByTestId("paste-question");
  expect(question).toHaveTextContent("Paste 2 lines?");
  expect(question).toHaveTextContent("␛[31m");
  await userEvent.click(screen.getByText("Cancel"));
  expect(twin.state.written).toEqual([]);
});

test("the paste guard can be off", () => {
  const { settings } = useSettings.getState();
  useSettings.setState({
    settings: settings && { ...settings, paste_guard: false },
  });
  render(<Questions />);
  pasteText(pane, "a\nb");
  expect(screen.queryByTestId("paste-question")).toBeNull();
});

test("a program's wish for the clipboard is asked, and granted once", async () => {
  render(<Questions />);
  twin.tell({ event: "clipboard_write", id: pane, text: "from a program" });
  expect(await screen.findByTestId("clipboard-question")).toHaveTextContent(
    "from a program",
  );
  expect(twin.state.clipboard).toBe("");
  await userEvent.click(screen.getByText("Allow once"));
  expect(twin.state.clipboard).toBe("from a program");
  expect(usePanes.getState().wishes).toEqual([]);
});
