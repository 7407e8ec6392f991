import type {
  AttemptView,
  FlowGraph,
  RunChange,
  RunState,
  RunView,
  StepState,
  StepView,
} from "../bindings";

/** A run as the window holds it: what `RunView` says, its steps by name, and the picture of its flow. */
export interface RunModel {
  run: Omit<RunView, "step_list">;
  graph: FlowGraph;
  steps: Record<string, StepView>;
  /** The steps in the order of the file. */
  order: string[];
}

export function modelOf(view: RunView, graph: FlowGraph): RunModel {
  const { step_list, ...run } = view;
  const steps: Record<string, StepView> = {};
  for (const step of step_list) steps[step.id] = step;
  return { run, graph, steps, order: step_list.map((step) => step.id) };
}

const TERMINAL: ReadonlySet<StepState> = new Set([
  "succeeded",
  "failed",
  "timed_out",
  "rejected",
  "cancelled",
  "skipped",
]);

/** Whether nothing more comes of a step. */
export function isTerminal(state: StepState): boolean {
  return TERMINAL.has(state);
}

/** Whether a step ended as a failure to what needs it. */
export function isBad(state: StepState): boolean {
  return (
    state === "failed" ||
    state === "timed_out" ||
    state === "rejected" ||
    state === "cancelled"
  );
}

/** Whether a run has ended. */
export function hasEnded(state: RunState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

export function lastAttempt(step: StepView): AttemptView | undefined {
  return step.attempts[step.attempts.length - 1];
}

/** What the agent of a running step asks a person for; `null` when it asks for nothing. */
export function asksForPerson(step: StepView | undefined): string | null {
  if (step?.state !== "running") return null;
  return lastAttempt(step)?.needs_you ?? null;
}

/**
 * The model with what changed replaced; what is older than the model changes nothing. A step that is not named stays
 * the same object, so that only what changed is drawn anew.
 */
export function withChange(model: RunModel, change: RunChange): RunModel {
  if (change.info.id !== model.run.id || change.seq < model.run.seq)
    return model;
  const { info, output, seq } = change;
  const steps = { ...model.steps };
  // The items of a list are steps from the moment on at which it is known.
  const more = change.steps.filter((step) => !(step.id in steps));
  for (const step of change.steps) steps[step.id] = step;
  const order =
    more.length === 0
      ? model.order
      : [...model.order, ...more.map((step) => step.id)];
  return {
    ...model,
    run: { ...model.run, ...info, output, seq },
    steps,
    order,
  };
}
