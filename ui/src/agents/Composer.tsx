import { type KeyboardEvent, useLayoutEffect, useRef } from "react";
import type { AgentStatus } from "../bindings";
import { Button } from "../shared/Button";
import { useDraftText } from "../shared/drafts";
import { say } from "./actions";
import { type AgentKey, isBusy } from "./agent-store";
import { draftTo } from "./conversations";
import { usePastPrompts } from "./past-prompts";

/** Where the person writes to an agent. Enter sends, Shift+Enter begins a line, Up finds what was said before. */
export function Composer({
  agent,
  status,
  asked,
  active,
}: {
  agent: AgentKey;
  status: AgentStatus | undefined;
  /** How many questions wait for an answer. */
  asked: number;
  /** Whether its panel has the focus. */
  active: boolean;
}) {
  const [draft, setDraft] = useDraftText(draftTo(agent));
  const field = useRef<HTMLTextAreaElement>(null);
  // It is as high as what is in it, up to a third of the panel.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the draft is what changes the height
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  }, [draft]);
  useLayoutEffect(() => {
    if (active) field.current?.focus({ preventScroll: true });
  }, [active]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a question that is answered goes, and the keys with it
  useLayoutEffect(() => {
    if (active && document.activeElement === document.body)
      field.current?.focus({ preventScroll: true });
  }, [active, asked]);
  const findPast = usePastPrompts(agent, setDraft);

  function onKey(event: KeyboardEvent<HTMLTextAreaElement>) {
    findPast(event);
    if (event.key !== "Enter") return;
    // With a modifier it begins a line, or is a command's own key.
    if (event.shiftKey || event.altKey || event.ctrlKey || event.metaKey)
      return;
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    void say(agent, draft);
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void say(agent, draft);
      }}
    >
      <textarea
        ref={field}
        rows={1}
        value={draft}
        aria-label="Say something to this agent"
        placeholder={
          status?.state === "needs_you"
            ? "It waits for your answer above."
            : status && isBusy(status)
              ? "Working. What you write now is said when it is done."
              : "Say something…"
        }
        data-testid="composer"
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={onKey}
      />
      <Button type="submit" look="primary" disabled={draft.trim() === ""}>
        Send
      </Button>
    </form>
  );
}
