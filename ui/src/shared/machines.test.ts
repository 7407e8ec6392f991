import { expect, test } from "vitest";
import { type MachineLink, panesPerMachine } from "../bindings";
import { applyMachines, machineOfPane } from "./machines";

function build(link: MachineLink) {
  return { id: 7, name: "build", way: "ssh build", link };
}

test("the number of a pane says which machine it is on", () => {
  expect(machineOfPane(3)).toBe(null);
  expect(machineOfPane(7 * panesPerMachine + 3)).toBe(7);
});

test("a machine that is there again begins another life, and one that stays there does not", () => {
  const lost: MachineLink = {
    state: "lost",
    since: 1,
    message: "it was cut",
    asks_person: false,
  };
  let state = applyMachines({ machines: [], lives: {} }, [
    build({ state: "up" }),
  ]);
  expect(state.lives[7]).toBe(1);
  state = applyMachines(state, [build({ state: "up" })]);
  expect(state.lives[7]).toBe(1);
  state = applyMachines(state, [build(lost)]);
  state = applyMachines(state, [build({ state: "up" })]);
  expect(state.lives[7]).toBe(2);
});
