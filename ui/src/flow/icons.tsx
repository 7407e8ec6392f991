import type { RunState, StepKind, StepState } from "../bindings";
import { IconFrame } from "../shared/icons";

/** Icons of kinds and states as paths on 16 × 16, drawn with a line: the graph shows them, and so does its export. */
export const KIND_PATHS: Record<StepKind, string> = {
  // A spark.
  agent:
    "M8 2.5v3M8 10.5v3M2.5 8h3M10.5 8h3M4.4 4.4l1.6 1.6M10 10l1.6 1.6M11.6 4.4 10 6M6 10l-1.6 1.6",
  // A prompt.
  run: "m3.5 5 3 3-3 3M8.5 11.5h4",
  // Braces.
  value: "M6.5 3C4.5 3 5.5 7 3.5 8c2 1 1 5 3 5M9.5 3c2 0 1 4 3 5-2 1-1 5-3 5",
  // A person.
  approval:
    "M8 8a2.4 2.4 0 1 0 0-4.8A2.4 2.4 0 0 0 8 8ZM3.5 13.2c.5-2.4 2.3-3.4 4.5-3.4s4 1 4.5 3.4",
  // A way that goes round.
  repeat:
    "M3.5 7.5A4.5 4.5 0 0 1 11.6 5M11.8 2.4V5.2H9M12.5 8.5A4.5 4.5 0 0 1 4.4 11M4.2 13.6V10.8H7",
  // A fork.
  switch:
    "M8 13V9.5M8 9.5C8 7 4.5 7.5 4.5 4M8 9.5C8 7 11.5 7.5 11.5 4M2.8 5.6 4.5 3.8l1.7 1.8M9.8 5.6l1.7-1.8 1.7 1.8",
};

interface StateShape {
  path: string;
  filled?: boolean;
}

/** Each state has a shape of its own, so that colour is never the only difference. */
export const STATE_SHAPES: Record<StepState, StateShape> = {
  pending: { path: "M8 5.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4Z" },
  queued: { path: "M4 5h8M4 8h8M4 11h5" },
  running: { path: "M8 3a5 5 0 1 1-4.6 3" },
  retry_wait: { path: "M12.6 6A5 5 0 1 0 13 8.6M12.8 3v3.2H9.6" },
  awaiting_approval: {
    path: "M8 2.8 13.2 8 8 13.2 2.8 8 8 2.8Z",
    filled: true,
  },
  succeeded: { path: "m3.5 8.5 3 3 6-7" },
  failed: {
    path: "M8 2.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 8 2.8ZM6.2 6.2l3.6 3.6M9.8 6.2 6.2 9.8",
  },
  timed_out: {
    path: "M8 2.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 8 2.8ZM8 5v3.2l2.2 1.4",
  },
  rejected: {
    path: "M8 2.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 8 2.8ZM4.4 4.4l7.2 7.2",
  },
  cancelled: { path: "M4.8 4.8h6.4v6.4H4.8Z" },
  skipped: { path: "m4 4.5 3.5 3.5L4 11.5M8.5 4.5 12 8l-3.5 3.5" },
};

export function Shape({ path, filled, size }: StateShape & { size?: number }) {
  return (
    <IconFrame size={size} filled={filled}>
      <path d={path} />
    </IconFrame>
  );
}

export function StepIcon({ state, size }: { state: StepState; size?: number }) {
  return (
    <span className="step-state-icon" data-state={state}>
      <Shape {...STATE_SHAPES[state]} size={size} />
    </span>
  );
}

const RUN_AS: Record<RunState, StepState> = {
  running: "running",
  waiting: "awaiting_approval",
  interrupted: "cancelled",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};

export function RunIcon({ state, size }: { state: RunState; size?: number }) {
  return <StepIcon state={RUN_AS[state]} size={size} />;
}
