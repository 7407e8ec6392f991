import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { runCommand } from "../shared/commands";
import { useDock } from "../shared/dock/dock";
import { freshBackend } from "../test-support";
import { App } from "./App";

/** How long an event may take on a machine that is busy with other things. */
const WAIT = { timeout: 10_000 };

test("a snippet is typed into the pane in front, and waits for Enter", async () => {
  const twin = freshBackend({
    settings: { snippets: { deploy: "make it so" } },
  });
  useDock.setState({ settled: false });
  render(<App />);
  await screen.findByTestId("pane-1", {}, WAIT);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  runCommand("pane.snippet");
  await userEvent.click(await screen.findByTestId("go-snippet-deploy"));
  await waitFor(
    () =>
      expect(twin.state.written.map(({ data }) => data).join("")).toBe(
        "make it so",
      ),
    WAIT,
  );
});
