import { backend } from "../backend/backend";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { reportFailure } from "../shared/notices";
import { useSettings } from "../shared/settings-store";
import { hostOf } from "./hosts";
import { closePane, purgePanes } from "./pane-life";
import { dropWish, paneTitle, usePanes } from "./pane-store";
import { showControls } from "./paste-guard";
import { ask, useQuestions } from "./questions";

/** What the person is asked about panes: closing a busy one, a risky paste, a program's wish for the clipboard. */
export function Questions() {
  const question = useQuestions((state) => state.question);
  const wish = usePanes((state) => state.wishes[0]);
  const denied = useSettings((state) => state.settings?.osc52 === "deny");
  const panes = usePanes((state) => state.panes);

  if (question?.ask === "close") {
    const pane = panes[question.pane];
    if (!pane) return null;
    return (
      <Dialog
        title={`Close ${paneTitle(pane)}?`}
        description={
          <>
            {pane.command ? <code>{pane.command}</code> : "A program"} is
            running in it and would be ended.
          </>
        }
        onClose={() => ask(null)}
        testId="close-question"
      >
        <div className="dialog-buttons">
          <Button onClick={() => ask(null)}>Keep it running</Button>
          <Button
            look="danger"
            autoFocus
            onClick={() => {
              ask(null);
              void closePane(question.pane);
            }}
          >
            Close
          </Button>
        </div>
      </Dialog>
    );
  }

  if (question?.ask === "purge") {
    const { length } = question.panes;
    return (
      <Dialog
        title={`Remove the history of ${length} closed pane${length === 1 ? "" : "s"}?`}
        description="What they printed can't be searched or read any more. Open panes keep theirs."
        onClose={() => ask(null)}
        testId="purge-question"
      >
        <div className="dialog-buttons">
          <Button onClick={() => ask(null)}>Keep it</Button>
          <Button
            look="danger"
            onClick={() => {
              ask(null);
              void purgePanes(question.panes);
            }}
          >
            Remove
          </Button>
        </div>
      </Dialog>
    );
  }

  if (question?.ask === "paste") {
    const { lines, controls } = question.risk;
    return (
      <Dialog
        title={lines > 1 ? `Paste ${lines} lines?` : "Paste this?"}
        description={
          controls > 0
            ? `It contains ${controls} control character${controls === 1 ? "" : "s"}, which could do more than type.`
            : lines > 1
              ? "A shell may run each line as it arrives."
              : "It ends with a newline, so a shell may run it at once."
        }
        onClose={() => ask(null)}
        testId="paste-question"
      >
        <pre className="code-block">{showControls(question.text)}</pre>
        <div className="dialog-buttons">
          <Button onClick={() => ask(null)}>Cancel</Button>
          {lines > 1 && (
            <Button
              onClick={() => {
                ask(null);
                hostOf(question.pane)?.paste(
                  question.text.trim().replace(/\s*[\r\n]+\s*/g, " "),
                );
              }}
            >
              Paste as one line
            </Button>
          )}
          <Button
            look="primary"
            autoFocus
            onClick={() => {
              ask(null);
              hostOf(question.pane)?.paste(question.text);
              hostOf(question.pane)?.focus();
            }}
          >
            Paste
          </Button>
        </div>
      </Dialog>
    );
  }

  if (wish && !denied) {
    const pane = panes[wish.pane];
    return (
      <Dialog
        title="Put this on the clipboard?"
        description={`${pane ? paneTitle(pane) : "A program"} asks to replace what is on your clipboard.`}
        onClose={() => dropWish(wish.pane)}
        testId="clipboard-question"
      >
        <pre className="code-block">{showControls(wish.text)}</pre>
        <div className="dialog-buttons">
          <Button onClick={() => dropWish(wish.pane)}>Don't allow</Button>
          <Button
            look="primary"
            onClick={() => {
              dropWish(wish.pane);
              void backend.writeClipboard(wish.text).then(reportFailure);
            }}
          >
            Allow once
          </Button>
        </div>
      </Dialog>
    );
  }
  return null;
}
