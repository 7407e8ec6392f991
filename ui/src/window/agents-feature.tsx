import "../agents/agents.css";
import { AgentList, useAgentItems } from "../agents/AgentList";
import { AgentQuestions } from "../agents/AgentQuestions";
import { AgentsHub } from "../agents/AgentsHub";
import { AgentTab } from "../agents/AgentTab";
import { AgentTimeline } from "../agents/AgentTimeline";
import { AGENT, AGENTS, agentOfParams } from "../agents/actions";
import { agentCommands } from "../agents/agent-commands";
import { followAgents } from "../agents/agent-needs";
import { startAgents } from "../agents/agent-store";
import { StatusAgents } from "../agents/StatusAgents";
import { useInFront, useParams } from "../shared/dock/panel";
import type { Feature } from "../shared/feature";
import { showPane } from "../terminal/actions";

/** A conversation in the dock; where a program answers in a pane, it leads there. */
function AgentPanel() {
  const active = useInFront();
  const agent = agentOfParams(useParams());
  if (agent === null) return null;
  return <AgentTimeline agent={agent} active={active} onPane={showPane} />;
}

export const agentsFeature: Feature = {
  name: "agents",
  commands: agentCommands(),
  views: {
    [AGENTS]: { view: AgentsHub },
    [AGENT]: { view: AgentPanel, tab: AgentTab },
  },
  sidebar: AgentList,
  useItems: useAgentItems,
  status: StatusAgents,
  dialogs: AgentQuestions,
  async start() {
    const stops = [followAgents(), await startAgents()];
    return () => {
      for (const stop of stops) stop();
    };
  },
};
