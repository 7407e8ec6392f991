import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { CommandMark } from "../bindings";
import { runCommand, useCommands } from "../shared/commands";
import { useNotices } from "../shared/notices";
import { freshBackend, opened } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { BlockLayer } from "./BlockBar";
import { blockActs, blockCommands } from "./block-commands";
import { marksChanged, selectBlock, useBlocks } from "./block-store";
import { startPanes, usePanes } from "./pane-store";

let twin: MemoryBackend;
let pane: number;

/** Types a command into the twin's shell, and gives its mark. */
async function ran(line: string): Promise<CommandMark> {
  await twin.writePane(pane, `${line}\r`);
  const marks = await twin.paneMarks(pane);
  const mark =
    marks.status === "ok"
      ? marks.data.findLast(({ command }) => command === line)
      : undefined;
  if (!mark) throw new Error(`${line} is not marked`);
  return mark;
}

const told = () => useNotices.getState().notices.at(-1)?.text ?? "";

beforeEach(async () => {
  twin = freshBackend();
  pane = (await opened(twin)).id;
  await startPanes();
  useBlocks.setState({ selected: null });
});

test("the bar of the selected command copies what it is asked for", async () => {
  const mark = await ran("echo one two");
  const view = { sticky: null, selected: { mark, top: 20, bottom: 60 } };
  render(<BlockLayer pane={pane} view={view} />);
  const press = async (name: string) =>
    userEvent.click(screen.getByRole("button", { name }));
  await press("Copy the command");
  await waitFor(() => expect(twin.state.clipboard).toBe("echo one two"));
  await press("Copy its output");
  await waitFor(() => expect(twin.state.clipboard).toBe("one two"));
  await press("Copy both");
  await waitFor(() =>
    expect(twin.state.clipboard).toBe("$ echo one two\none two"),
  );
  await press("Copy to share, with directory, exit status and duration");
  await waitFor(() =>
    expect(twin.state.clipboard).toMatch(
      /^\$ echo one two\none two\n\n\[ok after \d+ ms · in ~ · /,
    ),
  );
});

test("a command is run again at the prompt, and not while a program has the keys", async () => {
  const mark = await ran("echo again");
  selectBlock(pane, mark);
  const ends = await ran("sleep 100");
  await waitFor(() => expect(usePanes.getState().panes[pane]?.busy).toBe(true));
  blockActs.runAgain({ pane, mark });
  expect(told()).toContain("can be run again when it has ended");
  blockActs.runAgain({ pane, mark: ends });
  expect(twin.state.written.map(({ data }) => data)).toEqual([
    "echo again\r",
    "sleep 100\r",
  ]);
  expect(useBlocks.getState().selected?.mark).toEqual(mark);
});

test("a command that is sticky says what it is and how it goes", async () => {
  const mark = await ran("sleep 100");
  const view = { sticky: { mark, height: 24 }, selected: null };
  render(<BlockLayer pane={pane} view={view} />);
  expect(screen.getByRole("button").textContent).toBe("sleep 100runs");
});

test("what is selected follows its marks, and is let go of with them", async () => {
  const mark = await ran("sleep 100");
  selectBlock(pane, mark);
  marksChanged(pane, [{ ...mark, exit: 3, ended_at: 5 }]);
  expect(useBlocks.getState().selected?.mark.exit).toBe(3);
  marksChanged(pane + 1, []);
  expect(useBlocks.getState().selected).not.toBeNull();
  marksChanged(pane, []);
  expect(useBlocks.getState().selected).toBeNull();
});

test("the commands act on the selected command", async () => {
  useCommands.setState({ commands: blockCommands(), keys: {} });
  const first = await ran("echo first");
  await ran("echo second");
  selectBlock(pane, first);
  runCommand("command.deselect");
  expect(useBlocks.getState().selected).toBeNull();
  expect(
    useCommands
      .getState()
      .commands.find(({ id }) => id === "command.deselect")
      ?.enabled?.(),
  ).toBe(false);
});
