import type { Backend, Result } from "../backend/backend";
import type {
  CancelWhat,
  FlowCheck,
  Mark,
  RunChange,
  RunInfo,
  RunView,
  StepView,
  Value,
} from "../bindings";
import { ESCAPES } from "./escapes";
import {
  type Asked,
  type By,
  pathOf,
  type Recording,
  type Take,
} from "./recordings";

/** A run of the twin: which take it follows, and how far it has come. */
interface MemoryRun {
  recording: Recording;
  /** The takes with the inputs of this run, told of it and of its time. */
  takes: Take[];
  take: Take;
  at: number;
  view: RunView;
  why: Record<string, string>;
}

/** What a test or the demo may do to the runs of the twin. */
export interface FlowControls {
  readonly runs: ReadonlyMap<string, Pick<MemoryRun, "view">>;
  /** The text of every flow's file. */
  readonly files: ReadonlyMap<string, string>;
  /** Puts the first take of a recording there, as it was opened. */
  addRun(recording: Recording): void;
  /** Ends the attempt of a step that runs, as it was recorded. */
  finish(
    run: string,
    step: string,
    how?: { exit_code?: number; output?: string },
  ): void;
  /** The process that drives a run is gone, and nothing tells it. */
  interrupt(run: string): void;
  /** Another program saves a flow's file. */
  saveElsewhere(path: string, text: string): void;
}

