import type { MenuItem } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import {
  cancelRun,
  markStep,
  rerunFrom,
  showStep,
  surroundings,
} from "./actions";
import { hasEnded, isTerminal, lastAttempt, type RunModel } from "./run-model";

/** What a step on the canvas offers: the ways from it, and what can be done with it. */
export function stepMenu(
  model: RunModel | undefined,
  id: string,
  show: (step: string) => void,
): (MenuItem | null)[][] {
  const step = model?.steps[id];
  if (!model || !step) return [];
  const run = model.run.id;
  const copies = [copying("Copy its name", id)];
  // A plan is no run: nothing can be done with its steps.
  if (run.startsWith("plan:"))
    return [[{ title: "Show the step", run: () => show(id) }], copies];
  const last = lastAttempt(step);
  const { pane = null, agent = null, output = null } = last ?? {};
  const atWork = !isTerminal(step.state) && step.state !== "pending";
  return [
    [
      { title: "Show the step", run: () => showStep(run, id) },
      pane === null
        ? null
        : { title: "Go to its pane", run: () => surroundings().showPane(pane) },
      agent && {
        title: "Go to its agent",
        run: () => surroundings().showAgent(agent.backend, agent.id),
      },
    ],
    [
      isTerminal(step.state)
        ? {
            title: "Rerun from here",
            run: () => void rerunFrom(run, id),
          }
        : null,
      atWork
        ? {
            title: "Cancel the step",
            run: () => void cancelRun(run, { what: "step", step: id }),
          }
        : null,
      hasEnded(model.run.state) || isTerminal(step.state)
        ? null
        : {
            title: "Skip it",
            run: () => void markStep(run, id, { mark: "skipped" }),
          },
    ],
    output === null ? copies : [...copies, copying("Copy its output", output)],
  ];
}
