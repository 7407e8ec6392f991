import type { ReactNode } from "react";
import { backend } from "../backend/backend";
import type { PaneId, PaneInfo } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { reportFailure } from "../shared/notices";
import { useSettings } from "../shared/settings-store";
import { hostOf } from "./hosts";
import { closePane, purgePanes } from "./pane-life";
import { dropWish, paneTitle, usePanes } from "./pane-store";
import { type PasteRisk, showControls } from "./paste-guard";
import { ask, useQuestions } from "./questions";

/** What the person is asked about panes: closing a busy one, a risky paste, a program's wish for the clipboard. */
export function Questions() {
  const question = useQuestions((state) => state.question);
  const wish = usePanes((state) => state.wishes[0]);
  const denied = useSettings((state) => state.settings?.osc52 === "deny");
  const panes = usePanes((state) => state.panes);

  switch (question?.ask) {
    case "close": {
      const pane = panes[question.pane];
      return pane ? <CloseQuestion pane={pane} /> : null;
    }
    case "purge":
      return <PurgeQuestion panes={question.panes} />;
    case "paste":
      return <PasteQuestion {...question} />;
  }
  if (!wish || denied) return null;
  const pane = panes[wish.pane];
  return (
    <ClipboardQuestion
      asker={pane ? paneTitle(pane) : "A program"}
      text={wish.text}
      onClose={() => dropWish(wish.pane)}
    />
  );
}

function CloseQuestion({ pane }: { pane: PaneInfo }) {
  return (
    <QuestionDialog
      title={`Close ${paneTitle(pane)}?`}
      description={
        <>
          {pane.command ? <code>{pane.command}</code> : "A program"} is running
          in it and would be ended.
        </>
      }
      testId="close-question"
      no="Keep it running"
    >
      <Button
        look="danger"
        autoFocus
        onClick={() => {
          ask(null);
          void closePane(pane.id);
        }}
      >
        Close
      </Button>
    </QuestionDialog>
  );
}

function PurgeQuestion({ panes }: { panes: PaneId[] }) {
  const { length } = panes;
  return (
    <QuestionDialog
      title={`Remove the history of ${length} closed pane${length === 1 ? "" : "s"}?`}
      description="What they printed can't be searched or read any more. Open panes keep theirs."
      testId="purge-question"
      no="Keep it"
    >
      <Button
        look="danger"
        onClick={() => {
          ask(null);
          void purgePanes(panes);
        }}
      >
        Remove
      </Button>
    </QuestionDialog>
  );
}

function PasteQuestion({
  pane,
  text,
  risk: { lines, controls },
}: {
  pane: PaneId;
  text: string;
  risk: PasteRisk;
}) {
  const paste = (pasted: string) => {
    ask(null);
    hostOf(pane)?.paste(pasted);
    hostOf(pane)?.focus();
  };
  return (
    <QuestionDialog
      title={lines > 1 ? `Paste ${lines} lines?` : "Paste this?"}
      description={
        controls > 0
          ? `It contains ${controls} control character${controls === 1 ? "" : "s"}, which could do more than type.`
          : lines > 1
            ? "A shell may run each line as it arrives."
            : "It ends with a newline, so a shell may run it at once."
      }
      testId="paste-question"
      text={text}
      no="Cancel"
    >
      {lines > 1 && (
        <Button
          onClick={() => paste(text.trim().replace(/\s*[\r\n]+\s*/g, " "))}
        >
          Paste as one line
        </Button>
      )}
      <Button look="primary" autoFocus onClick={() => paste(text)}>
        Paste
      </Button>
    </QuestionDialog>
  );
}

function ClipboardQuestion({
  asker,
  text,
  onClose,
}: {
  asker: string;
  text: string;
  onClose: () => void;
}) {
  return (
    <QuestionDialog
      title="Put this on the clipboard?"
      description={`${asker} asks to replace what is on your clipboard.`}
      testId="clipboard-question"
      text={text}
      no="Don't allow"
      onClose={onClose}
    >
      <Button
        look="primary"
        onClick={() => {
          onClose();
          void backend.writeClipboard(text).then(reportFailure);
        }}
      >
        Allow once
      </Button>
    </QuestionDialog>
  );
}

/** One question, with the way to say no, and inside it those to say yes. */
function QuestionDialog({
  title,
  description,
  testId,
  text,
  no,
  onClose = () => ask(null),
  children,
}: {
  title: string;
  description: ReactNode;
  testId: string;
  /** What it is about, to be read first. */
  text?: string;
  no: string;
  onClose?: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog
      title={title}
      description={description}
      onClose={onClose}
      testId={testId}
    >
      {text !== undefined && (
        <pre className="code-block">{showControls(text)}</pre>
      )}
      <div className="dialog-buttons">
        <Button onClick={onClose}>{no}</Button>
        {children}
      </div>
    </Dialog>
  );
}
