import type {
  GraphNode,
  RunState,
  Skip,
  StepKind,
  StepState,
  StepView,
} from "../bindings";
import { formatDuration } from "../shared/durations";
import type { Frame } from "./layout";
import { roundWords } from "./rounds";
import {
  asksForPerson,
  isTerminal,
  lastAttempt,
  type RunModel,
} from "./run-model";

/** What states are called, everywhere the same. */
export const STATE_WORDS: Record<StepState, string> = {
  pending: "waits",
  queued: "queued",
  running: "running",
  retry_wait: "retries",
  awaiting_approval: "needs you",
  succeeded: "succeeded",
  failed: "failed",
  timed_out: "timed out",
  rejected: "rejected",
  cancelled: "cancelled",
  skipped: "skipped",
};

export const RUN_WORDS: Record<RunState, string> = {
  running: "running",
  waiting: "needs you",
  interrupted: "interrupted",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};

export const KIND_WORDS: Record<StepKind, string> = {
  agent: "agent",
  run: "code",
  value: "value",
  approval: "approval",
  switch: "switch",
  repeat: "repeat",
};

/** Why a step did not run, in few words. */
export function skipWords(skip: Skip | null): string {
  if (!skip) return "skipped";
  switch (skip.cause) {
    case "guard_false":
      return "its condition was false";
    case "branch_not_taken":
      return skip.taken === null
        ? `${skip.origin} took no case`
        : `${skip.origin} took ${skip.taken}`;
    case "band":
      return "not in this band";
    case "all_inputs_dead":
      return `nothing that it needs ran, from ${skip.origin} on`;
    case "upstream_failed":
      return `${skip.origin} did not succeed`;
    case "rule_not_met":
      return `its rule can't be met, from ${skip.origin} on`;
    case "not_listed":
      return "its list no longer has it";
    case "user":
      return "a person skipped it";
    case "run_cancelled":
      return "the run was cancelled";
  }
}

/** What happened to a step, as a few words below its name. */
export function stepWords(step: StepView): string {
  if (step.state === "skipped") return `skipped: ${skipWords(step.skip)}`;
  if (step.state === "succeeded" && step.branch) return `took ${step.branch}`;
  const asks = asksForPerson(step);
  if (asks !== null) return `needs you: ${asks}`;
  if (step.state === "running" && lastAttempt(step)?.held != null)
    return "held open by what it left running";
  return STATE_WORDS[step.state];
}

/** The same, where it is known what the step does. */
export function stepWordsAt(
  node: GraphNode | undefined,
  step: StepView,
): string {
  return (node && roundWords(node, step)) ?? stepWords(step);
}

/** A step in one sentence, for those who don't see the picture. */
export function stepLabel(node: GraphNode, step: StepView | undefined): string {
  const parts = [node.id, KIND_WORDS[node.kind]];
  if (!step) return parts.join(", ");
  parts.push(stepWordsAt(node, step));
  if (step.attempts.length > 1 && !node.repeat)
    parts.push(`${step.attempts.length} attempts`);
  const duration = stepDuration(step);
  if (isTerminal(step.state) && duration !== null)
    parts.push(`took ${formatDuration(duration)}`);
  if (node.batch) parts.push(`batch ${node.batch}`);
  return parts.join(", ");
}

/** How long a step took, or has taken by now; `null` when it never began. */
export function stepDuration(step: StepView, now?: number): number | null {
  const last = lastAttempt(step);
  if (!last || step.state === "skipped" || step.state === "pending")
    return null;
  const end = last.ended_at ?? now;
  return end === undefined || end === null
    ? null
    : Math.max(end - last.started_at, 0);
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}

/** When, as people say it: the time today, else the day and the time. */
export function formatWhen(at: number, now = Date.now()): string {
  const date = new Date(at);
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  if (new Date(now).toDateString() === date.toDateString()) return time;
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${time}`;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.replace(/\/+$/, "").split("/").pop() || "/";
}

/** What is going on within a frame. */
export function frameWords(
  { graph, steps }: RunModel,
  { kind, name }: Pick<Frame, "kind" | "name">,
): string {
  if (kind === "batch") {
    const batch = graph.batches.find((one) => one.name === name);
    const states = batch?.steps.map((id) => steps[id]?.state ?? "pending");
    return batch && states ? batchWords(states, batch.max_concurrent) : "";
  }
  const node = graph.nodes.find((one) => one.id === name);
  if (!node?.repeat) return "";
  const step = steps[name];
  return step
    ? stepWordsAt(node, step)
    : `${node.repeat.times} round${node.repeat.times === 1 ? "" : "s"} at most`;
}

/** `2 of 3 running, limit 2`; once all have ended, how many did. */
export function batchWords(states: StepState[], limit: number): string {
  const running = states.filter((state) => state === "running").length;
  const ended = states.filter(isTerminal).length;
  if (running === 0 && ended === states.length)
    return `${ended} of ${states.length} ended, limit ${limit}`;
  return `${running} of ${states.length} running, limit ${limit}`;
}
