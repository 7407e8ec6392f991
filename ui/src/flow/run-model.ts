import type {
  AttemptView,
  FlowEvent,
  FlowGraph,
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

const blank: Omit<AttemptView, "attempt" | "state" | "started_at"> = {
  ended_at: null,
  pane: null,
  worktree: null,
  agent: null,
  needs_you: null,
  exit_code: null,
  message: null,
  output: null,
  output_file: null,
  data: null,
  prompt: null,
  decision: null,
  question: null,
  answer: null,
  due: null,
};

/**
 * What events make of a run. What the model knows already is left out; a step that no event is about stays the same
 * object, so that only what changed is drawn anew.
 */
export function applyEvents(model: RunModel, events: FlowEvent[]): RunModel {
  const news = events.filter(
    (event) => event.run === model.run.id && event.seq > model.run.seq,
  );
  if (news.length === 0) return model;
  const steps = { ...model.steps };
  const run = { ...model.run };
  for (const event of news) {
    run.seq = Math.max(run.seq, event.seq);
    apply(run, steps, event);
  }
  let busy = 0;
  let done = 0;
  const asks: string[] = [];
  const needsYou: string[] = [];
  for (const id of model.order) {
    const state = steps[id]?.state;
    if (!state) continue;
    if (state === "awaiting_approval") asks.push(id);
    else if (isTerminal(state)) done += 1;
    else if (state !== "pending") busy += 1;
    if (state === "running" && asksForPerson(steps[id])) needsYou.push(id);
  }
  run.done = done;
  run.asks = asks;
  run.needs_you = needsYou;
  if (run.state === "running" || run.state === "waiting")
    run.state =
      busy === needsYou.length && asks.length + needsYou.length > 0
        ? "waiting"
        : "running";
  return { ...model, run, steps };
}

function apply(
  run: RunModel["run"],
  steps: Record<string, StepView>,
  event: FlowEvent,
): void {
  const { at } = event;
  const change = (id: string, changed: Partial<StepView>) => {
    const step = steps[id];
    if (step) steps[id] = { ...step, ...changed };
  };
  const attempt = (
    id: string,
    number: number,
    changed: Partial<AttemptView>,
  ) => {
    const step = steps[id];
    if (!step || number === 0) return;
    const known = step.attempts.some((one) => one.attempt === number);
    const attempts = known
      ? step.attempts.map((one) =>
          one.attempt === number ? { ...one, ...changed } : one,
        )
      : [
          ...step.attempts,
          {
            ...blank,
            attempt: number,
            state: step.state,
            started_at: at,
            ...changed,
          },
        ];
    steps[id] = { ...step, attempts };
  };
  switch (event.event) {
    case "run_started":
      break;
    case "run_resumed":
      run.state = "running";
      run.ended_at = null;
      run.message = null;
      break;
    case "run_cancelled":
      break;
    case "run_ended":
      run.state = event.state;
      run.ended_at = at;
      run.nothing_ran = event.nothing_ran;
      run.message = event.message;
      run.output = event.output;
      break;
    case "step_queued":
      change(event.step, { state: "queued" });
      break;
    case "step_skipped":
      change(event.step, { state: "skipped", skip: event.skip });
      break;
    case "step_started":
      change(event.step, { state: "running" });
      attempt(event.step, event.attempt, { state: "running", started_at: at });
      break;
    case "step_attached":
      attempt(event.step, event.attempt, {
        pane: event.pane,
        worktree: event.worktree,
        agent: event.agent,
        needs_you: null,
      });
      break;
    case "step_needs_you":
      attempt(event.step, event.attempt, { needs_you: event.message });
      break;
    case "step_guarded":
      change(event.step, { guard: event.guard });
      break;
    case "step_asked":
      change(event.step, { state: "awaiting_approval" });
      attempt(event.step, event.attempt, {
        state: "awaiting_approval",
        question: event.question,
        due: event.question.due,
      });
      break;
    case "step_answered":
      attempt(event.step, event.attempt, { answer: event.answer });
      break;
    case "step_retries":
      attempt(event.step, event.attempt, {
        ...ended(event.ended, at),
        due: event.due,
      });
      change(event.step, { state: "retry_wait" });
      break;
    case "step_ended":
      attempt(event.step, event.attempt, {
        ...ended(event.ended, at),
        due: null,
      });
      change(event.step, {
        state: event.ended.state,
        branch: event.ended.branch,
      });
      break;
    case "step_interrupted":
      attempt(event.step, event.attempt, {
        state: "skipped",
        ended_at: at,
        message: "cut off",
      });
      change(event.step, { state: "queued" });
      break;
    case "step_late":
      attempt(event.step, event.attempt, ended(event.ended, at));
      break;
    case "steps_reset":
      for (const id of event.steps)
        change(id, {
          state: "pending",
          skip: null,
          branch: null,
          guard: null,
        });
      break;
  }
}

type Ended = Extract<FlowEvent, { event: "step_ended" }>["ended"];

function ended(end: Ended, at: number): Partial<AttemptView> {
  return {
    state: end.state,
    ended_at: at,
    exit_code: end.exit_code,
    needs_you: null,
    message: end.message,
    decision: end.decision,
  };
}
