import type { Command } from "../shared/commands";
import { activePanel } from "../shared/dock/dock";
import { notify } from "../shared/notices";
import {
  cancelRun,
  goToStep,
  oldestAsk,
  openSample,
  RUN,
  resumeRun,
  retryFailed,
  showRuns,
} from "./actions";
import { exportRun } from "./export";
import { useFlows } from "./flow-store";
import { hasEnded, type RunModel } from "./run-model";
import { askToStart } from "./StartDialog";

/** The run whose tab has the focus. */
function activeRun(): RunModel | null {
  const panel = activePanel();
  if (panel?.api.component !== RUN) return null;
  const run = (panel.params as { run?: unknown } | undefined)?.run;
  return typeof run === "string"
    ? (useFlows.getState().models[run] ?? null)
    : null;
}

/** Everything that can be done with flows by name. */
export function flowCommands(): Command[] {
  const group = "Flows";
  const within = (act: (model: RunModel) => void) => () => {
    const model = activeRun();
    if (model) act(model);
  };
  const when = (holds: (model: RunModel) => boolean) => () => {
    const model = activeRun();
    return model !== null && holds(model);
  };
  return [
    { id: "flow.runs", title: "Runs of flows", group, run: showRuns },
    {
      id: "flow.start",
      title: "Start a flow…",
      group,
      run: () => {
        const { files } = useFlows.getState();
        const path = activeRun()?.run.path ?? files[0]?.path;
        if (path) askToStart(path);
        else notify("info", "No flow was found in the open directories.");
      },
    },
    {
      id: "flow.sample",
      title: "Open the sample flows",
      group,
      run: () => void openSample(),
    },
    {
      id: "flow.next_approval",
      title: "Go to the approval that waits longest",
      group,
      run: () => {
        const ask = oldestAsk();
        if (ask) goToStep(ask.run, ask.step);
        else notify("info", "No approval waits for you.");
      },
    },
    {
      id: "flow.cancel",
      title: "Cancel the run",
      group,
      run: within((model) => void cancelRun(model.run.id)),
      enabled: when((model) => !hasEnded(model.run.state)),
    },
    {
      id: "flow.resume",
      title: "Resume the run",
      group,
      run: within((model) => void resumeRun(model.run.id)),
      enabled: when(
        ({ run }) => run.state === "interrupted" || run.state === "cancelled",
      ),
    },
    {
      id: "flow.retry",
      title: "Retry what failed in the run",
      group,
      run: within((model) => void retryFailed(model.run.id)),
      enabled: when((model) => model.run.state === "failed"),
    },
    {
      id: "flow.save_svg",
      title: "Save the graph as SVG",
      group,
      run: within((model) => void exportRun(model, "svg")),
      enabled: when(() => true),
    },
    {
      id: "flow.save_png",
      title: "Save the graph as PNG",
      group,
      run: within((model) => void exportRun(model, "png")),
      enabled: when(() => true),
    },
    {
      id: "flow.copy_mermaid",
      title: "Copy the graph as Mermaid",
      group,
      run: within((model) => void exportRun(model, "mermaid")),
      enabled: when(() => true),
    },
  ];
}
