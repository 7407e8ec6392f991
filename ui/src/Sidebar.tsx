import { newTerminal } from "./terminal/actions";
import { usePaneItems } from "./terminal/PaneRow";
import { askForFolder } from "./workspace/FolderDialog";
import { NeedsYou } from "./workspace/NeedsYou";
import { WorkspaceTree } from "./workspace/WorkspaceTree";

/** The left side: who needs the person, and the workspace with everything that works in it. */
export function Sidebar() {
  const panes = usePaneItems();
  return (
    <>
      <NeedsYou />
      <WorkspaceTree
        items={panes}
        onTerminal={(cwd) => void newTerminal("tab", cwd ? { cwd } : {})}
        onAddFolder={askForFolder}
      />
    </>
  );
}
