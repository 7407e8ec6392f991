import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { type MachineLink, panesPerMachine } from "../bindings";
import { useMachines } from "../shared/machines";
import { freshBackend } from "../test-support";
import { FarPane } from "./FarPane";

const pane = 7 * panesPerMachine + 3;

function shown(link: MachineLink, gone = false) {
  useMachines.setState({
    machines: [{ id: 7, name: "build", way: "ssh build", link }],
  });
  render(<FarPane pane={pane} machine={7} gone={gone} />);
}

test("a pane whose link is lost says since when and why, and offers the way back", async () => {
  const twin = freshBackend();
  shown({
    state: "lost",
    since: Date.now() - 5 * 60_000,
    message: "nothing came for 7 seconds",
    asks_person: false,
  });
  const bar = screen.getByTestId("far-pane");
  expect(bar.textContent).toContain("The link to build is lost");
  expect(bar.textContent).toContain("5 min");
  expect(bar.textContent).toContain("nothing came for 7 seconds");
  await userEvent.click(screen.getByText("Connect"));
  await waitFor(() => expect(twin.state.reached).toEqual([7]));
});

test("nothing lies over a pane that is there", () => {
  shown({ state: "up" });
  expect(screen.queryByTestId("far-pane")).toBe(null);
});

test("a pane that ended over there is told apart from one whose link is lost", () => {
  shown({ state: "up" }, true);
  expect(screen.getByTestId("far-pane").textContent).toContain(
    "This pane has ended on build",
  );
});
