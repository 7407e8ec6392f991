import type { StepState, StepView } from "../bindings";

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

/** What a step did when: each attempt waited for its place, was at work or asked a person, and was waited after. */
export function segmentsOf(step: StepView): Segment[] {
  const segments: Segment[] = [];
  const add = (
    kind: SegmentKind,
    from: number,
    to: number | null,
    attempt: number,
    state: StepState | null = null,
  ) => segments.push({ kind, from, to, attempt, state });
  step.attempts.forEach((attempt, index) => {
    const { queued_at, started_at, ended_at } = attempt;
    if (queued_at !== null) add("queued", queued_at, started_at, 0);
    const asks = attempt.question?.kind === "approval";
    add(
      asks ? "approval" : "running",
      started_at,
      ended_at,
      attempt.attempt,
      ended_at === null ? null : attempt.state,
    );
    const next = step.attempts[index + 1];
    if (ended_at !== null && attempt.due !== null && !asks)
      if (next)
        add(
          "retry",
          ended_at,
          next.queued_at ?? next.started_at,
          attempt.attempt,
        );
      else if (step.state === "retry_wait")
        add("retry", ended_at, null, attempt.attempt);
  });
  if (step.queued_at !== null) add("queued", step.queued_at, null, 0);
  return segments;
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
