import { type FormEvent, useState } from "react";
import { backend } from "../backend/backend";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { Sentence } from "../shared/Sentence";

/** Asks what a worktree's branch is to be called. */
export function RenameDialog({
  worktree,
  branch,
  onClose,
}: {
  worktree: string;
  branch: string;
  onClose: () => void;
}) {
  const [name, setName] = useState(branch);
  const [problem, setProblem] = useState<string | null>(null);
  async function submit(event: FormEvent) {
    event.preventDefault();
    const done = await backend.renameWorktree(worktree, name);
    if (done.status === "ok") onClose();
    else setProblem(done.error.message);
  }
  return (
    <Dialog
      title={`Rename the branch ${branch}`}
      description={
        <Sentence text={`Of \`${worktree}\`, which stays where it is.`} />
      }
      onClose={onClose}
      testId="rename-worktree"
    >
      <form onSubmit={(event) => void submit(event)}>
        <input
          className="text-input"
          aria-label="Name of the branch"
          data-testid="worktree-name"
          value={name}
          spellCheck={false}
          onChange={(event) => {
            setProblem(null);
            setName(event.currentTarget.value);
          }}
        />
        {problem !== null && (
          <p className="form-problem" role="alert">
            <Sentence text={problem} />
          </p>
        )}
        <div className="dialog-buttons">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            disabled={name.trim() === "" || name === branch}
          >
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
