import { useMemo } from "react";
import { newTerminal } from "../terminal/pane-life";
import { askForFolder } from "../workspace/FolderDialog";
import { NeedsYou } from "../workspace/NeedsYou";
import { WorkspaceTree } from "../workspace/WorkspaceTree";
import { ask } from "../worktrees/asked-store";
import { openChanges } from "./changes-in-panes";
import { features } from "./features";

const itemHooks = features.flatMap(({ useItems }) => useItems ?? []);

/** The left side: who needs the person, the workspace with everything that works in it, and each feature's section. */
export function Sidebar() {
  // biome-ignore lint/correctness/useHookAtTopLevel: the features are the same ones at every draw
  const lists = itemHooks.map((useItems) => useItems());
  // biome-ignore lint/correctness/useExhaustiveDependencies: as many lists as there are features with rows
  const items = useMemo(() => lists.flat(), lists);
  return (
    <>
      <NeedsYou />
      <WorkspaceTree
        items={items}
        onTerminal={(cwd) => void newTerminal("tab", cwd ? { cwd } : {})}
        onMachine={(machine) => void newTerminal("tab", {}, machine)}
        onAddFolder={askForFolder}
        onChanges={openChanges}
        onWorktree={ask}
      />
      {features.map(
        ({ sidebar: Section, name }) => Section && <Section key={name} />,
      )}
    </>
  );
}
