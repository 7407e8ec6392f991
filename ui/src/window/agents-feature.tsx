import "../agents/agents.css";
import { AgentList, useAgentItems } from "../agents/AgentList";
import { AgentQuestions } from "../agents/AgentQuestions";
import { AgentsHub } from "../agents/AgentsHub";
import { AgentTab } from "../agents/AgentTab";
import { AgentTimeline } from "../agents/AgentTimeline";
import {
  AGENT,
  AGENTS,
  agentOfParams,
  openAgent,
  panelOfAgent,
  sayQueued,
} from "../agents/actions";
import { agentCommands } from "../agents/agent-commands";
import { followAgents } from "../agents/agent-needs";
import {
  agentTitle,
  keyOfAgent,
  startAgents,
  statusWord,
  useAgents,
} from "../agents/agent-store";
import { draftTo } from "../agents/conversations";
import { followQueues } from "../agents/queue";
import { StatusAgents } from "../agents/StatusAgents";
import type { Destination } from "../shared/destinations";
import { useInFront, useParams } from "../shared/dock/panel";
import { hasDraft } from "../shared/drafts";
import type { Feature } from "../shared/feature";
import { showPane } from "../terminal/pane-tabs";

/** A conversation in the dock; where a program answers in a pane, it leads there. */
function AgentPanel() {
  const active = useInFront();
  const agent = agentOfParams(useParams());
  if (agent === null) return null;
  return <AgentTimeline agent={agent} active={active} onPane={showPane} />;
}

function HubPanel() {
  return <AgentsHub active={useInFront()} />;
}

function useAgentDestinations(): Destination[] {
  const agents = useAgents((state) => state.agents);
  return Object.values(agents).map((agent) => ({
    key: panelOfAgent(keyOfAgent(agent)),
    kind: "Agent",
    title: agentTitle(agent),
    detail: `${statusWord(agent.status)} · ${agent.provider} · ${agent.cwd}`,
    open: () => openAgent(keyOfAgent(agent)),
  }));
}

export const agentsFeature: Feature = {
  name: "agents",
  commands: agentCommands(),
  views: {
    [AGENTS]: { view: HubPanel },
    [AGENT]: {
      view: AgentPanel,
      tab: AgentTab,
      holdsDraft: (params) => hasDraft(draftTo(agentOfParams(params) ?? "")),
    },
  },
  sidebar: AgentList,
  useItems: useAgentItems,
  useDestinations: useAgentDestinations,
  status: StatusAgents,
  dialogs: AgentQuestions,
  async start() {
    const stops = [
      followAgents(),
      followQueues((agent, text) => void sayQueued(agent, text, false)),
      await startAgents(),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  },
};
