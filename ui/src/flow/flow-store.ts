import { create } from "zustand";
import { backend } from "../backend/backend";
import type {
  FlowFile,
  FlowGraph,
  GraphNode,
  RunChange,
  RunInfo,
  RunView,
  Simulation,
  StepView,
} from "../bindings";
import { reportFailure } from "../shared/notices";
import { type Looks, looksOf } from "./looks";
import { hasEnded, modelOf, type RunModel, withChange } from "./run-model";

/** One step of one run, as the person picked it. */
export interface Picked {
  run: string;
  step: string;
}

export interface FlowsState {
  /** Newest first. */
  runs: RunInfo[];
  listed: boolean;
  files: FlowFile[];
  /** Whether flows' files were looked for somewhere. */
  searched: boolean;
  /** The runs that are looked at, or that wait for the person; and plans, which look the same. */
  models: Record<string, RunModel>;
  /** Why a run that is looked at can't be shown. */
  problems: Record<string, string>;
  picked: Picked | null;
}

export const emptyFlows: FlowsState = {
  runs: [],
  listed: false,
  files: [],
  searched: false,
  models: {},
  problems: {},
  picked: null,
};

export const useFlows = create<FlowsState>(() => emptyFlows);

const looks = new WeakMap<RunModel, Looks>();

/** Which way a run went; computed once for each state of it. */
export function looksOfModel(model: RunModel): Looks {
  const known = looks.get(model);
  if (known) return known;
  const fresh = looksOf(model.graph, model.steps);
  looks.set(model, fresh);
  return fresh;
}

const nodes = new WeakMap<FlowGraph, Map<string, GraphNode>>();

/** A step of a flow by its name. */
export function nodeOfGraph(
  graph: FlowGraph | undefined,
  id: string,
): GraphNode | undefined {
  if (!graph) return undefined;
  let byName = nodes.get(graph);
  if (!byName) {
    byName = new Map(graph.nodes.map((node) => [node.id, node]));
    nodes.set(graph, byName);
  }
  return byName.get(id);
}

/** Everything that is held, with what changed replaced. */
export function withChanges(
  state: FlowsState,
  changes: RunChange[],
): FlowsState {
  const models = { ...state.models };
  const infos = new Map(state.runs.map((info) => [info.id, info]));
  let begun: RunInfo[] = [];
  for (const change of changes) {
    const { info } = change;
    const model = models[info.id];
    if (model) models[info.id] = withChange(model, change);
    if (!infos.has(info.id)) begun = [info, ...begun];
    infos.set(info.id, info);
  }
  const runs = [...begun, ...state.runs].map(
    ({ id }) => infos.get(id) as RunInfo,
  );
  return { ...state, models, runs };
}

function infoOf(model: RunModel): RunInfo {
  const { inputs: _i, cwd: _c, output: _o, seq: _s, ...info } = model.run;
  return info;
}

/** What changed about runs while they were being opened: newer, perhaps, than what the answer says. */
const opening = new Map<string, RunChange[]>();

/** Opens a run, or looks at it anew. */
export async function openRun(run: string): Promise<boolean> {
  const meanwhile = opening.get(run) ?? [];
  opening.set(run, meanwhile);
  const [view, graph] = await Promise.all([
    backend.runOutline(run),
    backend.runGraph(run),
  ]);
  if (opening.get(run) === meanwhile) opening.delete(run);
  if (view.status === "error" || graph.status === "error") {
    const problem = view.status === "error" ? view : graph;
    const message =
      problem.status === "error" ? problem.error.message : "no answer";
    useFlows.setState(({ problems }) => ({
      problems: { ...problems, [run]: message },
    }));
    return false;
  }
  keep(view.data, graph.data);
  useFlows.setState((state) => withChanges(state, meanwhile));
  return true;
}

function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function keep(view: RunView, graph: FlowGraph): void {
  useFlows.setState((state) => {
    const known = state.models[view.id];
    // The same picture stays the same object: it is not placed anew.
    const same = known && sameJson(known.graph, graph);
    const model = modelOf(view, same ? known.graph : graph);
    const { [view.id]: _solved, ...problems } = state.problems;
    // What was told meanwhile is newer than the answer.
    if (known && known.run.seq > view.seq) return { problems };
    return {
      problems,
      models: { ...state.models, [view.id]: model },
      runs: state.runs.map((info) =>
        info.id === view.id ? infoOf(model) : info,
      ),
    };
  });
}

