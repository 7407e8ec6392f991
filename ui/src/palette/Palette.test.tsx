import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { listenForKeys, registerCommands, setKeys } from "../shared/commands";
import { freshBackend } from "../test-support";
import { openPalette, Palette } from "./Palette";

const run = vi.fn();
const hidden = vi.fn();

beforeEach(() => {
  freshBackend();
  run.mockClear();
  registerCommands([
    {
      id: "palette.open",
      title: "Commands",
      group: "Window",
      key: "Ctrl+Shift+P",
      run: openPalette,
    },
    {
      id: "pane.split_right",
      title: "Split right",
      group: "Panes",
      key: "Ctrl+Shift+D",
      run,
    },
    { id: "pane.new", title: "New terminal", group: "Panes", run: hidden },
    {
      id: "pane.close",
      title: "Close the pane",
      group: "Panes",
      run: hidden,
      enabled: () => false,
    },
  ]);
});

test("its key opens it; it shows what can be done, with keys; Enter does it", async () => {
  const stop = listenForKeys(window);
  render(<Palette />);
  await userEvent.keyboard("{Control>}{Shift>}P{/Shift}{/Control}");
  const input = await screen.findByTestId("palette-input");
  expect(screen.getByText("Ctrl+Shift+D")).toBeInTheDocument();
  expect(screen.queryByText("Close the pane")).toBeNull();
  await userEvent.type(input, "split{Enter}");
  await waitFor(() => expect(run).toHaveBeenCalledOnce());
  expect(screen.queryByTestId("palette")).toBeNull();
  stop();
});

test("it shows the person's own keys", async () => {
  setKeys({ "pane.split_right": "F4", "pane.new": "Ctrl+Alt+N" });
  render(<Palette />);
  act(openPalette);
  expect(await screen.findByText("F4")).toBeInTheDocument();
  expect(screen.getByText("Ctrl+Alt+N")).toBeInTheDocument();
});

test("a command is found by its words, not by letters here and there", async () => {
  render(<Palette />);
  act(openPalette);
  const input = await screen.findByTestId("palette-input");
  await userEvent.type(input, "right spl");
  expect(screen.getByText("Split right")).toBeInTheDocument();
  await userEvent.clear(input);
  await userEvent.type(input, "sprt");
  expect(screen.queryByText("Split right")).toBeNull();
});

test("what keys.json calls a command stands beside its title, and finds it", async () => {
  render(<Palette />);
  act(openPalette);
  await userEvent.type(
    await screen.findByTestId("palette-input"),
    "split_right",
  );
  const item = await screen.findByTestId("command-pane.split_right");
  expect(item).toHaveTextContent("pane.split_right");
});
