import { create } from "zustand";
import { backend } from "../backend/backend";
import type {
  AgentId,
  AgentInfo,
  AgentStatus,
  AgentsEvent,
  BackendAgents,
  BackendId,
  BackendInfo,
} from "../bindings";

/** Names one agent among those of all backends. */
export type AgentKey = string;

export interface AgentsState {
  backends: Record<BackendId, BackendInfo>;
  agents: Record<AgentKey, AgentInfo>;
  /** Why a backend's agents can't be told. */
  errors: Record<BackendId, string>;
  /** Whether anything was heard of agents yet. */
  listed: boolean;
  /** Why there are no agents at all: the person's file can't be used. */
  refused: string | null;
}

export const noAgents: AgentsState = {
  backends: {},
  agents: {},
  errors: {},
  listed: false,
  refused: null,
};

/** Every agent at every backend, as last told. */
export const useAgents = create<AgentsState>(() => noAgents);

export function keyOfAgent(agent: Pick<AgentInfo, "backend" | "id">): AgentKey {
  return `${agent.backend}\n${agent.id}`;
}

export function agentOfKey(key: AgentKey): {
  backend: BackendId;
  agent: AgentId;
} {
  const [backend = "", agent = ""] = key.split("\n");
  return { backend, agent };
}

/** What an event makes of the agents. */
export function applyAgentsEvent(
  state: AgentsState,
  event: AgentsEvent,
): AgentsState {
  switch (event.event) {
    case "backend":
      return {
        ...state,
        backends: { ...state.backends, [event.backend.id]: event.backend },
      };
    case "changed":
      return {
        ...state,
        agents: { ...state.agents, [keyOfAgent(event.agent)]: event.agent },
      };
    case "removed": {
      const { [`${event.backend}\n${event.agent}`]: _gone, ...agents } =
        state.agents;
      return { ...state, agents };
    }
    case "listed":
      return applyListed(state, event.listed);
    case "gone": {
      const { [event.backend]: _backend, ...backends } = state.backends;
      const { [event.backend]: _error, ...errors } = state.errors;
      return {
        ...state,
        backends,
        errors,
        agents: without(state.agents, event.backend),
      };
    }
    case "conversation":
    case "edit":
      return state;
  }
}

function applyListed(
  state: AgentsState,
  { backend: info, agents: listed, error }: BackendAgents,
): AgentsState {
  const agents = without(state.agents, info.id);
  for (const agent of listed) agents[keyOfAgent(agent)] = agent;
  const { [info.id]: _before, ...errors } = state.errors;
  if (error !== null) errors[info.id] = error;
  return {
    ...state,
    listed: true,
    refused: null,
    backends: { ...state.backends, [info.id]: info },
    agents,
    errors,
  };
}

function without(
  agents: Record<AgentKey, AgentInfo>,
  gone: BackendId,
): Record<AgentKey, AgentInfo> {
  return Object.fromEntries(
    Object.entries(agents).filter(([, agent]) => agent.backend !== gone),
  );
}

/** Lists the agents and follows what happens to them. */
export async function startAgents(): Promise<() => void> {
  useAgents.setState(noAgents, true);
  const stop = backend.onAgentsHappened((event) =>
    useAgents.setState((state) => applyAgentsEvent(state, event)),
  );
  const known = await backend.knownAgents();
  if (known.status === "error")
    useAgents.setState({ listed: true, refused: known.error.message });
  else
    useAgents.setState((state) =>
      known.data.reduce(applyListed, { ...state, listed: true }),
    );
  return stop;
}

/** One word for what an agent does, the same as on the command line. */
export function statusWord(status: AgentStatus): string {
  if (status.state === "needs_you") return "needs you";
  return status.state === "unknown" ? status.word : status.state;
}

/** Whether a turn is under way, so that another prompt would cancel it. */
export function isBusy(status: AgentStatus): boolean {
  return ["starting", "working", "needs_you"].includes(status.state);
}

/** What people call an agent. */
export function agentTitle(agent: Pick<AgentInfo, "title" | "id">): string {
  return agent.title?.trim() || agent.id.slice(0, 8);
}

/** The machine that an agent works on; empty for this one. */
export function machineOf(id: BackendId): string {
  if (!/^(paseo|opencode):/.test(id)) return "";
  const host = nameOf(id);
  return /^(localhost|127\.|\[::1\]|unix:|\/)/.test(host) ? "" : host;
}

/** What follows the kind: the host's address, the program's name. */
export function nameOf(id: BackendId): string {
  return id.slice(id.indexOf(":") + 1);
}

