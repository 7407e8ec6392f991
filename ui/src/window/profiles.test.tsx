import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { runCommand } from "../shared/commands";
import { useDock } from "../shared/dock/dock";
import { again } from "../terminal/pane-life";
import { freshBackend } from "../test-support";
import { App } from "./App";

/** How long an event may take on a machine that is busy with other things. */
const WAIT = { timeout: 10_000 };

const database = {
  program: "psql",
  args: ["shop"],
  cwd: "/home/you/shop",
  env: {},
  theme: "Ember",
  icon: "DB",
};

async function started(profiles: Record<string, typeof database>) {
  const twin = freshBackend({ settings: { profiles } });
  useDock.setState({ settled: false });
  render(<App />);
  await screen.findByTestId("pane-1", {}, WAIT);
  await waitFor(() => expect(useDock.getState().settled).toBe(true), WAIT);
  return twin;
}

test("a pane of a profile is opened by choosing it, and its tab shows its icon", async () => {
  const twin = await started({ database });
  runCommand("pane.new_profile");
  await userEvent.click(await screen.findByTestId("go-profile-database"));
  await waitFor(() => expect(twin.state.panes.size).toBe(2), WAIT);
  const info = twin.state.panes.get(2)?.info;
  // What is to run, and where, Rust takes out of the profile.
  expect(info?.profile).toBe("database");
  const tab = await screen.findByTestId("tab-2", {}, WAIT);
  expect(tab.querySelector(".tab-icon")?.textContent).toBe("DB");
});

test("the menu beside the button for a new terminal offers the profiles, and gives its pane the keys", async () => {
  const twin = await started({ database });
  await userEvent.click(screen.getAllByTestId("new-menu")[0] as Element);
  await userEvent.click(await screen.findByTestId("new-database"));
  await waitFor(() => expect(twin.state.panes.size).toBe(2), WAIT);
  expect(twin.state.panes.get(2)?.info.profile).toBe("database");
  await waitFor(
    () => expect(useDock.getState().activeId).toBe("terminal-2"),
    WAIT,
  );
});

test("a pane that is gone comes back by its profile, as long as there is one", async () => {
  await started({ database });
  expect(again({ profile: "database", name: "a" })).toMatchObject({
    name: "a",
    profile: "database",
    program: null,
  });
  expect(again({ profile: "gone", name: "a" })).not.toHaveProperty("profile");
  expect(again({ profile: null })).not.toHaveProperty("profile");
});
