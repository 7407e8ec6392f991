import { useMemo } from "react";
import type { PaneInfo, RunInfo } from "../bindings";
import { showRun } from "../flow/actions";
import { useFlows } from "../flow/flow-store";
import { RUN_WORDS } from "../flow/words";
import type { TreeGroup, TreeItem } from "../shared/tree-item";
import { usePaneItems } from "../terminal/PaneRow";
import { closeEnded } from "../terminal/pane-life";
import { usePanes } from "../terminal/pane-store";

/** The run that a pane is a step of. The engine names such panes: `build · 3kq #1`, `build · 3kq #2 again`. */
function runOfPane(
  { role, name }: Pick<PaneInfo, "role" | "name">,
  runs: ReadonlyMap<string, RunInfo>,
): RunInfo | undefined {
  if (role === "shell") return undefined;
  const id = / · (\S+) #\d+(?: again)?$/.exec(name ?? "")?.[1];
  return id === undefined ? undefined : runs.get(id);
}

/** The panes as they stand in the sidebar, those of steps under their run. */
export function usePanesInRuns(): TreeItem[] {
  const items = usePaneItems();
  const panes = usePanes((state) => state.panes);
  const runs = useFlows((state) => state.runs);
  return useMemo(() => {
    const known = new Map(runs.map((run) => [run.id, run]));
    const groups = new Map<string, TreeGroup>();
    const byKey = new Map(
      Object.values(panes).map((pane) => [`pane-${pane.id}`, pane]),
    );
    return items.map((item) => {
      const pane = byKey.get(item.key);
      const run = pane && runOfPane(pane, known);
      if (!run) return item;
      const group = groups.get(run.id) ?? groupOf(run);
      groups.set(run.id, group);
      return { ...item, group };
    });
  }, [items, panes, runs]);
}

function groupOf(run: RunInfo): TreeGroup {
  return {
    key: `run-${run.id}`,
    title: run.flow,
    state: RUN_WORDS[run.state],
    open: () => showRun(run.id),
    closeEnded: () =>
      void closeEnded(
        (pane) => runOfPane(pane, new Map([[run.id, run]])) !== undefined,
      ),
  };
}
