import type { Result } from "../backend/backend";
import type { FlowsBackend } from "../backend/flows-backend";
import type {
  AttemptView,
  Finding,
  FlowGraph,
  GraphNode,
  InputInfo,
  Question,
  RunChange,
  RunInfo,
  RunState,
  RunView,
  Simulation,
  Skip,
  StepState,
  StepView,
  Stubs,
  Tried,
  Value,
} from "../bindings";

/** A flow of the twin: what a file says, and what its steps would do. */
export interface MemoryFlow {
  path: string;
  text: string;
  description?: string;
  inputs?: InputInfo[];
  graph: FlowGraph;
  /** What a step does when nobody says otherwise: succeed with this output. */
  outputs?: Record<string, string>;
  /** What an approval asks. */
  questions?: Record<string, Question>;
  /** Which case a switch takes, by label; its first one unless told otherwise. */
  choose?: (
    step: string,
    inputs: Record<string, Value>,
    outputs: Record<string, string>,
  ) => string | null;
}

interface MemoryRun {
  view: RunView;
  flow: MemoryFlow;
  /** The steps that changed since the last change was told. */
  changed: Set<string>;
  outputs: Record<string, string>;
}

/** What a test or the demo may do to the runs of the twin. */
export interface FlowControls {
  readonly runs: Map<string, MemoryRun>;
  readonly files: Map<string, MemoryFlow>;
  addFlow(flow: MemoryFlow): void;
  /** Puts a run there as it is. */
  addRun(view: RunView, flow: MemoryFlow): void;
  /** Ends the attempt of a step that runs. */
  finish(
    run: string,
    step: string,
    ended?: Partial<Pick<AttemptView, "exit_code" | "message">> & {
      state?: StepState;
      output?: string;
      retryIn?: number;
    },
  ): void;
  tellRuns(changes: RunChange[]): void;
  /** Another program saves a flow's file. */
  saveElsewhere(path: string, text: string): void;
}

export interface MemoryFlowOptions {
  flows?: MemoryFlow[];
  /** How long steps take by themselves, in milliseconds; they wait for `finish` when this is absent. */
  pace?: number;
  now?: () => number;
}

const ok = <T>(data: T): Promise<Result<T>> =>
  Promise.resolve({ status: "ok", data });
const refused = <T>(
  code: "bad_id" | "bad_params" | "bad_file" | "refused",
  message: string,
): Promise<Result<T>> =>
  Promise.resolve({
    status: "error",
    error: { code, message, position: null },
  });

const TERMINAL: StepState[] = [
  "succeeded",
  "failed",
  "timed_out",
  "rejected",
  "cancelled",
  "skipped",
];
const BAD: StepState[] = ["failed", "timed_out", "rejected", "cancelled"];

/** What the default rule says of a step: wait, run, or skip for this reason. */
function decide(
  graph: FlowGraph,
  steps: Map<string, StepView>,
  node: GraphNode,
): "wait" | "run" | Skip {
  const of = (id: string) => steps.get(id);
  const gates = graph.edges.filter(
    (edge) => edge.kind === "case" && edge.to === node.id,
  );
  if (gates.length > 0) {
    const gate = of(gates[0]?.from ?? "");
    if (!gate || !TERMINAL.includes(gate.state)) return "wait";
    if (gate.state === "skipped")
      return {
        cause: gate.skip?.tainted ? "upstream_failed" : "all_inputs_dead",
        origin: gate.skip?.origin ?? gate.id,
        tainted: gate.skip?.tainted ?? false,
        taken: null,
      };
    if (!gates.some((edge) => edge.label === gate.branch))
      return {
        cause: "branch_not_taken",
        origin: gate.id,
        tainted: false,
        taken: gate.branch,
      };
  }
  const needs = graph.edges.filter(
    (edge) =>
      (edge.kind === "need" || edge.kind === "batch") && edge.to === node.id,
  );
  let ended = 0;
  let good = 0;
  let dead: StepView | undefined;
  let bad: StepView | undefined;
  for (const edge of needs) {
    const need = of(edge.from);
    if (!need || !TERMINAL.includes(need.state)) continue;
    ended += 1;
    const mayFail = graph.nodes.find(
      (one) => one.id === edge.from,
    )?.allow_failure;
    if (need.state === "succeeded" || (BAD.includes(need.state) && mayFail))
      good += 1;
    else if (need.state === "skipped" && !need.skip?.tainted) dead ??= need;
    else bad ??= need;
  }
  const skip = (
    from: StepView,
    cause: Skip["cause"],
    tainted: boolean,
  ): Skip => ({
    cause,
    origin: from.skip?.origin ?? from.id,
    tainted,
    taken: null,
  });
  switch (node.trigger) {
    case "one_success":
      if (good > 0) return "run";
      break;
    case "all_done":
    case "all_settled":
      if (ended === needs.length) return "run";
      return "wait";
    default:
      if (bad) return skip(bad, "upstream_failed", true);
  }
  if (ended < needs.length) return "wait";
  if (good > 0 || needs.length === 0) return "run";
  if (bad) return skip(bad, "upstream_failed", true);
  return dead ? skip(dead, "all_inputs_dead", false) : "run";
}