/** Since when an agent is as it is, in milliseconds since 1970, as far as it is told. */
export function sinceOf(agent: AgentInfo): number | null {
  const told = Date.parse(agent.updated_at ?? "");
  return Number.isNaN(told) ? null : told;
}

/** Which agents are shown: by how they stand. */
export type Standing =
  | "all"
  | "needs_you"
  | "working"
  | "done"
  | "failed"
  | "idle";

export function standingOf(agent: AgentInfo): Standing {
  switch (agent.status.state) {
    case "needs_you":
    case "done":
    case "failed":
      return agent.status.state;
    case "starting":
    case "working":
      return "working";
    default:
      return "idle";
  }
}

export interface AgentGroup {
  key: string;
  /** The directory that its agents work in. */
  cwd: string;
  /** On which machine; empty for this one. */
  machine: string;
  agents: AgentInfo[];
}

/** Agents by the worktree they work in. Places are in order of their names, so that nothing jumps when an agent works. */
export function groupAgents(agents: Iterable<AgentInfo>): AgentGroup[] {
  const groups = new Map<string, AgentGroup>();
  for (const agent of agents) {
    const machine = machineOf(agent.backend);
    const key = `${machine}\n${agent.cwd}`;
    const group = groups.get(key);
    if (group) group.agents.push(agent);
    else groups.set(key, { key, cwd: agent.cwd, machine, agents: [agent] });
  }
  for (const group of groups.values())
    group.agents.sort(
      (a, b) =>
        (a.created_at ?? "").localeCompare(b.created_at ?? "") ||
        agentTitle(a).localeCompare(agentTitle(b)),
    );
  return [...groups.values()].sort(
    (a, b) => a.machine.localeCompare(b.machine) || a.cwd.localeCompare(b.cwd),
  );
}

/** When something last happened to an agent, in milliseconds since 1970; 0 where nothing is told. */
function activityOf(agent: AgentInfo): number {
  return sinceOf(agent) ?? (Date.parse(agent.created_at ?? "") || 0);
}

/** Places and their agents, those first where something happened last. */
export function byActivity(groups: AgentGroup[]): AgentGroup[] {
  const newest = (group: AgentGroup) =>
    Math.max(...group.agents.map(activityOf));
  return groups
    .map((group) => ({
      ...group,
      agents: group.agents.toSorted((a, b) => activityOf(b) - activityOf(a)),
    }))
    .sort((a, b) => newest(b) - newest(a));
}

/** Whether an agent answers to what a person typed: any of its words, in any order. */
export function answersTo(agent: AgentInfo, wanted: string): boolean {
  const text = [
    agent.title,
    agent.id,
    agent.cwd,
    agent.provider,
    agent.model,
    agent.backend,
    statusWord(agent.status),
  ]
    .join(" ")
    .toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** A backend that the person asked for and that does not answer, and why. */
export interface Trouble {
  backend: BackendInfo;
  reason: string;
}

/** The hosts and programs that do not answer; those that nobody asked for are no trouble. */
export function troubles(
  state: Pick<AgentsState, "backends" | "errors">,
): Trouble[] {
  return Object.values(state.backends)
    .filter((info) => !info.found)
    .flatMap((info) => {
      const reason =
        info.health.state === "down"
          ? info.health.reason
          : state.errors[info.id];
      return reason === undefined ? [] : [{ backend: info, reason }];
    });
}

/** What an agent waits for, in a line. */
export function wish(agent: AgentInfo): string {
  const asked = agent.permissions[0];
  if (!asked) return "";
  const paths = asked.detail?.paths?.join(", ") ?? "";
  const about = (asked.detail?.command ?? paths) || null;
  return about === null
    ? (asked.title ?? asked.tool)
    : `${asked.tool}: ${about}`;
}

/** The pane in which a program answers, for a backend of the kind `command`. */
export function paneOf(info: AgentInfo): number | null {
  const found = info.backend.startsWith("command:")
    ? /^pane (\d+)$/.exec(info.session ?? "")
    : null;
  return found ? Number(found[1]) : null;
}

/** Whether a program answers for an agent in a pane. */
export function hasPane(info: AgentInfo): boolean {
  return paneOf(info) !== null;
}

/** Why a backend does not answer, with its name in front where the reason does not hold it. */
export function whyDown(backend: BackendId, reason: string): string {
  const name = nameOf(backend);
  return reason.includes(name) ? reason : `${name} is down: ${reason}`;
}
