import type { PermissionRequest } from "../bindings";
import { Button } from "../shared/Button";
import { keyOf } from "../shared/commands";
import { NeedsYouIcon } from "../shared/icons";
import { answerAgent } from "./actions";
import type { AgentKey } from "./agent-store";
import { changeOf, Diff } from "./ToolView";

/** What an agent asks to be allowed, and the answers. */
export function PermissionCard({
  agent,
  request,
  first,
}: {
  agent: AgentKey;
  request: PermissionRequest;
  /** Whether the keys answer this one. */
  first: boolean;
}) {
  const { detail } = request;
  const lines = detail ? changeOf(detail) : null;
  const offers = (kind: string) =>
    request.options.some((option) => option.kind === kind);
  return (
    <section
      className="permission"
      aria-label={`Asks: ${request.title ?? request.tool}`}
      data-testid="permission"
    >
      <header>
        <span className="state" data-state="needs you">
          <NeedsYouIcon size={13} />
        </span>
        <span className="permission-tool">{request.tool}</span>
        <span className="permission-title">{titleOf(request)}</span>
      </header>
      {detail?.command && <pre>{detail.command}</pre>}
      {!detail?.command && detail?.path && <pre>{detail.path}</pre>}
      {lines && <Diff lines={lines} />}
      <div className="permission-buttons">
        <Button
          look="primary"
          data-testid="permission-allow"
          onClick={() =>
            void answerAgent(agent, request.id, { answer: "allow" })
          }
        >
          Allow {first && <kbd>{keyOf("agents.allow")}</kbd>}
        </Button>
        {offers("allow_always") && (
          <Button
            onClick={() =>
              void answerAgent(agent, request.id, { answer: "allow_always" })
            }
          >
            Always allow
          </Button>
        )}
        <Button
          data-testid="permission-deny"
          onClick={() =>
            void answerAgent(agent, request.id, {
              answer: "deny",
              message: null,
              interrupt: false,
            })
          }
        >
          Deny {first && <kbd>{keyOf("agents.deny")}</kbd>}
        </Button>
        <Button
          onClick={() =>
            void answerAgent(agent, request.id, {
              answer: "deny",
              message: null,
              interrupt: true,
            })
          }
        >
          Deny and stop
        </Button>
      </div>
    </section>
  );
}

/** The words beside the tool's name: not the command again, which stands below. */
function titleOf({ title, detail }: PermissionRequest): string {
  const about = detail?.command ?? detail?.path ?? null;
  if (title !== null && title !== about) return title;
  return about === null ? "It does not say what for." : "";
}