/** The part of the twin that has flows and runs. Its engine knows the rules that the samples need. */
export function memoryFlows(
  options: MemoryFlowOptions = {},
): FlowsBackend & FlowControls {
  const now = options.now ?? Date.now;
  const files = new Map<string, MemoryFlow>();
  const runs = new Map<string, MemoryRun>();
  const listeners = new Set<(changes: RunChange[]) => void>();
  const watchers = new Map<string, Set<(text: string) => void>>();
  let seq = 0;
  let number = 1;
  for (const flow of options.flows ?? []) files.set(flow.path, flow);

  function tellRuns(changes: RunChange[]) {
    for (const listener of [...listeners]) listener(changes);
  }
  function changed(run: MemoryRun, ...steps: string[]) {
    run.view.seq = ++seq;
    for (const step of steps) run.changed.add(step);
  }
  /** Tells what changed since it was told last. */
  function tell(run: MemoryRun) {
    const steps = run.view.step_list.filter((step) => run.changed.has(step.id));
    run.changed.clear();
    const { output, seq } = run.view;
    tellRuns([structuredClone({ info: info(run.view), output, steps, seq })]);
  }
  const stepOf = (run: MemoryRun, id: string) =>
    run.view.step_list.find((step) => step.id === id);

  function begin(step: StepView, state: StepState) {
    step.attempts.push({
      attempt: step.attempts.length + 1,
      state,
      queued_at: step.queued_at,
      started_at: now(),
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
    });
    step.state = state;
    step.queued_at = null;
    return step.attempts.at(-1);
  }

  function end(
    run: MemoryRun,
    step: StepView,
    state: StepState,
    how: Partial<AttemptView> = {},
    branch: string | null = null,
  ) {
    const attempt = step.attempts.at(-1);
    if (attempt) Object.assign(attempt, { state, ended_at: now(), ...how });
    step.state = state;
    step.branch = branch;
    changed(run, step.id);
  }

  /** Lets everything begin that can, and skips what can't any more. */
  function go(run: MemoryRun) {
    const { graph } = run.flow;
    const steps = new Map(run.view.step_list.map((step) => [step.id, step]));
    for (let moved = true; moved; ) {
      moved = false;
      for (const node of graph.nodes) {
        const step = steps.get(node.id);
        if (step?.state !== "pending") continue;
        const decided = decide(graph, steps, node);
        if (decided === "wait") continue;
        moved = true;
        if (decided !== "run") {
          step.state = "skipped";
          step.skip = decided;
          changed(run, step.id);
          continue;
        }
        start(run, node, step);
      }
      for (const node of graph.nodes) {
        const step = steps.get(node.id);
        if (step?.state === "queued" && hasPlace(run, node)) {
          moved = true;
          work(run, node, step);
        }
      }
    }
    settle(run);
    tell(run);
  }

  function hasPlace(run: MemoryRun, node: GraphNode): boolean {
    const batch = run.flow.graph.batches.find((one) => one.name === node.batch);
    if (!batch) return true;
    const running = batch.steps.filter(
      (id) => stepOf(run, id)?.state === "running",
    ).length;
    return running < batch.max_concurrent;
  }

  function start(run: MemoryRun, node: GraphNode, step: StepView) {
    if (node.kind === "approval") {
      const question = run.flow.questions?.[node.id] ?? {
        kind: "approval" as const,
        message: `Go on with ${node.id}?`,
        form: [],
        due: null,
      };
      const attempt = begin(step, "awaiting_approval");
      if (attempt) Object.assign(attempt, { question, due: question.due });
      changed(run, step.id);
    } else if (node.kind === "switch") {
      begin(step, "running");
      const choose = run.flow.choose ?? (() => node.cases[0]?.label ?? null);
      const taken = choose(
        node.id,
        run.view.inputs as Record<string, Value>,
        run.outputs,
      );
      const tried: Tried[] = [];
      for (const one of node.cases) {
        if (one.when === null) continue;
        const holds = one.label === taken;
        tried.push({
          case: one.label,
          when: one.when,
          holds,
          saw: { "results.plan.data.kind": taken ?? "" },
        });
        if (holds) break;
      }
      end(run, step, "succeeded", { decision: { taken, tried } }, taken);
    } else {
      Object.assign(step, { state: "queued", queued_at: now() });
      changed(run, step.id);
    }
  }

  function work(run: MemoryRun, node: GraphNode, step: StepView) {
    const attempt = begin(step, "running");
    if (attempt && node.kind === "agent")
      attempt.prompt = `What should be done in ${node.id}?`;
    changed(run, step.id);
    if (node.kind === "value") {
      finish(run.view.id, step.id);
    } else if (options.pace !== undefined) {
      setTimeout(
        () => {
          if (step.state === "running") finish(run.view.id, step.id);
        },
        options.pace * (0.6 + ((step.id.length * 7) % 10) / 10),
      );
    }
  }

  const finish: FlowControls["finish"] = (id, stepId, ended = {}) => {
    const run = runs.get(id);
    const step = run && stepOf(run, stepId);
    if (!run || !step || step.state !== "running") return;
    const output = ended.output ?? run.flow.outputs?.[stepId] ?? "";
    run.outputs[stepId] = output;
    const state = ended.state ?? "succeeded";
    const how: Partial<AttemptView> = {
      exit_code: ended.exit_code ?? (state === "succeeded" ? 0 : 1),
      message: ended.message ?? null,
      output,
    };
    if (ended.retryIn !== undefined) {
      const attempt = step.attempts.at(-1);
      const due = now() + ended.retryIn;
      if (attempt)
        Object.assign(attempt, { state, ended_at: now(), due, ...how });
      step.state = "retry_wait";
      changed(run, step.id);
    } else {
      end(run, step, state, how);
    }
    go(run);
  };

  function settle(run: MemoryRun) {
    const states = run.view.step_list.map((step) => step.state);
    const asks = run.view.step_list
      .filter((step) => step.state === "awaiting_approval")
      .map((step) => step.id);
    run.view.asks = asks;
    run.view.done = states.filter((state) => TERMINAL.includes(state)).length;
    if (run.view.ended_at !== null) return;
    if (run.view.done === states.length) {
      const mayFail = new Set(
        run.flow.graph.nodes
          .filter((node) => node.allow_failure)
          .map((node) => node.id),
      );
      const failed = run.view.step_list.some(
        (step) =>
          !mayFail.has(step.id) &&
          (step.state === "failed" ||
            step.state === "timed_out" ||
            step.state === "rejected"),
      );
      const state: RunState = states.includes("cancelled")
        ? "cancelled"
        : failed
          ? "failed"
          : "succeeded";
      run.view.state = state;
      run.view.ended_at = now();
      run.view.nothing_ran = states.every((one) => one === "skipped");
      changed(run);
    } else {
      const busy = states.some(
        (state) =>
          state === "running" || state === "queued" || state === "retry_wait",
      );
      run.view.state = !busy && asks.length > 0 ? "waiting" : "running";
    }
  }

  function withRun<T>(
    id: string,
    act: (run: MemoryRun) => Promise<Result<T>>,
  ): Promise<Result<T>> {
    const run = runs.get(id);
    return run ? act(run) : refused("bad_id", `there is no run \`${id}\``);
  }
  function withStep<T>(
    id: string,
    step: string,
    act: (run: MemoryRun, step: StepView) => Promise<Result<T>>,
  ): Promise<Result<T>> {
    return withRun(id, (run) => {
      const known = stepOf(run, step);
      return known
        ? act(run, known)
        : refused("bad_id", `the flow has no step \`${step}\``);
    });
  }
  function reset(run: MemoryRun, ids: string[]) {
    if (run.view.ended_at !== null) {
      run.view.ended_at = null;
      run.view.state = "running";
    }
    for (const id of ids) {
      const step = stepOf(run, id);
      if (step)
        Object.assign(step, {
          state: "pending",
          skip: null,
          branch: null,
          queued_at: null,
        });
    }
    changed(run, ...ids);
    go(run);
  }
  function following(graph: FlowGraph, from: string): string[] {
    const found = new Set([from]);
    for (let grew = true; grew; ) {
      grew = false;
      for (const edge of graph.edges) {
        if (edge.kind === "goto" || !found.has(edge.from)) continue;
        if (!found.has(edge.to)) grew = true;
        found.add(edge.to);
      }
    }
    return [...found];
  }

  function info(view: RunView): RunInfo {
    const {
      inputs: _i,
      cwd: _c,
      output: _o,
      step_list: _s,
      seq: _q,
      ...rest
    } = view;
    return structuredClone(rest);
  }

  function flowOfText(text: string): MemoryFlow | undefined {
    const name = /^name:\s*(.+)$/m.exec(text)?.[1];
    return [...files.values()].find((flow) => flow.graph.name === name);
  }

  /** The mistakes that the twin knows to find: a step that is needed and not there, and a tab. */
  function findings(text: string): Finding[] {
    const ids = new Set(
      [...text.matchAll(/\bid:\s*([\w]+)/g)].map((match) => match[1]),
    );
    const found: Finding[] = [];
    for (const [index, line] of text.split("\n").entries()) {
      const needs = /needs:\s*\[([^\]]*)\]/.exec(line);
      for (const need of needs?.[1]?.split(",") ?? []) {
        const id = need.trim();
        if (id !== "" && !id.startsWith('"') && !ids.has(id))
          found.push({
            severity: "error",
            at: { line: index + 1, column: line.indexOf(id) + 1 },
            message: `there is no step \`${id}\``,
            hint: "the steps are told by their `id`",
          });
      }
      if (line.includes("\t"))
        found.push({
          severity: "error",
          at: { line: index + 1, column: line.indexOf("\t") + 1 },
          message: "a tab can't indent",
          hint: "indent with spaces",
        });
      if (/when:.*\.output\b/.test(line))
        found.push({
          severity: "warning",
          at: { line: index + 1, column: line.indexOf("when:") + 1 },
          message: "a condition on free text",
          hint: "ask for `json` and look at a field of it",
        });
    }
    return found;
  }

  function simulate(flow: MemoryFlow, stubs: Stubs): Simulation {
    const steps = new Map<string, StepView>(
      flow.graph.nodes.map((node) => [
        node.id,
        {
          id: node.id,
          state: "pending",
          skip: null,
          branch: null,
          queued_at: null,
          guard: null,
          attempts: [],
        },
      ]),
    );
    const order: string[] = [];
    const outputs: Record<string, string> = { ...flow.outputs };
    for (let moved = true; moved; ) {
      moved = false;
      for (const node of flow.graph.nodes) {
        const step = steps.get(node.id);
        if (step?.state !== "pending") continue;
        const decided = decide(flow.graph, steps, node);
        if (decided === "wait") continue;
        moved = true;
        if (decided !== "run") {
          step.state = "skipped";
          step.skip = decided;
          continue;
        }
        order.push(node.id);
        const stub = stubs.steps?.[node.id];
        if (stub?.output != null) outputs[node.id] = stub.output;
        step.state = stub?.state ?? "succeeded";
        if (node.kind !== "switch") continue;
        const chosen = stubs.switches?.[node.id];
        step.branch =
          typeof chosen === "number"
            ? (node.cases[chosen]?.label ?? null)
            : typeof chosen === "string"
              ? chosen
              : (flow.choose?.(node.id, stubs.inputs ?? {}, outputs) ??
                node.cases[0]?.label ??
                null);
      }
    }
    const views = [...steps.values()];
    return {
      state: views.some((step) => BAD.includes(step.state))
        ? "failed"
        : "succeeded",
      nothing_ran: order.length === 0,
      order,
      steps: Object.fromEntries(
        views.map((step) => [
          step.id,
          {
            state: step.state,
            attempts: step.state === "skipped" ? 0 : 1,
            ...(step.skip && {
              cause: step.skip.cause,
              origin: step.skip.origin,
              tainted: step.skip.tainted,
            }),
            ...(step.branch && { output: `branch:${step.branch}` }),
          },
        ]),
      ),
    };
  }

  return {
    runs,
    files,
    addFlow: (flow) => {
      files.set(flow.path, flow);
    },
    addRun: (view, flow) => {
      files.set(flow.path, flow);
      runs.set(view.id, { view, flow, changed: new Set(), outputs: {} });
    },
    finish,
    tellRuns,
    saveElsewhere: (path, text) => {
      const flow = files.get(path);
      if (flow) files.set(path, { ...flow, text });
      for (const watcher of watchers.get(path) ?? []) watcher(text);
    },
    listRuns: () =>
      ok(
        [...runs.values()]
          .map((run) => info(run.view))
          .sort((a, b) => b.started_at - a.started_at),
      ),
    runGraph: (id) => withRun(id, (run) => ok(run.flow.graph)),
    runOutline: (id) => withRun(id, (run) => ok(structuredClone(run.view))),
    runText: (id) => withRun(id, (run) => ok(run.flow.text)),
    runStep: (id, stepId) =>
      withStep(id, stepId, (run, step) => {
        const node = run.flow.graph.nodes.find((one) => one.id === stepId);
        return ok({
          view: structuredClone(step),
          definition: {
            kind: node?.kind ?? "run",
            text:
              node?.kind === "switch"
                ? null
                : node?.kind === "run"
                  ? `echo "${stepId} did $WHAT"\n`
                  : `{{ results.plan.data.summary }}`,
            agent: node?.kind === "agent" ? "command · sh" : null,
            env:
              node?.kind === "run"
                ? { WHAT: "{{ results.plan.data.summary }}" }
                : ({} as Record<string, string>),
            cwd: null,
            worktree: null,

            timeout: 1_800_000,
            retries: 1,
            line: node?.line ?? 1,
          },
          why: `\`${stepId}\` is ${step.state}.`,
        });
      }),
    stepOutput: (id, stepId, attempt, from) =>
      withStep(id, stepId, (_run, step) => {
        const of = step.attempts.find((one) => one.attempt === attempt);
        const text = of?.output ?? "";
        return ok({
          text: text.slice(from),
          next: text.length,
          total: text.length,
        });
      }),
    startFlow: (path, inputs) => {
      const flow = files.get(path);
      if (!flow) return refused("bad_file", `could not read \`${path}\``);
      for (const input of flow.inputs ?? [])
        if (input.required && inputs[input.name] === undefined)
          return refused("bad_params", `input \`${input.name}\` is missing`);
      const id = `run${number++}`;
      const given: Record<string, Value> = {};
      for (const input of flow.inputs ?? [])
        given[input.name] = inputs[input.name] ?? input.default ?? null;
      const run: MemoryRun = {
        flow,
        changed: new Set(),
        outputs: {},
        view: {
          id,
          flow: flow.graph.name,
          path,
          state: "running",
          started_at: now(),
          ended_at: null,
          steps: flow.graph.nodes.length,
          done: 0,
          asks: [],
          needs_you: [],
          message: null,
          nothing_ran: false,
          inputs: given,
          cwd: "/home/you",
          output: null,
          seq: 0,
          step_list: flow.graph.nodes.map((node) => ({
            id: node.id,
            state: "pending",
            skip: null,
            branch: null,
            queued_at: null,
            guard: null,
            attempts: [],
          })),
        },
      };
      runs.set(id, run);
      changed(run);
      go(run);
      return ok(id);
    },
    cancelRun: (id, what) =>
      withRun(id, (run) => {
        if (run.view.ended_at !== null)
          return refused("refused", "the run has ended already");
        for (const step of run.view.step_list) {
          const meant =
            what.what === "run" ||
            (what.what === "step" && what.step === step.id) ||
            (what.what === "batch" &&
              run.flow.graph.nodes.find((node) => node.id === step.id)
                ?.batch === what.batch);
          if (!meant || TERMINAL.includes(step.state)) continue;
          if (step.state === "pending" || step.state === "queued") {
            step.state = "skipped";
            step.skip = {
              cause: what.what === "run" ? "run_cancelled" : "user",
              origin: step.id,
              tainted: false,
              taken: null,
            };
            step.queued_at = null;
            changed(run, step.id);
          } else end(run, step, "cancelled");
        }
        go(run);
        return ok(null);
      }),
    resumeRun: (id) =>
      withRun(id, (run) => {
        run.view.state = "running";
        run.view.ended_at = null;
        changed(run);
        go(run);
        return ok(null);
      }),
    retryFailed: (id) =>
      withRun(id, (run) => {
        const failed = run.view.step_list.filter(
          (step) => BAD.includes(step.state) || step.skip?.tainted,
        );
        if (failed.length === 0)
          return refused("refused", "no step of the run has failed");
        reset(
          run,
          failed.flatMap((step) => following(run.flow.graph, step.id)),
        );
        return ok(null);
      }),
    rerunFrom: (id, stepId) =>
      withStep(id, stepId, (run) => {
        reset(run, following(run.flow.graph, stepId));
        return ok(null);
      }),
    markStep: (id, stepId, mark) =>
      withStep(id, stepId, (run, step) => {
        if (mark.mark === "succeeded") {
          begin(step, "running");
          end(run, step, "succeeded", { output: mark.output });
        } else {
          step.state = "skipped";
          step.skip = {
            cause: "user",
            origin: stepId,
            tainted: false,
            taken: null,
          };
          changed(run, stepId);
        }
        go(run);
        return ok(null);
      }),
    answerApproval: (id, stepId, given) =>
      withStep(id, stepId, (run, step) => {
        const attempt = step.attempts.at(-1);
        if (step.state !== "awaiting_approval" || !attempt)
          return refused(
            "refused",
            `\`${stepId}\` does not wait for an answer`,
          );
        for (const field of attempt.question?.form ?? [])
          if (field.required && given.form[field.name] === undefined)
            return refused(
              "bad_params",
              `the field \`${field.name}\` is missing`,
            );
        attempt.answer = given;
        end(run, step, given.approved ? "succeeded" : "rejected", {
          message: given.comment,
        });
        go(run);
        return ok(null);
      }),
    exportRun: (id) =>
      withRun(id, (run) =>
        ok(
          `flowchart TD\n${run.flow.graph.edges.map((edge) => `  s_${edge.from} --> s_${edge.to}`).join("\n")}\n`,
        ),
      ),
    flowFiles: () =>
      ok(
        [...files.values()].map((flow) => {
          const problem = findings(flow.text).find(
            (finding) => finding.severity === "error",
          );
          return {
            path: flow.path,
            name: flow.graph.name,
            description: flow.description ?? null,
            problem: problem
              ? `${problem.at.line}:${problem.at.column}: error: ${problem.message}`
              : null,
          };
        }),
      ),
    writeSamples: () => {
      const first = files.keys().next();
      return first.done
        ? refused("bad_file", "the twin has no samples")
        : ok(first.value);
    },
    readFlow: (path) => {
      const flow = files.get(path);
      return flow
        ? ok(flow.text)
        : refused("bad_file", `could not read \`${path}\``);
    },
    writeFlow: (path, text, expected) => {
      const flow = files.get(path);
      if (!flow) return refused("bad_file", `could not read \`${path}\``);
      if (flow.text !== expected)
        return refused(
          "refused",
          `\`${path}\` was changed by another program meanwhile; it was not written`,
        );
      files.set(path, { ...flow, text });
      for (const watcher of watchers.get(path) ?? []) watcher(text);
      return ok(null);
    },
    followFlow: (path, listener) => {
      const of = watchers.get(path) ?? new Set();
      of.add(listener);
      watchers.set(path, of);
      return () => {
        of.delete(listener);
      };
    },
    checkFlow: (text) => {
      const found = findings(text);
      const flow = flowOfText(text);
      const good =
        flow !== undefined && found.every((f) => f.severity !== "error");
      return ok({
        good,
        findings:
          flow === undefined && found.length === 0
            ? [
                {
                  severity: "error",
                  at: { line: 1, column: 1 },
                  message: "the twin does not know this flow",
                  hint: null,
                },
              ]
            : found,
        flow:
          good && flow
            ? {
                name: flow.graph.name,
                description: flow.description ?? null,
                inputs: flow.inputs ?? [],
                graph: flow.graph,
              }
            : null,
      });
    },
    simulateFlow: (text, stubs) => {
      const flow = flowOfText(text);
      return flow
        ? ok(simulate(flow, stubs))
        : refused("bad_file", "the twin does not know this flow");
    },
    savePicture: (name) => ok(`/home/you/Downloads/${name}`),
    onRuns: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
