import { openAgent } from "../agents/actions";
import { keyOfAgent } from "../agents/agent-store";
import {
  asksOf,
  FLOW_FILE,
  goToStep,
  RUN,
  RUNS,
  setSurroundings,
  showFlow,
  showRun,
} from "../flow/actions";
import { FlowFilePanel } from "../flow/FlowFilePanel";
import { FlowsSection } from "../flow/FlowsSection";
import { flowCommands } from "../flow/flow-commands";
import { startFlows, useFlows } from "../flow/flow-store";
import { RunPanel } from "../flow/RunPanel";
import { RunsPanel } from "../flow/RunsPanel";
import { StartDialog } from "../flow/StartDialog";
import { StepAside } from "../flow/StepAside";
import { formatWhen, RUN_WORDS } from "../flow/words";
import type { Destination } from "../shared/destinations";
import { useParams, useTitle } from "../shared/dock/panel";
import type { Feature } from "../shared/feature";
import { setNeeds } from "../shared/needs-you";
import { useRepositories } from "../shared/repositories";
import { usePanes } from "../terminal/pane-store";
import { activePane, showPane } from "../terminal/pane-tabs";
import { showAside } from "../workspace/workspace-store";
import { openHistory } from "./search-in-panes";

/** Flows among panes: a step's pane is gone to, its details are on the right, what asks is among what needs the person. */
async function startFlowsInWindow(): Promise<() => void> {
  setSurroundings({
    showStep: (shown) => showAside(shown ? "step" : null),
    showPane: (pane) => {
      if (usePanes.getState().panes[pane]) showPane(pane);
      else openHistory(pane, null);
    },
    showAgent: (at, id) => openAgent(keyOfAgent({ backend: at, id })),
    directories: () => {
      const { panes } = usePanes.getState();
      const active = activePane();
      const front = active === null ? undefined : panes[active]?.cwd;
      const places = useRepositories
        .getState()
        .repositories.flatMap((one) => one.worktrees.map(({ path }) => path));
      const all = [...Object.values(panes).map((pane) => pane.cwd), ...places];
      return [...new Set([...(front ? [front] : []), ...all])];
    },
  });
  const tell = () =>
    setNeeds(
      "approvals",
      asksOf(useFlows.getState()).map((ask) => ({
        id: `${ask.run}/${ask.step}`,
        kind: "approval" as const,
        title: `${ask.flow}: ${ask.step}`,
        detail: ask.message,
        since: ask.since,
        open: () => goToStep(ask.run, ask.step),
      })),
    );
  const stopAsks = useFlows.subscribe((state, before) => {
    if (state.models !== before.models) tell();
  });
  const stop = await startFlows();
  return () => {
    stop();
    stopAsks();
    setNeeds("approvals", []);
  };
}

function RunView() {
  const { run } = useParams();
  const id = typeof run === "string" ? run : null;
  useTitle(
    useFlows((state) => (id === null ? undefined : state.models[id]?.run.flow)),
  );
  return id === null ? null : <RunPanel run={id} />;
}

function FileView() {
  const { path } = useParams();
  return typeof path === "string" ? <FlowFilePanel path={path} /> : null;
}

function useFlowDestinations(): Destination[] {
  const runs = useFlows((state) => state.runs);
  const files = useFlows((state) => state.files);
  return [
    ...runs.map((run) => ({
      key: `${RUN}-${run.id}`,
      kind: "Run",
      title: run.flow,
      detail: `${RUN_WORDS[run.state]} · ${formatWhen(run.started_at)}`,
      open: () => showRun(run.id),
    })),
    ...files.map((file) => ({
      key: `${FLOW_FILE}-${file.path}`,
      kind: "Flow",
      title: file.name,
      detail: file.path,
      open: () => showFlow(file.path),
    })),
  ];
}

export const flowFeature: Feature = {
  name: "flow",
  commands: flowCommands(),
  views: {
    [RUN]: { view: RunView },
    [FLOW_FILE]: { view: FileView },
    [RUNS]: { view: RunsPanel },
  },
  sidebar: FlowsSection,
  useDestinations: useFlowDestinations,
  asides: { step: StepAside },
  dialogs: StartDialog,
  start: startFlowsInWindow,
};
