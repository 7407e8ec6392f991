import type { AgentInfo, BackendId } from "../bindings";
import { AgentMenu } from "./AgentMenu";
import { AgentState } from "./AgentState";
import { openAgent } from "./actions";
import {
  agentTitle,
  keyOfAgent,
  machineOf,
  sinceOf,
  wish,
} from "./agent-store";
import { ago } from "./ago";

const PLACES: Record<string, string> = {
  paseo: "Paseo",
  acp: "ACP",
  opencode: "OpenCode",
  command: "pane",
};

/** Where an agent lives, in a word: its host, or how it is driven on this machine. */
function placeOf(backend: BackendId): string {
  const machine = machineOf(backend);
  if (machine) return machine;
  const [kind = ""] = backend.split(":");
  return PLACES[kind] ?? kind;
}

/** One agent in the hub: what it does, what it is called, who makes it, where, and since when. */
export function AgentRow({
  agent,
  now,
  down,
}: {
  agent: AgentInfo;
  now: number;
  down: boolean;
}) {
  const key = keyOfAgent(agent);
  const detail =
    agent.status.state === "needs_you"
      ? wish(agent)
      : agent.status.state === "failed"
        ? (agent.last_error ?? "")
        : "";
  const title = agentTitle(agent);
  return (
    <AgentMenu agent={agent}>
      <li className="hub-row" data-state={agent.status.state} data-down={down}>
        <button
          type="button"
          className="hub-button"
          data-walk
          data-testid={`agent-${agent.id}`}
          onClick={() => openAgent(key)}
        >
          <AgentState status={agent.status} />
          <span className="hub-name">
            <span className="hub-title" title={title}>
              {title}
            </span>
            {detail && (
              <span className="hub-detail" title={detail}>
                {detail}
              </span>
            )}
          </span>
          <span className="hub-provider" title={agent.model ?? undefined}>
            {agent.provider}
            {agent.model && <span className="faint"> {agent.model}</span>}
          </span>
          <span className="hub-host" title={agent.backend}>
            {placeOf(agent.backend)}
          </span>
          <span className="hub-since" title={agent.updated_at ?? undefined}>
            {ago(sinceOf(agent), now)}
          </span>
        </button>
      </li>
    </AgentMenu>
  );
}
