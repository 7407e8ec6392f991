import type { IDockviewPanelProps } from "dockview-react";
import { useEffect, useState } from "react";
import { openAgent } from "./agents/actions";
import { keyOfAgent } from "./agents/agent-store";
import {
  asksOf,
  FLOW_FILE,
  goToStep,
  RUN,
  RUNS,
  setSurroundings,
} from "./flow/actions";
import { FlowFilePanel } from "./flow/FlowFilePanel";
import { startFlows, useFlows } from "./flow/flow-store";
import { RunPanel } from "./flow/RunPanel";
import { RunsPanel } from "./flow/RunsPanel";
import { openHistory } from "./search-in-panes";
import { setNeeds } from "./shared/needs-you";
import { useRepositories } from "./shared/repositories";
import { activePane, showPane } from "./terminal/actions";
import { usePanes } from "./terminal/pane-store";
import { showAside } from "./workspace/workspace-store";

/** Flows among panes: a step's pane is gone to, its details are on the right, what asks is among what needs the person. */
export async function startFlowsInWindow(): Promise<() => void> {
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

function useParameter(
  { api, params }: IDockviewPanelProps,
  name: string,
): string | null {
  const [shown, setShown] = useState<Record<string, unknown>>(params);
  useEffect(() => {
    const follow = api.onDidParametersChange(setShown);
    return () => follow.dispose();
  }, [api]);
  const value = shown[name];
  return typeof value === "string" ? value : null;
}

function RunView(props: IDockviewPanelProps) {
  const run = useParameter(props, "run");
  const name = useFlows((state) =>
    run === null ? undefined : state.models[run]?.run.flow,
  );
  const { api } = props;
  useEffect(() => {
    if (name !== undefined) api.setTitle(name);
  }, [api, name]);
  return run === null ? null : <RunPanel run={run} />;
}

function FileView(props: IDockviewPanelProps) {
  const path = useParameter(props, "path");
  return path === null ? null : <FlowFilePanel path={path} />;
}

/** The kinds of panels that flows have. */
export const flowViews = {
  [RUN]: RunView,
  [FLOW_FILE]: FileView,
  [RUNS]: RunsPanel,
};
