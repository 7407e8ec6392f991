import { render, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { useClosed } from "../shared/dock/closed";
import { useDock } from "../shared/dock/dock";
import { requestClose } from "../terminal/pane-life";
import { usePanes } from "../terminal/pane-store";
import { freshBackend } from "../test-support";
import { App } from "./App";

/** How long an event may take on a machine that is busy with other things. */
const WAIT = { timeout: 10_000 };

test("a closed pane is remembered with the directory that it was in at the end, told of or not", async () => {
  const twin = freshBackend();
  useDock.setState({ settled: false });
  render(<App />);
  await screen.findByTestId("pane-1", {}, WAIT);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  const fake = twin.state.panes.get(1);
  if (!fake) throw new Error("the pane is open");
  fake.info = { ...fake.info, cwd: "/elsewhere" };
  expect(usePanes.getState().panes[1]?.cwd).not.toBe("/elsewhere");
  await requestClose(1);
  await waitFor(() =>
    expect(useClosed.getState().closed.at(-1)?.was).toMatchObject({
      cwd: "/elsewhere",
    }),
  );
});
