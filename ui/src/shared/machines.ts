import { create } from "zustand";
import { backend } from "../backend/backend";
import {
  type MachineId,
  type MachineView,
  type PaneId,
  panesPerMachine,
} from "../bindings";
import { notify, reportFailure } from "./notices";

export interface MachinesState {
  /** The machines beside this one, by their names. */
  machines: MachineView[];
  /** How often each was there again: what was attached to it attaches anew. */
  lives: Record<MachineId, number>;
}

export const useMachines = create<MachinesState>(() => ({
  machines: [],
  lives: {},
}));

/** The machine of a pane; `null`: this one. */
export function machineOfPane(pane: PaneId): MachineId | null {
  return pane < panesPerMachine ? null : Math.floor(pane / panesPerMachine);
}

export function machineOf(
  { machines }: Pick<MachinesState, "machines">,
  id: MachineId | null,
): MachineView | null {
  return machines.find((machine) => machine.id === id) ?? null;
}

/** What is shown once the machines are as told: one that is there again begins another life. */
export function applyMachines(
  before: MachinesState,
  machines: MachineView[],
): MachinesState {
  const lives = { ...before.lives };
  for (const { id, link } of machines) {
    const was = machineOf(before, id)?.link.state;
    if (link.state === "up" && was !== "up") lives[id] = (lives[id] ?? 0) + 1;
  }
  return { machines, lives };
}

/** Lists the machines and follows what becomes of their links. */
export async function startMachines(): Promise<() => void> {
  const told = (machines: MachineView[]) =>
    useMachines.setState((state) => applyMachines(state, machines));
  const stop = backend.onMachinesChanged(told);
  const listed = await backend.listMachines();
  if (listed.status === "ok") told(listed.data);
  return stop;
}

/** Makes the link to a machine, because a person asked for it. */
export async function reach(machine: MachineId): Promise<void> {
  reportFailure(await backend.reachMachine(machine));
}

/** Makes the link to a machine that something of the session is on; what comes of it is shown where that is. */
export function reachQuietly(machine: MachineId): void {
  void backend.reachMachine(machine);
}

/** Says that nothing can be opened on a machine before it was reached, and reaches it. */
export async function reached(machine: MachineId): Promise<boolean> {
  const done = await backend.reachMachine(machine);
  if (done.status === "error") notify("error", done.error.message);
  return done.status === "ok";
}
