import type { PermissionAnswer, PermissionRequest } from "../bindings";
import { Button } from "../shared/Button";
import { keyOf } from "../shared/commands";
import { NeedsYouIcon } from "../shared/icons";
import { answerAgent } from "./actions";
import type { AgentKey } from "./agent-store";
import { about, Changes, changesOf } from "./ToolView";

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
  const what = detail?.command ?? detail?.paths?.join("\n");
  const answer = (answer: PermissionAnswer) => () =>
    void answerAgent(agent, request.id, answer);
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
      {what && <pre>{what}</pre>}
      <Changes changes={changesOf(detail)} />
      {detail?.input && <pre>{detail.input}</pre>}
      {detail?.output && <pre>{detail.output}</pre>}
      <div className="permission-buttons">
        {answersTo(request).map(({ name, value, look, testid, key }) => (
          <Button
            key={name}
            look={look}
            data-testid={testid}
            onClick={answer(value)}
          >
            {name} {first && key && <kbd>{keyOf(key)}</kbd>}
          </Button>
        ))}
        <Button
          onClick={answer({ answer: "deny", message: null, interrupt: true })}
        >
          Deny and stop
        </Button>
      </div>
    </section>
  );
}

interface Answer {
  name: string;
  value: PermissionAnswer;
  look?: "primary";
  testid?: string;
  /** The command whose keys give this answer. */
  key?: "agents.allow" | "agents.deny";
}

const ALLOW: PermissionAnswer = { answer: "allow" };
const DENY: PermissionAnswer = {
  answer: "deny",
  message: null,
  interrupt: false,
};

/** The answers in the agent's own words, where it has any; the keys are for those that mean just this once. */
function answersTo({ options }: PermissionRequest): Answer[] {
  if (options.length === 0)
    return [
      {
        name: "Allow",
        value: ALLOW,
        look: "primary",
        testid: "permission-allow",
        key: "agents.allow",
      },
      {
        name: "Deny",
        value: DENY,
        testid: "permission-deny",
        key: "agents.deny",
      },
    ];
  const first = (kind: string) =>
    options.find((option) => option.kind === kind)?.id;
  const allow = first("allow_once");
  const deny = first("reject_once");
  return options.map(({ id, name }) => ({
    name,
    value: { answer: "choose", option: id },
    ...(id === allow && {
      look: "primary" as const,
      testid: "permission-allow",
      key: "agents.allow" as const,
    }),
    ...(id === deny && {
      testid: "permission-deny",
      key: "agents.deny" as const,
    }),
  }));
}

/** The words beside the tool's name: not the command again, which stands below. */
function titleOf({ title, detail }: PermissionRequest): string {
  const below = about({ title: null, detail });
  if (title !== null && title !== below) return title;
  const says = below !== "" || Boolean(detail?.input ?? detail?.output);
  return says ? "" : "It does not say what for.";
}