export interface MemoryFlowOptions {
  flows?: Recording[];
  /** After how many milliseconds a run goes on by itself to where a person is asked; `finish` does it when this is absent. */
  pace?: number;
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

/** A value as text that is the same for the same value. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort())
      : one,
  );
}

const same = (one: unknown, other: unknown) => textOf(one) === textOf(other);

/** The takes as a run of this name tells them that began so much later. */
function takesOf(takes: Take[], id: string, later: number): Take[] {
  const first = takes[0]?.opened.started_at ?? 0;
  const year = 365 * 24 * 3_600_000;
  return JSON.parse(JSON.stringify(takes), (name, value: unknown) => {
    if (name === "id" && value === "recorded") return id;
    const isTime =
      typeof value === "number" && value >= first && value < first + year;
    return isTime ? value + later : value;
  }) as Take[];
}

function infoOf(view: RunView): RunInfo {
  const {
    inputs: _i,
    cwd: _c,
    output: _o,
    step_list: _s,
    seq: _q,
    ...info
  } = view;
  return info;
}

/** A step in full as far as it has come: what an attempt gave is known when it has ended. */
function inFull(step: StepView, atTheEnd: StepView | undefined): StepView {
  const attempts = step.attempts.map((attempt) => {
    const full = atTheEnd?.attempts.find(
      (one) => one.attempt === attempt.attempt,
    );
    const { prompt = null, output = null, data = null } = full ?? {};
    return attempt.ended_at === null
      ? { ...attempt, prompt }
      : { ...attempt, prompt, output, data };
  });
  return { ...step, attempts };
}

function cancelled(what: CancelWhat): Asked {
  switch (what.what) {
    case "run":
      return { request: "cancel_run" };
    case "step":
      return { request: "cancel_step", step: what.step };
    case "batch":
      return { request: "cancel_batch", batch: what.batch };
  }
}

function marked(step: string, mark: Mark): Asked {
  return mark.mark === "skipped"
    ? { request: "mark_skipped", step }
    : { request: "mark_succeeded", step, output: mark.output };
}

/** The part of the twin that has flows and runs. It plays what the engine did when it was recorded, and nothing else. */
export function memoryFlows(options: MemoryFlowOptions = {}) {
  const flows = new Map<string, Recording>();
  const files = new Map<string, string>();
  const runs = new Map<string, MemoryRun>();
  const listeners = new Set<(changes: RunChange[]) => void>();
  const watchers = new Map<string, Set<(text: string) => void>>();

  function add(recording: Recording) {
    flows.set(pathOf(recording), recording);
    files.set(pathOf(recording), recording.text);
  }
  for (const recording of options.flows ?? []) add(recording);

  function begin(id: string, recording: Recording, takes: Take[]) {
    const [take] = takes;
    if (!take) throw new Error("a run follows a take");
    const { opened, why } = take;
    const run = { recording, takes, take, at: 0, view: opened, why };
    runs.set(id, run);
    const { output, step_list: steps, seq } = opened;
    tell({ info: infoOf(opened), output, steps, seq });
    goOn(run);
  }

  function tell(change: RunChange) {
    for (const listener of [...listeners]) listener([structuredClone(change)]);
  }

  /** Plays the next moment of a take with the same past that goes on so; whether there is one. */
  function play(run: MemoryRun, goesOn: (by: By) => boolean): boolean {
    const past = textOf(run.take.moments.slice(0, run.at));
    const take = [run.take, ...run.takes].find(({ moments }) => {
      const next = moments[run.at];
      return (
        next && goesOn(next.by) && textOf(moments.slice(0, run.at)) === past
      );
    });
    const moment = take?.moments[run.at];
    if (!take || !moment) return false;
    const { info, output, seq } = moment.change;
    const steps = new Map(moment.change.steps.map((step) => [step.id, step]));
    run.take = take;
    run.at += 1;
    run.why = { ...run.why, ...moment.why };
    run.view = {
      ...run.view,
      ...info,
      output,
      seq,
      step_list: run.view.step_list.map((step) => steps.get(step.id) ?? step),
    };
    tell(moment.change);
    goOn(run);
    return true;
  }

  /** Lets time move a run, when it does. */
  function goOn(run: MemoryRun) {
    const { at } = run;
    if (options.pace === undefined) return;
    setTimeout(() => {
      if (run.at === at) play(run, (by) => !("asked" in by));
    }, options.pace);
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
      const known = run.view.step_list.find((one) => one.id === step);
      return known
        ? act(run, inFull(known, run.take.steps[step]))
        : refused("bad_id", `the flow has no step \`${step}\``);
    });
  }
  function asked(id: string, what: Asked): Promise<Result<null>> {
    return withRun(id, (run) =>
      play(run, (by) => "asked" in by && same(by.asked, what))
        ? ok(null)
        : refused(
            "refused",
            `no recording tells what comes of ${textOf(what)} here`,
          ),
    );
  }

  /** What the engine said of a text; the twin can't look for itself. */
  function look(text: string): { recording?: Recording; check: FlowCheck } {
    for (const recording of flows.values()) {
      const looked = recording.looks.find(
        ({ adds }) => text === recording.text + adds,
      );
      if (!looked) continue;
      const { inputs, graph, description } = recording;
      const flow = { name: graph.name, description, inputs, graph };
      const { good, findings } = looked;
      return { recording, check: { good, findings, flow: good ? flow : null } };
    }
    const unknown: FlowCheck["findings"][number] = {
      severity: "error",
      at: { line: 1, column: 1 },
      message: "the twin does not know this text",
      hint: null,
    };
    return { check: { good: false, findings: [unknown], flow: null } };
  }

  function saved(path: string, text: string) {
    files.set(path, text);
    for (const watcher of watchers.get(path) ?? []) watcher(text);
  }

  return {
    runs,
    files,
    addRun: (recording) => {
      add(recording);
      const id = recording.takes[0]?.opened.id ?? "";
      begin(id, recording, recording.takes);
    },
    finish: (id, step, how = {}) => {
      const run = runs.get(id);
      const meant = (by: By) =>
        "ended" in by && same({ ...by, ended: step, ...how }, by);
      if (!run || !play(run, meant))
        throw new Error(`no recording of \`${id}\` has \`${step}\` end here`);
    },
    interrupt: (id) => {
      const run = runs.get(id);
      if (run) run.view = { ...run.view, state: "interrupted" };
    },
    saveElsewhere: saved,

    listRuns: () =>
      ok([...runs.values()].map((run) => infoOf(run.view)).reverse()),
    runGraph: (id) => withRun(id, (run) => ok(run.recording.graph)),
    runOutline: (id) => withRun(id, (run) => ok(structuredClone(run.view))),
    runText: (id) => withRun(id, (run) => ok(run.recording.text)),
    runStep: (id, step) =>
      withStep(id, step, (run, view) => {
        const definition = run.recording.definitions[step];
        return definition
          ? ok({
              view,
              definition,
              why: run.why[step] ?? "",
              data: view.attempts.map(({ data }) =>
                data === null ? null : JSON.stringify(data, null, 2),
              ),
            })
          : refused("bad_id", `nothing is recorded of \`${step}\``);
      }),
    stepLines: (id, step, attempt, from) =>
      withStep(id, step, (_run, { attempts }) => {
        const text =
          attempts.find((one) => one.attempt === attempt)?.output ?? "";
        const lines = text.slice(from.at).replace(ESCAPES, "").split("\n");
        // What ends with a newline has no line behind it.
        if (lines.at(-1) === "") lines.pop();
        return ok({
          lines: lines.map((line) => ({ text: line })),
          open: null,
          next: { at: text.length, style: {} },
          total: text.length,
        });
      }),
    startFlow: (path, inputs) => {
      const recording = flows.get(path);
      if (!recording) return refused("bad_file", `could not read \`${path}\``);
      const defaults = recording.inputs.map((input): [string, Value] => [
        input.name,
        input.default,
      ]);
      const given = { ...Object.fromEntries(defaults), ...inputs };
      const takes = recording.takes.filter((take) =>
        same(take.opened.inputs, given),
      );
      if (takes.length === 0)
        return refused(
          "bad_params",
          `no run of \`${recording.graph.name}\` was recorded with ${textOf(given)}`,
        );
      const id = `run${runs.size + 1}`;
      const began = takes[0]?.opened.started_at ?? 0;
      const later = options.pace === undefined ? 0 : Date.now() - began;
      begin(id, recording, takesOf(takes, id, later));
      return ok(id);
    },
    cancelRun: (id, what) => asked(id, cancelled(what)),
    resumeRun: (id) => asked(id, { request: "resume" }),
    retryFailed: (id) => asked(id, { request: "retry_failed" }),
    rerunFrom: (id, step) => asked(id, { request: "rerun_from", step }),
    markStep: (id, step, mark) => asked(id, marked(step, mark)),
    answerApproval: (id, step, given) =>
      asked(id, { request: "answer", step, given }),
    exportRun: () => refused("refused", "the twin writes no pictures as text"),

    flowFiles: () =>
      ok(
        [...flows].map(([path, { graph, description }]) => {
          const { findings } = look(files.get(path) ?? "").check;
          const error = findings.find(({ severity }) => severity === "error");
          const problem = error
            ? `${error.at.line}:${error.at.column}: error: ${error.message}`
            : null;
          return { path, name: graph.name, description, problem };
        }),
      ),
    writeSamples: () => {
      const first = flows.keys().next();
      return first.done
        ? refused("bad_file", "the twin has no samples")
        : ok(first.value);
    },
    readFlow: (path) => {
      const text = files.get(path);
      return text === undefined
        ? refused("bad_file", `could not read \`${path}\``)
        : ok(text);
    },
    writeFlow: (path, text, expected) => {
      if (files.get(path) !== expected)
        return refused(
          "refused",
          `\`${path}\` was changed by another program meanwhile; it was not written`,
        );
      saved(path, text);
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
    checkFlow: (text) => ok(look(text).check),
    simulateFlow: (text, stubs) => {
      const { recording } = look(text);
      const plan = recording?.plans.find((one) => same(one.stubs, stubs));
      return plan
        ? ok(plan.simulation)
        : refused("bad_params", "the twin knows no such plan");
    },
    savePicture: (name) => ok(`/home/you/Downloads/${name}`),
    onRunsChanged: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  } satisfies FlowControls & Partial<Backend>;
}
