import { type FormEvent, useMemo, useState } from "react";
import type { AttemptView } from "../bindings";
import { Button } from "../shared/Button";
import { useDraftFields, useDraftText } from "../shared/drafts";
import { formatDuration } from "../shared/durations";
import { Sentence } from "../shared/Sentence";
import { answer } from "./actions";
import { Fields, typedFrom, valuesOf } from "./Fields";
import { useNow } from "./StepCard";

/** The question of a step in full, and the two answers. */
export function ApprovalForm({
  run,
  step,
  attempt,
}: {
  run: string;
  step: string;
  attempt: AttemptView;
}) {
  const question = attempt.question;
  const begun = useMemo(() => typedFrom(question?.form ?? []), [question]);
  const place = `answer:${run}/${step}/${attempt.attempt}`;
  const { fields: typed, setFields, forget } = useDraftFields(place, begun);
  const [comment, setComment] = useDraftText(`${place}/comment`);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const now = useNow(question?.due != null);
  if (!question) return null;
  const interrupted = question.kind === "interrupted";
  async function give(approved: boolean) {
    if (busy) return;
    setBusy(true);
    const wrong = await answer(run, step, {
      approved,
      form: approved ? valuesOf(question?.form ?? [], typed) : {},
      comment: comment.trim() === "" ? null : comment.trim(),
    });
    setBusy(false);
    setProblem(wrong);
    if (wrong !== null) return;
    forget();
    setComment("");
  }
  function submit(event: FormEvent) {
    event.preventDefault();
    void give(true);
  }
  return (
    <form
      className="approval-form fields"
      aria-label={`Answer for ${step}`}
      data-testid="approval"
      {...(question.form.length > 0 && { "data-entry": true })}
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !event.ctrlKey) return;
        event.preventDefault();
        event.currentTarget.requestSubmit();
      }}
    >
      <p className="approval-message">{question.message}</p>
      {question.due !== null && (
        <p className="field-help">
          It answers itself in {formatDuration(Math.max(question.due - now, 0))}
          .
        </p>
      )}
      <Fields fields={question.form} typed={typed} onTyped={setFields} />
      <div className="field">
        <label htmlFor={`comment-${step}`}>Comment</label>
        <input
          id={`comment-${step}`}
          className="text-input"
          value={comment}
          onChange={(event) => setComment(event.target.value)}
        />
      </div>
      {problem !== null && (
        <p className="form-problem" role="alert">
          <Sentence text={problem} />
        </p>
      )}
      <div className="approval-buttons">
        <Button
          look="danger"
          disabled={busy}
          data-testid="reject"
          onClick={() => void give(false)}
        >
          {interrupted ? "Let it have failed" : "Reject"}
        </Button>
        <Button
          type="submit"
          look="primary"
          disabled={busy}
          data-testid="approve"
          title="Ctrl+Enter"
          {...(question.form.length === 0 && { "data-entry": true })}
        >
          {interrupted ? "Run it again" : "Approve"}
        </Button>
      </div>
    </form>
  );
}
