import type {
  Finding,
  FlowGraph,
  Given,
  InputInfo,
  RunChange,
  RunView,
  Simulation,
  StepDefinition,
  StepView,
  Stubs,
  Value,
} from "../bindings";

/** A flow, what the engine says of it, and ways that runs of it went: see `tests/recordings/runs/README.md`. */
export interface Recording {
  text: string;
  description: string | null;
  inputs: InputInfo[];
  graph: FlowGraph;
  definitions: Record<string, StepDefinition>;
  looks: { adds: string; good: boolean; findings: Finding[] }[];
  plans: { stubs: Stubs; simulation: Simulation }[];
  takes: Take[];
}

/** One run, from its start to where its script leaves it. */
export interface Take {
  name: string;
  inputs: Record<string, Value>;
  opened: RunView;
  why: Record<string, string>;
  moments: Moment[];
  left: RunView;
  /** Each step in full, as it is at the end. */
  steps: Record<string, StepView>;
}

interface Moment {
  by: By;
  change: RunChange;
  /** The reasons that are others than before. */
  why: Record<string, string>;
}

/** What moved a run. */
export type By =
  | { ended: string; exit_code: number; output: string }
  | { seconds: number }
  | { asked: Asked };

/** What a person asked of a run. */
export type Asked =
  | { request: "resume" | "cancel_run" | "retry_failed" }
  | { request: "cancel_step" | "mark_skipped" | "rerun_from"; step: string }
  | { request: "cancel_batch"; batch: string }
  | { request: "mark_succeeded"; step: string; output: string }
  | { request: "answer"; step: string; given: Given };

const files = import.meta.glob<Recording>(
  "../../../tests/recordings/runs/*.json",
  { eager: true, import: "default" },
);

/** Every recording by the name of its file. */
export const recordings: ReadonlyMap<string, Recording> = new Map(
  Object.entries(files).map(([path, recording]) => [
    path.replace(/^.*\/|\.json$/g, ""),
    recording,
  ]),
);

function recordingOf(name: string): Recording {
  const recording = recordings.get(name);
  if (!recording) throw new Error(`there is no recording \`${name}\``);
  return recording;
}

/** Where the flow of a recording is, as its runs tell it. */
export function pathOf({ takes }: Recording): string {
  const path = takes[0]?.opened.path;
  if (path == null) throw new Error("a recording has a take, of a file");
  return path;
}

export const triage = recordingOf("triage");
export const reviews = recordingOf("reviews");
export const retry = recordingOf("retry");
export const release = recordingOf("release");
