import { useCallback, useEffect, useState } from "react";
import { backend } from "../backend/backend";
import type { WorktreeRow } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { notify } from "../shared/notices";
import { baseName } from "../shared/paths";
import { Sentence } from "../shared/Sentence";
import { ask } from "./asked-store";
import { losses, mergedInWords, sizeInWords } from "./worktree-words";
import "./worktrees.css";

/** The worktrees of a repository, with what each takes and holds; those that are merged can go at once. */
export function WorktreesDialog({
  directory,
  onClose,
}: {
  directory: string;
  onClose: () => void;
}) {
  const [rows, setRows] = useState<WorktreeRow[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [working, setWorking] = useState(false);
  const look = useCallback(async () => {
    const listed = await backend.listWorktrees(directory);
    if (listed.status === "ok") setRows(listed.data);
    else setProblem(listed.error.message);
  }, [directory]);
  useEffect(() => void look(), [look]);

  const merged = (rows ?? []).filter(mayBePruned);
  async function prune() {
    setWorking(true);
    const done = await backend.pruneWorktrees(directory, true);
    setWorking(false);
    if (done.status === "error") setProblem(done.error.message);
    else {
      const gone = done.data.filter(({ stays }) => stays === null);
      notify(
        "info",
        gone.length === 1
          ? "Removed 1 worktree that is merged."
          : `Removed ${gone.length} worktrees that are merged.`,
      );
    }
    await look();
  }

  return (
    <Dialog
      title="Worktrees"
      description="What each holds, and what it takes on the disk."
      onClose={onClose}
      testId="worktrees"
    >
      {rows === null && problem === null && (
        <p className="faint">Looking at them…</p>
      )}
      <ul className="worktree-list">
        {rows?.map((row) => (
          <li
            key={row.path}
            className="worktree-row"
            data-testid="worktree-row"
          >
            <div>
              <p title={row.path}>
                <b>{row.branch ?? baseName(row.path)}</b>{" "}
                <span className="faint">{mergedInWords(row)}</span>
              </p>
              <p className="faint">{detailsOf(row)}</p>
            </div>
            {row.present && <Size worktree={row.path} />}
            {!row.main && (
              <Button
                onClick={() => ask({ what: "remove", worktree: row.path })}
              >
                Remove…
              </Button>
            )}
          </li>
        ))}
      </ul>
      {problem !== null && (
        <p className="form-problem" role="alert">
          <Sentence text={problem} />
        </p>
      )}
      <div className="dialog-buttons">
        <Button
          disabled={merged.length === 0 || working}
          data-testid="worktrees-prune"
          onClick={() => void prune()}
        >
          {merged.length === 1
            ? "Remove the one that is merged"
            : `Remove the ${merged.length} that are merged`}
        </Button>
        <Button look="primary" onClick={() => ask({ what: "new", directory })}>
          New worktree…
        </Button>
      </div>
    </Dialog>
  );
}

/** Whether nothing would be lost with it and its branch. */
function mayBePruned(row: WorktreeRow): boolean {
  const merged = row.merged === "yes" || row.merged === "as_others";
  return (
    !row.main &&
    row.present &&
    row.locked === null &&
    merged &&
    losses(row, true).length === 0
  );
}

function detailsOf(row: WorktreeRow): string {
  const parts = losses(row, true).map(({ text }) => text);
  if (row.locked !== null) parts.push("locked");
  return parts.length > 0 ? parts.join(" · ") : "Nothing that is nowhere else";
}

/** What a worktree takes, as soon as it has been counted. */
function Size({ worktree }: { worktree: string }) {
  const [bytes, setBytes] = useState<number | null>(null);
  useEffect(() => {
    let gone = false;
    void backend.worktreeSize(worktree).then((size) => {
      if (!gone && size.status === "ok") setBytes(size.data);
    });
    return () => {
      gone = true;
    };
  }, [worktree]);
  return (
    <span className="worktree-size faint">
      {bytes === null ? "…" : sizeInWords(bytes)}
    </span>
  );
}
