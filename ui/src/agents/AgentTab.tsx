import type { IDockviewPanelHeaderProps } from "dockview-react";
import { useEffect } from "react";
import { Tab } from "../shared/dock/Tab";
import { AgentState } from "./AgentState";
import { agentOfParams } from "./actions";
import { agentTitle, useAgents } from "./agent-store";

/** The tab of a conversation: what the agent does, and what it is called. */
export function AgentTab({ api, params }: IDockviewPanelHeaderProps) {
  const key = agentOfParams(params) ?? "";
  const agent = useAgents((state) => state.agents[key]);
  const title = agent ? agentTitle(agent) : (api.title ?? "Agent");
  useEffect(() => {
    // The layout that is saved keeps the title, for a start at which the host is down.
    if (api.title !== title) api.setTitle(title);
  }, [api, title]);
  return (
    <Tab
      name={title}
      title={title}
      data-testid={`tab-${api.id}`}
      onClose={() => api.close()}
    >
      {agent && <AgentState status={agent.status} />}
      <span className="tab-title">{title}</span>
    </Tab>
  );
}
