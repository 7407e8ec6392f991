import type { GraphNode, StepView } from "../bindings";
import { isTerminal, lastAttempt, type RunModel } from "./run-model";

/** More rounds than that are not drawn one by one. */
const MOST_MARKS = 12;

/** The number of the round that a step which repeats is in, or ended with. */
export function roundOf(step: StepView): number {
  const judged = (lastAttempt(step)?.attempt ?? 0) - (step.earlier ?? 0);
  const waits = step.state === "pending" || step.state === "queued";
  return Math.max(judged, 0) + (waits ? 1 : 0);
}

/** Where a step which repeats stands, in few words; `null` when it never had a round. */
export function roundWords(node: GraphNode, step: StepView): string | null {
  if (!node.repeat) return null;
  const round = roundOf(step);
  const of = `round ${round} of ${node.repeat.times}`;
  switch (step.state) {
    case "pending":
    case "queued":
    case "running":
      return of;
    case "succeeded":
      return round > 0 ? `done in round ${round}` : null;
    case "failed":
      return `failed in ${of}`;
    default:
      return null;
  }
}

/** How a round is drawn: it did, it did not, nothing comes after it, it is going on, it may come. */
export type RoundMark = "done" | "missed" | "failed" | "now" | "ahead";

/** Every round that there is or may be; none when these are too many to be drawn. */
export function roundMarks(node: GraphNode, step: StepView): RoundMark[] {
  const times = node.repeat?.times ?? 0;
  if (times > MOST_MARKS) return [];
  const round = roundOf(step);
  return Array.from({ length: times }, (_, index): RoundMark => {
    if (index + 1 < round) return "missed";
    if (index + 1 > round || step.state === "skipped") return "ahead";
    if (step.state === "succeeded") return "done";
    return isTerminal(step.state) ? "failed" : "now";
  });
}

/** Of a step that is done in rounds: which attempts belong to which round of the present series. */
export function roundsOfAttempts(
  model: RunModel,
  id: string,
): Map<number, number> {
  const rounds = new Map<number, number>();
  const node = model.graph.nodes.find((one) => one.repeat?.steps.includes(id));
  const repeat = node && model.steps[node.id];
  const attempts = model.steps[id]?.attempts;
  if (!repeat || !attempts) return rounds;
  let next = 0;
  let number = 0;
  for (const judged of repeat.attempts) {
    const came = judged.round?.steps.find((one) => one.step === id);
    if (!judged.round || !came) continue;
    number = judged.round.number;
    for (; next < attempts.length; next++) {
      const attempt = attempts[next];
      if (!attempt || attempt.attempt > came.attempt) break;
      rounds.set(attempt.attempt, number);
    }
  }
  const round = roundOf(repeat);
  if (!isTerminal(repeat.state))
    for (const { attempt } of attempts.slice(next)) rounds.set(attempt, round);
  return rounds;
}
