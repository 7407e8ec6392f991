import { useMemo } from "react";
import type { AgentInfo } from "../bindings";
import { IconButton } from "../shared/Button";
import { keyOf, useCommands } from "../shared/commands";
import { PlusIcon } from "../shared/icons";
import type { TreeItem } from "../shared/tree-item";
import { walk } from "../shared/walk";
import { AgentMenu } from "./AgentMenu";
import { AgentState } from "./AgentState";
import { askAboutAgents, openAgent, openHub } from "./actions";
import {
  agentTitle,
  groupAgents,
  hasPane,
  keyOfAgent,
  machineOf,
  standingOf,
  statusWord,
  troubles,
  useAgents,
  wish,
} from "./agent-store";

/** How many agents of other machines the sidebar shows; the hub has the others. */
const SHOWN = 12;

/** The agents that do something, or did and were not looked at; idle ones are in the hub. */
function lively(agents: Record<string, AgentInfo>): AgentInfo[] {
  return groupAgents(
    Object.values(agents).filter((agent) => standingOf(agent) !== "idle"),
  ).flatMap((group) => group.agents);
}

/** The agents of this machine as parts of the sidebar's tree: each under the worktree that it works in. */
export function useAgentItems(): TreeItem[] {
  const agents = useAgents((state) => state.agents);
  return useMemo(
    () =>
      lively(agents)
        // One that answers in a pane is in the tree as that pane.
        .filter((agent) => machineOf(agent.backend) === "" && !hasPane(agent))
        .map((agent) => ({
          key: `agent ${keyOfAgent(agent)}`,
          directory: agent.cwd,
          row: <Row agent={agent} detail={wish(agent) || agent.provider} />,
        })),
    [agents],
  );
}

/** Below the tree: the way to every agent, hosts that are down, and who works on other machines. */
export function AgentList() {
  const { agents, backends, errors } = useAgents();
  useCommands((state) => state.keys);
  const away = useMemo(
    () => lively(agents).filter((agent) => machineOf(agent.backend) !== ""),
    [agents],
  );
  const { length } = Object.keys(agents);
  return (
    <section className="agent-list" aria-label="Agents">
      <header className="sidebar-heading">
        <h2>
          <button
            type="button"
            className="heading-button"
            title={`Every agent (${keyOf("agents.hub")})`}
            data-testid="open-hub"
            onClick={openHub}
          >
            Agents {length > 0 && <span className="faint">{length}</span>}
          </button>
        </h2>
        <span className="spacer" />
        <IconButton
          label="New agent"
          hint={keyOf("agents.new")}
          onClick={() => askAboutAgents({ ask: "new" })}
        >
          <PlusIcon size={14} />
        </IconButton>
      </header>
      {troubles({ backends, errors }).map((one) => (
        <button
          key={one.backend.id}
          type="button"
          className="agent-trouble"
          title={one.reason}
          onClick={openHub}
        >
          {one.backend.id.slice(one.backend.id.indexOf(":") + 1)} is down
        </button>
      ))}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the buttons inside */}
      <div onKeyDown={walk}>
        <ul>
          {away.slice(0, SHOWN).map((agent) => (
            <li key={keyOfAgent(agent)}>
              <Row
                agent={agent}
                detail={
                  wish(agent) || `${machineOf(agent.backend)}: ${agent.cwd}`
                }
              />
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

function Row({ agent, detail }: { agent: AgentInfo; detail: string }) {
  const title = agentTitle(agent);
  const word = statusWord(agent.status);
  return (
    <AgentMenu agent={agent}>
      <div className="pane-row" data-state={word}>
        <button
          type="button"
          className="pane-button"
          data-walk
          title={`${title} · ${agent.provider} · ${agent.cwd}`}
          onClick={() => openAgent(keyOfAgent(agent))}
        >
          <AgentState status={agent.status} />
          <span className="pane-text">
            <span className="pane-title">{title}</span>
            <span className="pane-detail">{detail}</span>
          </span>
          <span className="pane-state">{word}</span>
        </button>
      </div>
    </AgentMenu>
  );
}
