import { useMemo } from "react";
import { AgentList, useAgentItems } from "./agents/AgentList";
import { FlowsSection } from "./flow/FlowsSection";
import { newTerminal } from "./terminal/actions";
import { usePaneItems } from "./terminal/PaneRow";
import { askForFolder } from "./workspace/FolderDialog";
import { NeedsYou } from "./workspace/NeedsYou";
import { WorkspaceTree } from "./workspace/WorkspaceTree";

/** The left side: who needs the person, and the workspace with everything that works in it. */
export function Sidebar() {
  const panes = usePaneItems();
  const agents = useAgentItems();
  const items = useMemo(() => [...panes, ...agents], [panes, agents]);
  return (
    <>
      <NeedsYou />
      <WorkspaceTree
        items={items}
        onTerminal={(cwd) => void newTerminal("tab", cwd ? { cwd } : {})}
        onAddFolder={askForFolder}
      />
      <AgentList />
      <FlowsSection />
    </>
  );
}
