import type { MadeWorktree } from "../bindings";
import type { Command } from "../shared/commands";
import type { Feature } from "../shared/feature";
import { notify } from "../shared/notices";
import { placeOfDirectory, useRepositories } from "../shared/repositories";
import { newTerminal } from "../terminal/pane-life";
import { usePanes } from "../terminal/pane-store";
import { activePane } from "../terminal/pane-tabs";
import { ask } from "../worktrees/asked-store";
import { WorktreeDialogs } from "../worktrees/WorktreeDialogs";

/** The worktree that the active pane works in, else the first one there is. */
function worktreeHere(): string | null {
  const { repositories } = useRepositories.getState();
  const pane = activePane();
  const cwd = pane === null ? "" : (usePanes.getState().panes[pane]?.cwd ?? "");
  const here = placeOfDirectory(repositories, cwd)?.worktree;
  return here?.path ?? repositories[0]?.root ?? null;
}

function askHere(what: "new" | "list"): void {
  const directory = worktreeHere();
  if (directory !== null) ask({ what, directory });
  else notify("info", "No repository is in the workspace.");
}

const commands: Command[] = [
  {
    id: "worktree.new",
    title: "New worktree…",
    group: "Changes",
    run: () => askHere("new"),
  },
  {
    id: "worktree.list",
    title: "Worktrees…",
    group: "Changes",
    run: () => askHere("list"),
  },
];

/** A terminal in a worktree that was made; one that sets it up, where there is something to run. */
export async function goTo({ path, branch, run }: MadeWorktree): Promise<void> {
  await newTerminal("tab", {
    cwd: path,
    // Each line is said before it is run, and what fails is the last one.
    ...(run.length > 0 && {
      program: "/bin/sh",
      args: ["-exc", run.join("\n")],
      name: `Set up ${branch}`,
    }),
  });
}

function Dialogs() {
  return <WorktreeDialogs onMade={(made) => void goTo(made)} />;
}

export const worktreesFeature: Feature = {
  name: "worktrees",
  commands,
  dialogs: Dialogs,
};
