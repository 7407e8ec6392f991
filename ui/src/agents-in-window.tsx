import type { IDockviewPanelProps } from "dockview-react";
import { useEffect, useState } from "react";
import "./agents/agents.css";
import { AgentTimeline } from "./agents/AgentTimeline";
import { agentOfParams } from "./agents/actions";
import { showPane } from "./terminal/actions";

/** A conversation in the dock; where a program answers in a pane, it leads there. */
export function AgentPanel({ api, params }: IDockviewPanelProps) {
  const [active, setActive] = useState(api.isActive && api.isGroupActive);
  useEffect(() => {
    const focus = () => setActive(api.isActive && api.isGroupActive);
    const followed = [
      api.onDidActiveChange(focus),
      api.onDidActiveGroupChange(focus),
    ];
    focus();
    return () => {
      for (const one of followed) one.dispose();
    };
  }, [api]);
  const agent = agentOfParams(params);
  if (agent === null) return null;
  return <AgentTimeline agent={agent} active={active} onPane={showPane} />;
}
