import { useDock } from "../shared/dock/dock";
import { RUN } from "./actions";
import { pick, useFlows } from "./flow-store";
import type { RunModel } from "./run-model";

/** The step of a run that one looks for first: what asks, what runs, what failed, or what came last. */
function stepWorthSeeing({ run, order, steps }: RunModel): string | undefined {
  const last = (...states: string[]) =>
    order.findLast((id) => states.includes(steps[id]?.state ?? ""));
  return (
    run.asks[0] ??
    last("running", "retry_wait") ??
    last("failed", "timed_out") ??
    order.findLast((id) => (steps[id]?.attempts.length ?? 0) > 0) ??
    order[0]
  );
}

/** While a step is shown on the right side, it is one of the run that is in front: the one that was looked at there last. */
export function followFrontRun(): () => void {
  const seen = new Map<string, string>();
  /** The run that was turned to, until its step is shown. */
  let wanted: string | null = null;
  function show() {
    const { picked, models } = useFlows.getState();
    if (wanted === null) return;
    const model = models[wanted];
    if (!picked || picked.run === wanted) wanted = null;
    if (wanted === null || !model) return;
    const run = wanted;
    wanted = null;
    const step = seen.get(run) ?? stepWorthSeeing(model);
    if (step !== undefined) pick({ run, step });
  }
  const stopFlows = useFlows.subscribe(({ picked, models }, before) => {
    if (picked && picked !== before.picked) seen.set(picked.run, picked.step);
    if (models !== before.models) show();
  });
  const stopDock = useDock.subscribe(({ api, activeId }, before) => {
    if (activeId === before.activeId || activeId === null) return;
    const panel = api?.getPanel(activeId);
    const run = panel?.api.component === RUN ? panel.params?.run : null;
    wanted = typeof run === "string" ? run : null;
    show();
  });
  return () => {
    stopFlows();
    stopDock();
  };
}
