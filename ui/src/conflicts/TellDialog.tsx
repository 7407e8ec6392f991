import { useState } from "react";
import type { Verdict } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { useDraftText } from "../shared/drafts";
import { keyOf, message, nameOf, sideName } from "./conflict-store";
import { likeliest, type Target } from "./targets";

/** A prepared message to whoever works on one side: read, changed, then handed over. */
export function TellDialog({
  verdict,
  to,
  targets,
  onClose,
}: {
  verdict: Verdict;
  to: "left" | "right";
  targets: Target[];
  onClose: () => void;
}) {
  const [prepared] = useState(() => message(verdict, to));
  const [text, setText] = useDraftText(
    `tell:${to}/${nameOf(keyOf(verdict))}`,
    prepared,
  );
  const [chosen, setChosen] = useState(() => likeliest(targets)?.id ?? "");
  const target = targets.find(({ id }) => id === chosen) ?? null;
  const side = verdict[to];
  const empty = text.trim() === "";
  // A line's end would be an Enter to a program that does not know of pastes.
  const line = text.replace(/\s*[\r\n]+\s*/g, " ").trim();

  function hand(send: boolean) {
    if (!target || empty) return;
    onClose();
    setText(prepared);
    target.tell(line, send);
  }

  return (
    <Dialog
      title={`Tell ${sideName(side)}`}
      description={
        target?.kind === "agent"
          ? "The message goes to the agent as a prompt."
          : target?.shell
            ? "A shell waits in this pane: it would take the message for a command, so it is only typed, not entered."
            : "The message is typed into the pane as one line."
      }
      onClose={onClose}
      testId="tell-dialog"
    >
      {targets.length > 1 && (
        <select
          className="tell-target"
          aria-label="Whom to tell"
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
        onChange={(event) => setText(event.target.value)}
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
