import type { FlowEvent, StepState } from "../bindings";

/** What a step did for a while. */
export type SegmentKind = "queued" | "running" | "retry" | "approval";

export interface Segment {
  kind: SegmentKind;
  from: number;
  /** `null`: it goes on. */
  to: number | null;
  attempt: number;
  /** How it ended: for the look of a running segment. */
  state: StepState | null;
}

/** What each step did when, from what happened to the run. */
export function segmentsOf(events: FlowEvent[]): Map<string, Segment[]> {
  const of = new Map<string, Segment[]>();
  const close = (step: string, at: number, state: StepState | null = null) => {
    const last = of.get(step)?.at(-1);
    if (last && last.to === null) {
      last.to = Math.max(at, last.from);
      last.state = state;
    }
  };
  const open = (
    step: string,
    kind: SegmentKind,
    at: number,
    attempt: number,
  ) => {
    close(step, at);
    const segments = of.get(step) ?? [];
    segments.push({ kind, from: at, to: null, attempt, state: null });
    of.set(step, segments);
  };
  for (const event of events) {
    switch (event.event) {
      case "step_queued":
        open(event.step, "queued", event.at, 0);
        break;
      case "step_started": {
        // A prompt that is known a moment later is told as a second start of the same attempt.
        const last = of.get(event.step)?.at(-1);
        if (
          last?.kind === "running" &&
          last.to === null &&
          last.attempt === event.attempt
        )
          break;
        open(event.step, "running", event.at, event.attempt);
        break;
      }
      case "step_asked":
        open(event.step, "approval", event.at, event.attempt);
        break;
      case "step_retries":
        close(event.step, event.at, event.ended.state);
        open(event.step, "retry", event.at, event.attempt);
        break;
      case "step_ended":
        close(event.step, event.at, event.ended.state);
        break;
      case "step_interrupted":
      case "step_skipped":
        close(event.step, event.at, "skipped");
        break;
      case "steps_reset":
        for (const step of event.steps) close(step, event.at, "skipped");
        break;
      case "run_ended":
        for (const step of of.keys()) close(step, event.at, "cancelled");
        break;
      default:
        break;
    }
  }
  return of;
}

/** A step of time that people count in, so that at most ten of them fit. */
export function tickOf(span: number): number {
  const steps = [
    100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000,
    300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000,
    86_400_000,
  ];
  return steps.find((step) => span / step <= 10) ?? Math.ceil(span / 10);
}
