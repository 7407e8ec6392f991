import type {
  AttemptView,
  FlowGraph,
  RunView,
  StepKind,
  StepState,
  StepView,
} from "../bindings";
import { graphOf, type StepOf } from "./graph-of";
import type { Recording } from "./recordings";

const KINDS: StepKind[] = [
  "agent",
  "run",
  "value",
  "approval",
  "switch",
  "repeat",
];
const STATES: StepState[] = [
  "pending",
  "queued",
  "running",
  "retry_wait",
  "awaiting_approval",
  "succeeded",
  "failed",
  "timed_out",
  "rejected",
  "cancelled",
  "skipped",
];

function attemptOf(
  attempt: number,
  state: StepState,
  started_at: number,
  ended_at: number | null,
): AttemptView {
  return {
    attempt,
    state,
    queued_at: null,
    started_at,
    ended_at,
    pane: null,
    worktree: null,
    agent: null,
    needs_you: null,
    held: null,
    exit_code: ended_at === null ? null : state === "succeeded" ? 0 : 1,
    message: state === "failed" ? "it exited with 1" : null,
    output: null,
    output_file: null,
    data: null,
    prompt: null,
    asked_again: null,
    decision: null,
    question:
      state === "awaiting_approval"
        ? { kind: "approval", message: "Go on?", form: [], due: null }
        : null,
    answer: null,
    due: state === "retry_wait" ? started_at + 600_000 : null,
  };
}

/** A run that no engine made: it stands still, for looking at it. */
function drawn(
  graph: FlowGraph,
  step_list: StepView[],
  run: Partial<RunView>,
): Recording {
  const opened: RunView = {
    id: graph.name,
    flow: graph.name,
    path: `/home/you/${graph.name}.flow.yaml`,
    state: "running",
    started_at: 0,
    ended_at: null,
    steps: step_list.length,
    done: 0,
    asks: [],
    needs_you: [],
    message: null,
    nothing_ran: false,
    inputs: {},
    cwd: "/home/you",
    output: null,
    seq: 0,
    ...run,
    step_list,
  };
  const steps = Object.fromEntries(step_list.map((step) => [step.id, step]));
  return {
    text: `name: ${graph.name}\n`,
    description: null,
    inputs: [],
    graph,
    definitions: {},
    looks: [],
    plans: [],
    takes: [
      {
        name: graph.name,
        inputs: {},
        opened,
        why: {},
        moments: [],
        left: opened,
        steps,
      },
    ],
  };
}

/** A run that shows every kind of step in every state. */
export function stateSheet(now: number): Recording {
  const steps = KINDS.flatMap((kind, column) =>
    STATES.map((state, row): StepOf & { state: StepState } => ({
      id: `${kind}_${state}`,
      kind,
      state,
      needs: row === 0 ? [] : [`${KINDS[column]}_${STATES[row - 1]}`],
    })),
  );
  const graph = graphOf("states", steps);
  const step_list = steps.map(({ id, state, kind }): StepView => {
    const began = now - 42_000;
    const ended = ["succeeded", "failed", "timed_out", "rejected", "cancelled"];
    const attempts: AttemptView[] =
      state === "pending" || state === "queued" || state === "skipped"
        ? []
        : [
            attemptOf(
              1,
              state,
              began,
              ended.includes(state) ? now - 900 : null,
            ),
          ];
    if (state === "retry_wait" || (state === "failed" && kind === "run"))
      attempts.unshift(attemptOf(1, "failed", began - 9000, began - 4000));
    attempts.forEach((attempt, index) => {
      attempt.attempt = index + 1;
    });
    return {
      id,
      state,
      queued_at: state === "queued" ? now - 3000 : null,
      guard: null,
      guard_error: null,
      branch: kind === "switch" && state === "succeeded" ? "bug" : null,
      skip:
        state === "skipped"
          ? {
              cause: "branch_not_taken",
              origin: "route",
              tainted: false,
              taken: "bug",
            }
          : null,
      attempts,
    };
  });
  const run: Partial<RunView> = {
    id: "states",
    started_at: now - 60_000,
    done: 25,
  };
  return drawn(graph, step_list, run);
}

/** A flow of many steps: rows of them, each step needing one or two of the row before. */
export function manySteps(count: number, now: number): Recording {
  const wide = 20;
  const id = (row: number, column: number) => `step_${row}_${column}`;
  const steps = Array.from({ length: count }, (_, index): StepOf => {
    const row = Math.floor(index / wide);
    const column = index % wide;
    const needs =
      row === 0
        ? []
        : [
            id(row - 1, column),
            ...(index % 4 === 0 && column + 1 < wide
              ? [id(row - 1, column + 1)]
              : []),
          ];
    return { id: id(row, column), kind: index % 3 ? "run" : "agent", needs };
  });
  const graph = graphOf(`many ${count}`, steps);
  const step_list = steps.map(({ id }, index): StepView => {
    const row = Math.floor(index / wide);
    const state = row < 2 ? "succeeded" : row === 2 ? "running" : "pending";
    const began = now - (3 - row) * 10_000;
    const ended = state === "succeeded" ? began + 9000 : null;
    const attempts =
      state === "pending" ? [] : [attemptOf(1, state, began, ended)];
    return {
      id,
      state,
      queued_at: null,
      guard: null,
      guard_error: null,
      branch: null,
      skip: null,
      attempts,
    };
  });
  const run = { id: "steps", started_at: now - 30_000, done: 2 * wide };
  return drawn(graph, step_list, run);
}
