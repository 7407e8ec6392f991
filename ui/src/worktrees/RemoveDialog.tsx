import { useEffect, useState } from "react";
import { backend } from "../backend/backend";
import type { WorktreeRow } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { notify } from "../shared/notices";
import { Sentence } from "../shared/Sentence";
import { losses } from "./worktree-words";
import "./worktrees.css";

/** Says what would be lost with a worktree, and takes along what the person says, and nothing else. */
export function RemoveDialog({
  worktree,
  onClose,
}: {
  worktree: string;
  onClose: () => void;
}) {
  const [row, setRow] = useState<WorktreeRow | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [branch, setBranch] = useState(false);
  const [agreed, setAgreed] = useState<ReadonlySet<string>>(new Set());
  const [working, setWorking] = useState(false);
  useEffect(() => {
    let gone = false;
    void backend.listWorktrees(worktree).then((listed) => {
      if (gone) return;
      if (listed.status === "error") setProblem(listed.error.message);
      else setRow(listed.data.find(({ path }) => path === worktree) ?? null);
    });
    return () => {
      gone = true;
    };
  }, [worktree]);

  const lost = row ? losses(row, branch) : [];
  const ready =
    row !== null && !working && lost.every(({ id }) => agreed.has(id));

  async function remove() {
    setWorking(true);
    setProblem(null);
    const removed = await backend.removeWorktree(worktree, {
      branch,
      lose: agreed.has("files") || agreed.has("commits"),
      close: agreed.has("work"),
    });
    setWorking(false);
    if (removed.status === "error") {
      setProblem(removed.error.message);
      return;
    }
    const { path, snapshot } = removed.data;
    notify(
      "info",
      snapshot === null
        ? `Removed ${path}.`
        : `Removed ${path}. What was not committed is kept for a month: \`switchyard changes undo ${snapshot}\` gives it back to a worktree there.`,
    );
    onClose();
  }

  function agree(id: string, yes: boolean) {
    const next = new Set(agreed);
    if (yes) next.add(id);
    else next.delete(id);
    setAgreed(next);
  }

  return (
    <Dialog
      title="Remove this worktree?"
      description={
        <Sentence text={`\`${worktree}\` goes with all that is in it.`} />
      }
      onClose={onClose}
      testId="remove-worktree"
    >
      {row === null && problem === null && (
        <p className="faint">Looking at what it holds…</p>
      )}
      {row && (
        <div className="worktree-form">
          {row.branch !== null && (
            <label className="worktree-check">
              <input
                type="checkbox"
                checked={branch}
                data-testid="remove-branch"
                onChange={(event) => setBranch(event.target.checked)}
              />
              <span>
                <Sentence text={`The branch \`${row.branch}\`, too`} />
              </span>
            </label>
          )}
          {lost.length === 0 ? (
            <p data-testid="remove-nothing">
              Nothing in it is nowhere else, and nothing works there.
            </p>
          ) : (
            // biome-ignore lint/a11y/useSemanticElements: WebKit gives a fieldset that is laid out in a column too much room
            <div
              className="worktree-lost"
              role="group"
              aria-label="What goes with it"
            >
              <p className="faint">What goes with it:</p>
              {lost.map(({ id, text, hint }) => (
                <label key={id} className="worktree-check">
                  <input
                    type="checkbox"
                    checked={agreed.has(id)}
                    data-testid={`remove-${id}`}
                    onChange={(event) => agree(id, event.target.checked)}
                  />
                  <span>
                    {text}
                    {hint !== "" && <span className="faint"> {hint}</span>}
                  </span>
                </label>
              ))}
            </div>
          )}
        </div>
      )}
      {problem !== null && (
        <p className="form-problem" role="alert">
          <Sentence text={problem} />
        </p>
      )}
      <div className="dialog-buttons">
        <Button onClick={onClose}>Keep it</Button>
        <Button
          look="danger"
          disabled={!ready}
          data-testid="remove-really"
          onClick={() => void remove()}
        >
          {working ? "Removing it…" : "Remove it"}
        </Button>
      </div>
    </Dialog>
  );
}
