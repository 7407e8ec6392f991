import { Button, IconButton } from "../shared/Button";
import { CloseIcon } from "../shared/icons";
import { sayNow } from "./actions";
import type { AgentKey } from "./agent-store";
import { takeOut, useQueue } from "./queue";

/** What is said to an agent once it is done. */
export function QueueList({
  agent,
  onEdit,
}: {
  agent: AgentKey;
  /** Puts a text back to where it can be changed. */
  onEdit: (text: string) => void;
}) {
  const { texts, held } = useQueue(agent);
  if (texts.length === 0) return null;
  return (
    <section className="queue" aria-label="Said when it is done">
      <p className="faint">
        {held ? "Waits for your word:" : "Said when it is done:"}
      </p>
      <ol>
        {texts.map((text, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same text may wait twice
          <li key={at} data-testid="queued">
            <button
              type="button"
              className="queue-text"
              title="Change it"
              onClick={() => {
                const taken = takeOut(agent, at);
                if (taken !== null) onEdit(taken);
              }}
            >
              {text}
            </button>
            <Button onClick={() => sayNow(agent, at)}>Say it now</Button>
            <IconButton label="Don't say it" onClick={() => takeOut(agent, at)}>
              <CloseIcon size={12} />
            </IconButton>
          </li>
        ))}
      </ol>
    </section>
  );
}
