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
  surroundings,
} from "../flow/actions";
import { FlowFilePanel } from "../flow/FlowFilePanel";
import { FlowsSection } from "../flow/FlowsSection";
import { FlowTab } from "../flow/FlowTab";
import { flowCommands } from "../flow/flow-commands";
import { draftOfFlow } from "../flow/flow-file";
import { followFlowFiles } from "../flow/flow-places";
import { startFlows, useFlows } from "../flow/flow-store";
import { followFrontRun } from "../flow/front-step";
import { RunPanel } from "../flow/RunPanel";
import { RunsPanel } from "../flow/RunsPanel";
import { StartDialog } from "../flow/StartDialog";
import { StepAside } from "../flow/StepAside";
import { tellUnsaved, unsavedFlows } from "../flow/unsaved";
import { baseName, formatWhen, RUN_WORDS } from "../flow/words";
import type { Destination } from "../shared/destinations";
import { useParams, useTitle } from "../shared/dock/panel";
import { hasDraft, useDrafts } from "../shared/drafts";
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
  const stopTelling = tellUnsaved();
  const stopFront = followFrontRun();
  const stopFiles = followFlowFiles(surroundings().directories, (changed) => {
    const stops = [
      usePanes.subscribe(changed),
      useRepositories.subscribe(changed),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  });
  const stop = await startFlows();
  return () => {
    stop();
    stopTelling();
    stopFront();
    stopFiles();
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
  const unsaved = useDrafts(({ drafts }) => drafts);
  const hidden = unsavedFlows(unsaved).filter(
    (path) => !files.some((file) => file.path === path),
  );
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
    ...hidden.map((path) => ({
      key: `${FLOW_FILE}-${path}`,
      kind: "Flow",
      title: baseName(path),
      detail: `not saved · ${path}`,
      open: () => showFlow(path),
    })),
  ];
}

export const flowFeature: Feature = {
  name: "flow",
  commands: flowCommands(),
  views: {
    [RUN]: { view: RunView },
    [FLOW_FILE]: {
      view: FileView,
      tab: FlowTab,
      holdsDraft: ({ path }) => hasDraft(draftOfFlow(String(path))),
    },
    [RUNS]: { view: RunsPanel },
  },
  sidebar: FlowsSection,
  useDestinations: useFlowDestinations,
  asides: { step: StepAside },
  dialogs: StartDialog,
  start: startFlowsInWindow,
};
