import type { MadeWorktree } from "../bindings";
import { closeAsked, useAsked } from "./asked-store";
import { NewWorktreeDialog } from "./NewWorktreeDialog";
import { RemoveDialog } from "./RemoveDialog";
import { RenameDialog } from "./RenameDialog";
import { WorktreesDialog } from "./WorktreesDialog";

/** What is asked about worktrees, over everything else. */
export function WorktreeDialogs({
  onMade,
}: {
  /** A worktree was made; what it is to run was not run yet. */
  onMade: (made: MadeWorktree) => void;
}) {
  const asked = useAsked((state) => state.asked);
  switch (asked?.what) {
    case "new":
      return (
        <NewWorktreeDialog
          directory={asked.directory}
          onMade={onMade}
          onClose={closeAsked}
        />
      );
    case "list":
      return (
        <WorktreesDialog directory={asked.directory} onClose={closeAsked} />
      );
    case "rename":
      return (
        <RenameDialog
          worktree={asked.worktree}
          branch={asked.branch}
          onClose={closeAsked}
        />
      );
    case "remove":
      return <RemoveDialog worktree={asked.worktree} onClose={closeAsked} />;
    default:
      return null;
  }
}
