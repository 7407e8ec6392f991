import { backend } from "../backend/backend";
import type { CancelWhat, Given, Mark, Value } from "../bindings";
import { openPanel, type Where } from "../shared/dock/dock";
import { notify, reportFailure } from "../shared/notices";
import { enterPlace } from "../shared/places";
import { findFlows, listRuns, openRun, pick, useFlows } from "./flow-store";
import { baseName } from "./words";

/** The kinds of panels that flows have. */
export const RUN = "flow-run";
export const FLOW_FILE = "flow-file";
export const RUNS = "flow-runs";

/** What flows ask of the rest of the window; set once, where features are put side by side. */
export interface Surroundings {
  /** Shows the picked step on the right side, or takes it away. */
  showStep(shown: boolean): void;
  /** Goes to a pane; what it printed when it is closed. */
  showPane(pane: number): void;
  /** Goes to an agent's timeline. */
  showAgent(backend: string, id: string): void;
  /** Directories that the person works in, the one in front first. */
  directories(): string[];
}

let around: Surroundings = {
  showStep() {},
  showPane() {},
  showAgent() {},
  directories: () => [],
};

export function setSurroundings(given: Surroundings): void {
  around = given;
}

export function surroundings(): Surroundings {
  return around;
}

/** Opens the graph of a run. */
export function showRun(run: string, where: Where = "roomy"): void {
  const info = useFlows.getState().runs.find((known) => known.id === run);
  openPanel(
    {
      id: `${RUN}-${run}`,
      kind: RUN,
      title: info?.flow ?? "run",
      params: { run },
    },
    where,
  );
}

/** Opens a flow's file: its text, its plan, and the start of a run. */
export function showFlow(path: string): void {
  openPanel(
    {
      id: `${FLOW_FILE}-${path}`,
      kind: FLOW_FILE,
      title: baseName(path),
      params: { path },
    },
    "roomy",
  );
}

export function showRuns(): void {
  openPanel({ id: RUNS, kind: RUNS, title: "Runs", params: {} }, "roomy");
}

/** Opens a step on the right side. */
export function showStep(run: string, step: string): void {
  pick({ run, step });
  around.showStep(true);
}

export function closeStep(): void {
  pick(null);
  around.showStep(false);
}

/** Goes to a step that asks: the graph of its run, and the step on the right side, whose question gets the keys. */
export function goToStep(run: string, step: string): void {
  showRun(run);
  showStep(run, step);
  enterPlace("aside");
}

/** Starts a run and shows it; whether it started, or what was wrong. */
export async function startRun(
  path: string,
  inputs: Record<string, Value>,
): Promise<string | null> {
  const started = await backend.startFlow(path, inputs, null);
  if (started.status === "error") return started.error.message;
  await Promise.all([openRun(started.data), listRuns()]);
  showRun(started.data);
  return null;
}

export async function cancelRun(
  run: string,
  what: CancelWhat = { what: "run" },
): Promise<void> {
  reportFailure(await backend.cancelRun(run, what));
}

export async function resumeRun(run: string): Promise<void> {
  if (!reportFailure(await backend.resumeRun(run))) await openRun(run);
}

export async function retryFailed(run: string): Promise<void> {
  reportFailure(await backend.retryFailed(run));
}

export async function rerunFrom(run: string, step: string): Promise<void> {
  reportFailure(await backend.rerunFrom(run, step));
}

export async function markStep(
  run: string,
  step: string,
  mark: Mark,
): Promise<void> {
  reportFailure(await backend.markStep(run, step, mark));
}

/** Answers a step that asks; what was wrong with the answer, if anything. */
export async function answer(
  run: string,
  step: string,
  given: Omit<Given, "by_timeout">,
): Promise<string | null> {
  const answered = await backend.answerApproval(run, step, {
    ...given,
    by_timeout: false,
  });
  return answered.status === "error" ? answered.error.message : null;
}

/** Writes the sample flows to the person's home, and opens the first. */
export async function openSample(): Promise<void> {
  const written = await backend.writeSamples();
  if (reportFailure(written) || written.status === "error") return;
  showFlow(written.data);
  void findFlows(around.directories());
  notify("info", `The sample flows are in ${directoryOf(written.data)}.`);
}

export function directoryOf(path: string): string {
  return path.replace(/\/[^/]*$/, "") || "/";
}

/** The oldest step that waits for the person, over all runs. */
export function oldestAsk(): { run: string; step: string } | null {
  let oldest: { run: string; step: string; since: number } | null = null;
  for (const ask of asksOf(useFlows.getState()))
    if (!oldest || ask.since < oldest.since) oldest = ask;
  return oldest;
}

export interface Ask {
  run: string;
  step: string;
  flow: string;
  message: string;
  since: number;
}

/** Every step that waits for the person, oldest first. */
export function asksOf({
  models,
}: Pick<ReturnType<typeof useFlows.getState>, "models">): Ask[] {
  const asks: Ask[] = [];
  for (const model of Object.values(models)) {
    const { state } = model.run;
    if (state !== "running" && state !== "waiting") continue;
    for (const step of model.run.asks) {
      const last = model.steps[step]?.attempts.at(-1);
      if (!last?.question) continue;
      asks.push({
        run: model.run.id,
        step,
        flow: model.run.flow,
        message: last.question.message,
        since: last.started_at,
      });
    }
  }
  return asks.sort((a, b) => a.since - b.since);
}

/** What a text of this kind of field means as a value; `undefined`: nothing was given. */
export function fieldValue(type: string, text: string): Value | undefined {
  if (type === "boolean") return text === "true";
  if (text === "") return undefined;
  if (type === "number" || type === "integer") {
    const number = Number(text);
    // What is no number is given as it is: the engine says what would be right.
    return Number.isNaN(number) ? text : number;
  }
  return text;
}
