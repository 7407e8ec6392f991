import { useState } from "react";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { likeliest, type Target } from "./targets";
import "./hand-over.css";

/** A prepared message to somebody who works in a worktree: read, changed, then handed over. */
export function HandOver({
  title,
  text,
  onText,
  targets,
  onHand,
  onClose,
  testId,
}: {
  title: string;
  text: string;
  onText: (text: string) => void;
  /** Who may be meant. */
  targets: Target[];
  /** `send`: it is entered as well, as if the person pressed Enter. */
  onHand: (target: Target, send: boolean) => void;
  onClose: () => void;
  testId: string;
}) {
  const [chosen, setChosen] = useState(() => likeliest(targets)?.id ?? "");
  const target = targets.find(({ id }) => id === chosen) ?? null;
  const empty = text.trim() === "";

  function hand(send: boolean) {
    if (target && !empty) onHand(target, send);
  }

  return (
    <Dialog
      title={title}
      description={description(target)}
      onClose={onClose}
      testId={testId}
    >
      {targets.length > 1 && (
        <select
          className="tell-target"
          aria-label="Whom to tell"
          data-testid="tell-target"
          value={chosen}
          onChange={(event) => setChosen(event.target.value)}
        >
          {targets.map(({ id, label, detail }) => (
            <option key={id} value={id}>
              {label} · {detail}
            </option>
          ))}
        </select>
      )}
      {targets.length === 1 && target && (
        <p className="tell-target-one">
          {target.label} <span className="faint">{target.detail}</span>
        </p>
      )}
      <textarea
        className="tell-text"
        aria-label="Message"
        data-testid="tell-text"
        rows={9}
        value={text}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && event.ctrlKey)
            hand(target?.shell === false);
        }}
      />
      <div className="dialog-buttons">
        <Button onClick={onClose}>Cancel</Button>
        {target?.kind === "pane" && (
          <Button
            disabled={empty}
            data-testid="tell-type"
            onClick={() => hand(false)}
          >
            Type it, I press Enter
          </Button>
        )}
        {target && !target.shell && (
          <Button
            look="primary"
            disabled={empty}
            data-testid="tell-send"
            onClick={() => hand(true)}
          >
            Send
          </Button>
        )}
      </div>
    </Dialog>
  );
}

function description(target: Target | null): string {
  if (target === null)
    return "Nobody works in this worktree: open a terminal there, or begin an agent.";
  if (target.kind === "agent")
    return "The message goes to the agent as a prompt.";
  return target.shell
    ? "A shell waits in this pane: it would take the message for a command, so it is only typed, not entered."
    : "The message is typed into the pane.";
}
