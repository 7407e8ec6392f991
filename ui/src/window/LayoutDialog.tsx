import { type FormEvent, useState } from "react";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { Sentence } from "../shared/Sentence";
import { panesOf } from "./layout-tree";
import { saveArrangement, useNaming } from "./layouts";

/** Asks what an arrangement is to be called. */
export function LayoutDialog() {
  const layout = useNaming((state) => state.layout);
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  if (!layout) return null;
  const close = () => {
    setProblem(null);
    useNaming.setState({ layout: null });
  };
  async function submit(event: FormEvent) {
    event.preventDefault();
    const wrong = await saveArrangement(name);
    setProblem(wrong);
    if (wrong === null) setName("");
  }
  const { length } = panesOf(layout.tree);
  const what =
    length === 1
      ? `1 pane in \`${layout.root}\`, with its name and directory`
      : `${length} panes in \`${layout.root}\`, with their splits, names and directories`;
  return (
    <Dialog
      title="Save the arrangement"
      description={
        <Sentence text={`${what}. One that is called the same is replaced.`} />
      }
      onClose={close}
      testId="layout-dialog"
    >
      <form onSubmit={(event) => void submit(event)}>
        <input
          className="text-input"
          aria-label="Name of the layout"
          data-testid="layout-name"
          placeholder="A name"
          value={name}
          maxLength={80}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {problem !== null && (
          <p className="form-problem" role="alert">
            <Sentence text={problem} />
          </p>
        )}
        <div className="dialog-buttons">
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" look="primary" disabled={name.trim() === ""}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
