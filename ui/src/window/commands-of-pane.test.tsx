import { act, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { runCommand } from "../shared/commands";
import { useClosed } from "../shared/dock/closed";
import { useDock } from "../shared/dock/dock";
import { selectedIn } from "../terminal/block-store";
import { freshBackend } from "../test-support";
import { App } from "./App";

/** How long an event may take on a machine that is busy with other things. */
const WAIT = { timeout: 10_000 };

beforeEach(() => {
  useDock.setState({ settled: false });
  useClosed.setState({ closed: [] });
});

test("the commands of a pane are listed, the last one first, and lead to where they were typed", async () => {
  const twin = freshBackend();
  render(<App />);
  await screen.findByTestId("pane-1", {}, WAIT);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  await act(async () => {
    await twin.writePane(1, "seq 12\r");
    await twin.writePane(1, "false\r");
  });
  act(() => runCommand("command.list"));
  const rows = await screen.findAllByTestId(/^go-command-at-/, {}, WAIT);
  expect(rows.map((row) => row.textContent)).toEqual([
    expect.stringMatching(/^false.*exit status 1.*0 lines/),
    expect.stringMatching(/^seq 12.*ok.*12 lines/),
  ]);
  act(() => rows[1]?.click());
  await waitFor(() => expect(selectedIn(1)).not.toBeNull(), WAIT);
});
