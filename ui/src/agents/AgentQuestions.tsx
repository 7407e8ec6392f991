import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import {
  archiveAgent,
  askAboutAgents,
  sayQueued,
  useAgentQuestions,
} from "./actions";
import { agentTitle, useAgents } from "./agent-store";
import { ImportDialog } from "./ImportDialog";
import { NewAgentDialog } from "./NewAgentDialog";
import { takeOut } from "./queue";

/** What the person is asked about agents. */
export function AgentQuestions() {
  const question = useAgentQuestions((state) => state.question);
  const agents = useAgents((state) => state.agents);
  const close = () => askAboutAgents(null);
  switch (question?.ask) {
    case undefined:
      return null;
    case "new":
      return <NewAgentDialog cwd={question.cwd ?? null} onClose={close} />;
    case "import":
      return <ImportDialog onClose={close} />;
    case "replace":
    case "archive": {
      const agent = agents[question.key];
      const title = agent ? agentTitle(agent) : "This agent";
      const replace = question.ask === "replace";
      return (
        <Dialog
          title={replace ? `${title} is working` : `Archive ${title}?`}
          description={
            replace
              ? "What you send now cancels what it does."
              : "It is working. Archiving stops it."
          }
          onClose={close}
          testId={`${question.ask}-question`}
        >
          <div className="dialog-buttons">
            <Button onClick={close}>Let it work</Button>
            <Button
              look="danger"
              autoFocus
              onClick={() => {
                close();
                if (question.ask === "replace") {
                  const text = takeOut(question.key, question.at);
                  if (text !== null) void sayQueued(question.key, text, true);
                } else void archiveAgent(question.key, true);
              }}
            >
              {replace ? "Cancel it and send" : "Stop and archive"}
            </Button>
          </div>
        </Dialog>
      );
    }
  }
}
