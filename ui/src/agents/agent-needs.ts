import type { AgentInfo } from "../bindings";
import { type Need, setNeeds, tellPerson } from "../shared/needs-you";
import { openAgent } from "./actions";
import {
  type AgentsState,
  agentTitle,
  keyOfAgent,
  sinceOf,
  useAgents,
  wish,
} from "./agent-store";

/** The agents that wait for the person. One on a host that is down can't be answered, so it is not among them. */
export function agentNeeds(
  { agents, backends }: Pick<AgentsState, "agents" | "backends">,
  now: number,
): Need[] {
  return Object.values(agents)
    .filter(
      (agent) =>
        agent.status.state === "needs_you" &&
        backends[agent.backend]?.health.state !== "down",
    )
    .map((agent) => {
      const key = keyOfAgent(agent);
      const detail = wish(agent);
      return {
        id: key,
        kind: "agent" as const,
        title: agentTitle(agent),
        ...(detail && { detail }),
        since: sinceOf(agent) ?? now,
        open: () => openAgent(key),
      };
    });
}

/** Keeps the list of who needs the person, and says when an agent has ended its work while nobody looks. */
export function followAgents(): () => void {
  const first = new Map<string, number>();
  return useAgents.subscribe((state, before) => {
    if (state.agents === before.agents && state.backends === before.backends)
      return;
    const needs = agentNeeds(state, Date.now()).map((need) => {
      // Since when it waits is what was seen first: what else happens to it does not begin the wait anew.
      const since = first.get(need.id) ?? need.since;
      first.set(need.id, since);
      return { ...need, since };
    });
    for (const id of first.keys())
      if (!needs.some((need) => need.id === id)) first.delete(id);
    setNeeds("agents", needs);
    for (const agent of Object.values(state.agents))
      tellEnd(before.agents[keyOfAgent(agent)], agent);
  });
}

function tellEnd(before: AgentInfo | undefined, now: AgentInfo): void {
  const worked =
    before?.status.state === "working" || before?.status.state === "needs_you";
  if (!worked) return;
  if (now.status.state === "done") tellPerson(`${agentTitle(now)} is done`, "");
  if (now.status.state === "failed")
    tellPerson(`${agentTitle(now)} failed`, now.last_error ?? "");
}
