import { usePanel, useParams, useTitle } from "../shared/dock/panel";
import { PanelTab } from "../shared/dock/Tab";
import { AgentState } from "./AgentState";
import { agentOfParams } from "./actions";
import { agentTitle, useAgents } from "./agent-store";

/** The tab of a conversation: what the agent does, and what it is called. */
export function AgentTab() {
  const { id, title: saved, close } = usePanel();
  const key = agentOfParams(useParams()) ?? "";
  const agent = useAgents((state) => state.agents[key]);
  // The layout that is saved keeps the title, for a start at which the host is down.
  const title = agent ? agentTitle(agent) : saved || "Agent";
  useTitle(title);
  return (
    <PanelTab
      name={title}
      title={title}
      data-testid={`tab-${id}`}
      onClose={close}
    >
      {agent && <AgentState status={agent.status} />}
      <span className="tab-title">{title}</span>
    </PanelTab>
  );
}
