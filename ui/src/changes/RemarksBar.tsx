import { useState } from "react";
import type { Remark } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { useDraftText } from "../shared/drafts";
import { HandOver } from "../shared/HandOver";
import { notify } from "../shared/notices";
import type { Target } from "../shared/targets";
import { RemarkBox } from "./RemarkBox";
import {
  changeRemarks,
  isUnsent,
  promptOf,
  renumbered,
  waits,
} from "./remarks";

/** How the remarks on a worktree stand, and the way to who works there. Without any there is nothing. */
export function RemarksBar({
  worktree,
  remarks,
  targets,
}: {
  worktree: string;
  remarks: Remark[];
  targets: Target[];
}) {
  const [all, setAll] = useState(false);
  /** What is about to be sent. */
  const [sent, setSent] = useState<Remark[] | null>(null);
  if (remarks.length === 0) return null;
  const unsent = remarks.filter(isUnsent);
  const waiting = remarks.filter(waits).length;
  const answered = remarks.length - unsent.length - waiting;
  const parts = [
    unsent.length > 0 && `${counted(unsent.length)} not sent`,
    waiting > 0 && `${counted(waiting)} ${waiting === 1 ? "waits" : "wait"}`,
    answered > 0 && `${counted(answered)} answered`,
  ];
  return (
    <div className="changes-land" data-testid="remarks-bar">
      <p>
        <span>{parts.filter(Boolean).join(", ")}</span>
        {unsent.length > 0 && (
          <Button
            data-testid="remarks-send"
            onClick={() => void renumbered(worktree, unsent).then(setSent)}
          >
            Send…
          </Button>
        )}
        <button
          type="button"
          className="link-button"
          data-testid="remarks-all"
          onClick={() => setAll(true)}
        >
          Show all
        </button>
      </p>
      {sent && (
        <SendDialog
          worktree={worktree}
          sent={sent}
          targets={targets}
          onClose={() => setSent(null)}
        />
      )}
      {all && (
        <Dialog
          title="Remarks"
          description="What was answered is kept for a month."
          onClose={() => setAll(false)}
          testId="remarks-list"
        >
          <div className="changes-remarks apart">
            {remarks.map((remark) => (
              <RemarkBox
                key={remark.id}
                worktree={worktree}
                remark={remark}
                apart
              />
            ))}
          </div>
          <div className="dialog-buttons">
            <Button onClick={() => setAll(false)}>Close</Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

/** All that was not sent as one message. */
function SendDialog({
  worktree,
  sent,
  targets,
  onClose,
}: {
  worktree: string;
  sent: Remark[];
  targets: Target[];
  onClose: () => void;
}) {
  const [prepared] = useState(() => promptOf(sent));
  const [text, setText] = useDraftText(`remarks:${worktree}`, prepared);
  async function hand({ id, label, tell }: Target, send: boolean) {
    onClose();
    setText(prepared);
    const marked = await changeRemarks(worktree, sent, {
      change: "sent",
      to: id,
      name: label,
    });
    if (!marked) return;
    tell(text, send);
    notify("info", `${label} has ${counted(sent.length)}.`);
  }
  return (
    <HandOver
      title={
        sent.length === 1 ? "Send a remark" : `Send ${sent.length} remarks`
      }
      text={text}
      onText={setText}
      targets={targets}
      onHand={(target, send) => void hand(target, send)}
      onClose={onClose}
      testId="remarks-dialog"
    />
  );
}

const counted = (count: number) =>
  count === 1 ? "1 remark" : `${count} remarks`;
