import type {
  AttemptView,
  FlowGraph,
  GraphCase,
  GraphNode,
  RunView,
  StepKind,
  StepState,
  StepView,
} from "../bindings";
import type { MemoryFlow } from "./memory-flows";

interface StepOf {
  id: string;
  kind: StepKind;
  needs?: string[];
  batch?: string;
  trigger?: GraphNode["trigger"];
  cases?: Record<string, string[]>;
  when?: string;
  allow_failure?: boolean;
  goto?: string;
  description?: string;
}

/** The picture of a flow from few words, as the engine would make it from a file. */
export function graphOf(
  name: string,
  steps: StepOf[],
  limits: Record<string, number> = {},
): FlowGraph {
  const edges: FlowGraph["edges"] = [];
  const batches = Object.entries(limits).map(([batch, max_concurrent]) => ({
    name: batch,
    max_concurrent,
    steps: steps.filter((step) => step.batch === batch).map((step) => step.id),
  }));
  const nodes = steps.map((step, index): GraphNode => {
    for (const other of steps)
      for (const [label, targets] of Object.entries(other.cases ?? {}))
        if (targets.includes(step.id))
          edges.push({ from: other.id, to: step.id, kind: "case", label });
    for (const need of step.needs ?? []) {
      const batch = batches.find((one) => `batch:${one.name}` === need);
      if (batch)
        for (const member of batch.steps)
          edges.push({ from: member, to: step.id, kind: "batch", label: null });
      else edges.push({ from: need, to: step.id, kind: "need", label: null });
    }
    if (step.goto)
      edges.push({ from: step.id, to: step.goto, kind: "goto", label: null });
    return {
      id: step.id,
      kind: step.kind,
      description: step.description ?? null,
      trigger: step.trigger ?? "all_success",
      when: step.when ?? null,
      batch: step.batch ?? null,
      allow_failure: step.allow_failure ?? false,
      cases: Object.entries(step.cases ?? {}).map(
        ([label, targets]): GraphCase => ({
          label,
          when:
            label === "default" ? null : `results.plan.data.kind == "${label}"`,
          steps: targets,
        }),
      ),
      line: index * 4 + 6,
    };
  });
  return { name, nodes, edges, batches };
}

/** The sample with which everyone begins, as the twin knows it. */
export const triage: MemoryFlow = {
  path: "/home/you/switchyard-samples/triage.flow.yaml",
  description:
    "Look at a question, route it, do the work, and ask before it is done.",
  text: `name: triage
description: Look at a question, route it, do the work, and ask before it is done.
inputs:
  question: { type: text, default: "The login button does nothing", description: What should be done }
steps:
  - id: plan
    agent: { backend: command, program: [./plan.sh] }
    prompt: "{{ inputs.question }}"
    output: { type: json, schema: { required: [kind, summary] } }

  - id: route
    needs: [plan]
    switch:
      - { case: bug,  when: results.plan.data.kind == "bug",  steps: [fix, test] }
      - { case: docs, when: results.plan.data.kind == "docs", steps: [write] }
    default: [ask]

  - { id: fix, run: echo "fixed $WHAT" }
  - { id: write, run: echo "wrote about $WHAT" }
  - id: ask
    approval: { message: "What kind of work is this?" }

  - { id: test, needs: [fix], run: echo all good }
  - id: ship
    needs: [test, write]
    approval: { message: "Ship it?", timeout: 2d, on_timeout: reject, on_reject: { goto: plan } }
  - id: done
    needs: [ship, ask]
    trigger: one_success
    value: "{{ results.test.output | default('no tests were needed') }}"
`,
  inputs: [
    {
      name: "question",
      type: "text",
      required: false,
      default: "The login button does nothing",
      values: [],
      description: "What should be done",
    },
  ],
  graph: graphOf("triage", [
    { id: "plan", kind: "agent" },
    {
      id: "route",
      kind: "switch",
      needs: ["plan"],
      cases: { bug: ["fix", "test"], docs: ["write"], default: ["ask"] },
    },
    { id: "fix", kind: "run" },
    { id: "write", kind: "run" },
    { id: "ask", kind: "approval" },
    { id: "test", kind: "run", needs: ["fix"] },
    { id: "ship", kind: "approval", needs: ["test", "write"], goto: "plan" },
    {
      id: "done",
      kind: "value",
      needs: ["ship", "ask"],
      trigger: "one_success",
    },
  ]),
  outputs: {
    plan: '{"kind": "bug", "summary": "The login button does nothing"}',
    fix: "fixed The login button does nothing\n",
    test: "\x1b[32m✔\x1b[0m 214 tests run: \x1b[1m214 passed\x1b[0m\nall good\n",
  },
  questions: {
    ship: {
      kind: "approval",
      message: "Ship The login button does nothing?",
      form: [
        {
          name: "version",
          type: "enum",
          required: true,
          default: "patch",
          values: ["patch", "minor", "major"],
          description: "What kind of release it is",
        },
      ],
      due: null,
    },
  },
  choose: (_step, inputs) =>
    String(inputs.question ?? "").includes("docs") ? "docs" : "bug",
};

export const reviews: MemoryFlow = {
  path: "/home/you/switchyard-samples/reviews.flow.yaml",
  description:
    "A fan of reviews, two at once, and one summary when all are in.",
  text: "name: reviews\nsteps:\n  - { id: summary, value: done }\n",
  graph: graphOf(
    "reviews",
    [
      { id: "correctness", kind: "run", batch: "review" },
      { id: "security", kind: "run", batch: "review" },
      { id: "speed", kind: "run", batch: "review", allow_failure: true },
      { id: "style", kind: "run", batch: "review" },
      { id: "docs", kind: "run", batch: "review" },
      { id: "summary", kind: "value", needs: ["batch:review"] },
    ],
    { review: 2 },
  ),
};

const KINDS: StepKind[] = ["agent", "run", "value", "approval", "switch"];
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
    exit_code: ended_at === null ? null : state === "succeeded" ? 0 : 1,
    message: state === "failed" ? "it exited with 1" : null,
    output: null,
    output_file: null,
    data: null,
    prompt: null,
    decision: null,
    question:
      state === "awaiting_approval"
        ? { kind: "approval", message: "Go on?", form: [], due: null }
        : null,
    answer: null,
    due: state === "retry_wait" ? started_at + 600_000 : null,
  };
}

/** A run that shows every kind of step in every state. */
export function stateSheet(now: number): { view: RunView; flow: MemoryFlow } {
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
  return {
    flow: { path: "/home/you/states.flow.yaml", text: "", graph },
    view: {
      id: "states",
      flow: "states",
      path: "/home/you/states.flow.yaml",
      state: "running",
      started_at: now - 60_000,
      ended_at: null,
      steps: steps.length,
      done: 25,
      asks: [],
      needs_you: [],
      message: null,
      nothing_ran: false,
      inputs: {},
      cwd: "/home/you",
      output: null,
      seq: 0,
      step_list,
    },
  };
}

/** A flow of many steps: rows of them, each step needing one or two of the row before. */
export function manySteps(count: number, wide = 20): MemoryFlow {
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
  return {
    path: `/home/you/many-${count}.flow.yaml`,
    text: `name: many ${count}\nsteps: []\n`,
    description: "As many steps as one would never want.",
    graph: graphOf(`many ${count}`, steps),
  };
}