export async function listRuns(): Promise<void> {
  const listed = await backend.listRuns();
  if (reportFailure(listed) || listed.status === "error") return;
  const { models } = useFlows.getState();
  useFlows.setState({ runs: listed.data, listed: true });
  for (const info of listed.data) {
    const model = models[info.id];
    // Whoever drove it is gone, or its journal can't be written: nothing that changes tells that.
    if (
      model &&
      (model.run.state !== info.state || model.run.message !== info.message)
    )
      void openRun(info.id);
  }
  openWaiting(listed.data);
}

/** Opens what waits for the person: it must be known in full, to be shown and answered. */
function openWaiting(infos: RunInfo[]): void {
  const { models } = useFlows.getState();
  for (const info of infos)
    if (info.asks.length > 0 && !models[info.id] && !opening.has(info.id))
      void openRun(info.id);
}

/** How often it is looked whether the process that drives a run is still there. */
const LOOK_AGAIN_MS = 5_000;

/** Lists the runs and follows what changes about them. */
export async function startFlows(): Promise<() => void> {
  const stop = backend.onRunsChanged((changes) => {
    for (const change of changes) opening.get(change.info.id)?.push(change);
    useFlows.setState((state) => withChanges(state, changes));
    const { models } = useFlows.getState();
    for (const { info, redefined } of changes)
      if (redefined && models[info.id]) void openRun(info.id);
    openWaiting(changes.map((change) => change.info));
  });
  const again = setInterval(() => {
    const { runs } = useFlows.getState();
    if (runs.some((info) => !hasEnded(info.state))) void listRuns();
  }, LOOK_AGAIN_MS);
  await listRuns();
  return () => {
    stop();
    clearInterval(again);
  };
}

let searches = 0;

/** Looks for flows' files in these directories. Of several looks, what the last one says counts. */
export async function findFlows(directories: string[]): Promise<void> {
  searches += 1;
  const search = searches;
  const found = await backend.flowFiles(directories);
  if (found.status === "ok" && search === searches)
    useFlows.setState({
      files: found.data,
      searched: directories.length > 0,
    });
}

export function pick(picked: Picked | null): void {
  useFlows.setState({ picked });
}

/** Under which name the plan of a file is held. */
export function planKey(path: string): string {
  return `plan:${path}`;
}

/** Holds what a simulation came to as if it were a run. */
export function keepPlan(
  path: string,
  graph: FlowGraph,
  simulation: Simulation | null,
): void {
  const id = planKey(path);
  const steps: Record<string, StepView> = {};
  for (const node of graph.nodes) {
    const simulated = simulation?.steps[node.id];
    const branch =
      node.kind === "switch" && simulated?.output
        ? simulated.output.replace(/^branch:/, "")
        : null;
    steps[node.id] = {
      id: node.id,
      state: simulated?.state ?? "pending",
      branch: branch || null,
      queued_at: null,
      guard: null,
      guard_error: null,
      skip: simulated?.cause
        ? {
            cause: simulated.cause,
            origin: simulated.origin ?? node.id,
            tainted: simulated.tainted ?? false,
            taken:
              simulation?.steps[simulated.origin ?? ""]?.output?.replace(
                /^branch:/,
                "",
              ) || null,
          }
        : null,
      attempts: [],
    };
  }
  const model: RunModel = {
    run: {
      id,
      flow: graph.name,
      path,
      state: simulation?.state ?? "waiting",
      started_at: 0,
      ended_at: null,
      steps: graph.nodes.length,
      done: 0,
      asks: [],
      needs_you: [],
      message: null,
      nothing_ran: simulation?.nothing_ran ?? false,
      inputs: {},
      cwd: "",
      output: null,
      seq: Number.MAX_SAFE_INTEGER,
    },
    graph,
    steps,
    order: graph.nodes.map((node) => node.id),
  };
  useFlows.setState(({ models }) => ({ models: { ...models, [id]: model } }));
}
