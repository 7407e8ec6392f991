import { type FormEvent, useState } from "react";
import { backend } from "../backend/backend";
import type { MadeWorktree } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { useDraftFields } from "../shared/drafts";
import { notify } from "../shared/notices";
import { Sentence } from "../shared/Sentence";
import "./worktrees.css";

const EMPTY = { branch: "", base: "", path: "" };

/** Asks for the branch of a new worktree, where it begins and where it stands. */
export function NewWorktreeDialog({
  directory,
  onMade,
  onClose,
}: {
  directory: string;
  onMade: (made: MadeWorktree) => void;
  onClose: () => void;
}) {
  const { fields, setFields, forget } = useDraftFields(
    `new-worktree:${directory}`,
    EMPTY,
  );
  const [setUp, setSetUp] = useState(true);
  const [problem, setProblem] = useState<string | null>(null);
  const [working, setWorking] = useState(false);
  const { branch = "", base = "", path = "" } = fields;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setWorking(true);
    const made = await backend.makeWorktree(
      directory,
      { branch, base: base || null, path: path || null },
      setUp,
    );
    setWorking(false);
    if (made.status === "error") {
      setProblem(made.error.message);
      return;
    }
    const { left_out: leftOut } = made.data;
    if (leftOut.length > 0)
      notify("warning", `Not copied: ${leftOut.join("; ")}.`);
    forget();
    onClose();
    onMade(made.data);
  }

  const field = (name: keyof typeof EMPTY, title: string, hint: string) => (
    <label className="worktree-field">
      <span>{title}</span>
      <input
        className="text-input"
        data-testid={`worktree-${name}`}
        value={fields[name] ?? ""}
        placeholder={hint}
        spellCheck={false}
        onChange={(event) => {
          setProblem(null);
          setFields({ ...fields, [name]: event.currentTarget.value });
        }}
      />
    </label>
  );
  return (
    <Dialog
      title="New worktree"
      description="A directory of its own on a branch of its own, of the same repository."
      onClose={onClose}
      testId="new-worktree"
    >
      <form className="worktree-form" onSubmit={(event) => void submit(event)}>
        {field(
          "branch",
          "Branch",
          "Made, unless there is one that is called so",
        )}
        {field("base", "Begins at", "Where the main worktree is")}
        {field("path", "Directory", "Beside the main worktree")}
        <label className="worktree-check">
          <input
            type="checkbox"
            checked={setUp}
            data-testid="worktree-set-up"
            onChange={(event) => setSetUp(event.target.checked)}
          />
          <span>
            <Sentence text="Copy and run what `.switchyard/worktree.yaml` says" />
          </span>
        </label>
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
            disabled={branch.trim() === "" || working}
            data-testid="worktree-make"
          >
            {working ? "Making it…" : "Make it"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
