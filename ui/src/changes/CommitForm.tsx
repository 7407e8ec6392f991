import { type FormEvent, type KeyboardEvent, useState } from "react";
import { backend } from "../backend/backend";
import type { View, WorktreeChanges } from "../bindings";
import { Button } from "../shared/Button";
import { useDraftText } from "../shared/drafts";
import { notify } from "../shared/notices";
import { touched } from "./touched-store";

/** So many lines of a message are in view at most. */
const ROWS = 8;

/** Where a commit is written: what it will have is on its button. */
export function CommitForm({
  worktree,
  changes,
}: {
  worktree: string;
  changes: WorktreeChanges;
}) {
  const [message, setMessage] = useDraftText(`commit:${worktree}`);
  const [amend, setAmend] = useState(false);
  const [working, setWorking] = useState(false);
  const [said, setSaid] = useState<{ text: string; failed: boolean }>();
  const next = nextCommit(changes, amend);
  const ready = next.possible && (message.trim() !== "" || amend) && !working;

  async function changeAmend(wanted: boolean) {
    setAmend(wanted);
    const last = await backend.lastMessage(worktree);
    const words = last.status === "ok" ? (last.data ?? "") : "";
    // What somebody has written stays what it is.
    if (wanted && message.trim() === "") setMessage(words);
    if (!wanted && message === words) setMessage("");
  }

  async function commit(event?: FormEvent) {
    event?.preventDefault();
    if (!ready) return;
    setWorking(true);
    setSaid(undefined);
    const made = await backend.commitChanges(worktree, {
      message,
      amend,
      all: next.all,
    });
    setWorking(false);
    touched(worktree);
    if (made.status === "error") {
      setSaid({ text: made.error.message, failed: true });
      return;
    }
    const { commit: id, subject, said: printed } = made.data;
    notify("info", `Committed ${id.slice(0, 10)}: ${subject}`);
    setMessage("");
    setAmend(false);
    if (printed !== "") setSaid({ text: printed, failed: false });
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void commit();
  }

  return (
    <form
      className="changes-commit"
      data-testid="commit"
      onSubmit={(event) => void commit(event)}
    >
      {said && (
        <div className="changes-commit-said" data-testid="commit-said">
          <pre className="code-block" role={said.failed ? "alert" : "status"}>
            {said.text}
          </pre>
          <button
            type="button"
            className="link-button"
            onClick={() => setSaid(undefined)}
          >
            Seen
          </button>
        </div>
      )}
      <textarea
        aria-label="Message of the commit; Ctrl+Enter commits"
        placeholder="Message"
        data-testid="commit-message"
        rows={Math.min(ROWS, Math.max(1, message.split("\n").length))}
        value={message}
        onChange={(event) => setMessage(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div className="changes-commit-line">
        <label className="changes-check">
          <input
            type="checkbox"
            checked={amend}
            disabled={changes.head === null}
            data-testid="commit-amend"
            onChange={(event) => void changeAmend(event.target.checked)}
          />
          Amend
        </label>
        <Button
          type="submit"
          look={ready ? "primary" : "plain"}
          disabled={!ready}
          data-testid="commit-button"
        >
          {working ? "Committing…" : next.title}
        </Button>
      </div>
    </form>
  );
}

export interface NextCommit {
  /** What is done, in words. */
  title: string;
  /** All that changed, since nothing is staged. */
  all: boolean;
  possible: boolean;
}

/** What the next commit would have. */
export function nextCommit(
  { views, doing }: WorktreeChanges,
  amend: boolean,
): NextCommit {
  const of = (...wanted: View[]) => {
    const within = views.filter(({ view }) => wanted.includes(view));
    const paths = within.flatMap(({ files }) => files.map(({ path }) => path));
    return new Set(paths).size;
  };
  const staged = of("staged");
  const loose = of("unstaged", "untracked");
  if (amend)
    return {
      title: staged > 0 ? `Amend with ${files(staged, "staged ")}` : "Amend",
      all: false,
      possible: true,
    };
  if (staged > 0)
    return {
      title: `Commit ${files(staged, "staged ")}`,
      all: false,
      possible: true,
    };
  // What ends a merge may change nothing; and what it left to be resolved is not taken along.
  if (doing !== null) return { title: "Commit", all: false, possible: true };
  if (loose > 0)
    return {
      title: loose === 1 ? "Commit 1 file" : `Commit all ${loose} files`,
      all: true,
      possible: true,
    };
  return { title: "Nothing to commit", all: false, possible: false };
}

const files = (count: number, which: string) =>
  count === 1 ? `1 ${which}file` : `${count} ${which}files`;
