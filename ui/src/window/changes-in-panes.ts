import type { Command } from "../shared/commands";
import { openPanel } from "../shared/dock/dock";
import { notify } from "../shared/notices";
import { baseName } from "../shared/paths";
import { placeOfDirectory, useRepositories } from "../shared/repositories";
import { usePanes } from "../terminal/pane-store";
import { activePane } from "../terminal/pane-tabs";

/** Where changes meet panes: which worktree is meant. */

export const CHANGES = "changes";

/** Opens what a worktree changed in the dock. */
export function openChanges(worktree: string): void {
  const { repositories } = useRepositories.getState();
  const place = placeOfDirectory(repositories, worktree);
  const name = place?.worktree.branch ?? baseName(worktree);
  openPanel(
    {
      id: `${CHANGES}-${worktree}`,
      kind: CHANGES,
      title: `Changes: ${name}`,
      params: { worktree },
    },
    "roomy",
  );
}

/** Those of the worktree that the active pane works in, else of the first one that changed something. */
function openChangesHere(): void {
  const { repositories } = useRepositories.getState();
  const pane = activePane();
  const cwd = pane === null ? "" : (usePanes.getState().panes[pane]?.cwd ?? "");
  const here = placeOfDirectory(repositories, cwd)?.worktree;
  const all = repositories.flatMap(({ worktrees }) => worktrees);
  const chosen =
    here ?? all.find(({ changed_files }) => changed_files > 0) ?? all[0];
  if (chosen) openChanges(chosen.path);
  else notify("info", "No repository is in the workspace.");
}

export function changesCommands(): Command[] {
  return [
    {
      id: "changes.open",
      title: "Show what this worktree changed",
      group: "Changes",
      key: "Ctrl+Shift+M",
      run: openChangesHere,
    },
  ];
}
