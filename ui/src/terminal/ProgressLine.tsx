import type { Progress } from "../bindings";

/** How far a pane's program says that it is: a line along what stands for the pane. */
export function ProgressLine({ progress }: { progress: Progress | null }) {
  if (!progress) return null;
  const { state, percent } = progress;
  return (
    <span
      className="progress-line"
      role="progressbar"
      aria-label={state === "running" ? "progress" : `progress, ${state}`}
      aria-valuenow={percent ?? undefined}
      data-state={state}
      data-open={percent === null}
    >
      <span style={{ width: `${percent ?? 100}%` }} />
    </span>
  );
}
