import type { Backend, Result } from "../backend/backend";
import type {
  AgentEvent,
  AgentInfo,
  AgentsEvent,
  BackendAgents,
  BackendInfo,
  ConversationStep,
  KnownSession,
  Personas,
  TimelineEntry,
} from "../bindings";

/** The agents of the twin, and what a test may do to them and see of them. */
export interface MemoryAgents {
  /** Backends by id. */
  backends: Map<string, BackendInfo>;
  agents: Map<string, AgentInfo>;
  /** What was asked of agents, as lines. */
  asked: string[];
  /** Adds a backend, or changes what is known of it, and tells it. */
  backend(info: Partial<BackendInfo> & { id: string }): void;
  /** What its ACP agents remember. */
  sessions: KnownSession[];
  /** The personas of every directory. */
  personas: Personas;
  /** Adds an agent, or changes what is known of it, and tells it. */
  agent(info: Partial<AgentInfo> & { id: string }): AgentInfo;
  /** Says something in an agent's conversation. */
  happen(agent: string, ...events: AgentEvent[]): void;
  tell(event: AgentsEvent): void;
}

const ok = <T>(data: T): Promise<Result<T>> =>
  Promise.resolve({ status: "ok", data });

const no = <T>(
  code: "bad_id" | "bad_params" | "refused",
  message: string,
): Promise<Result<T>> =>
  Promise.resolve({
    status: "error",
    error: { code, message, position: null },
  });

/** Agents as a daemon would have them: one answers by saying what it was told. */
export function memoryAgents() {
  const backends = new Map<string, BackendInfo>();
  const agents = new Map<string, AgentInfo>();
  const timelines = new Map<string, TimelineEntry[]>();
  const followers = new Map<string, Set<(step: ConversationStep) => void>>();
  const listeners = new Set<(event: AgentsEvent) => void>();
  const asked: string[] = [];
  const sessions: KnownSession[] = [];

  function tell(event: AgentsEvent) {
    for (const listener of [...listeners]) listener(event);
  }

  function backend(info: Partial<BackendInfo> & { id: string }) {
    const kind = info.id.split(":")[0] as BackendInfo["kind"];
    const before = backends.get(info.id) ?? {
      id: info.id,
      kind,
      health: { state: "up", version: null, transport: "socket" },
      busy: false,
      found: false,
    };
    const now: BackendInfo = { ...before, ...info };
    backends.set(info.id, now);
    tell({ event: "backend", backend: now });
  }

  function agent(info: Partial<AgentInfo> & { id: string }): AgentInfo {
    const before = agents.get(info.id) ?? {
      backend: "paseo:localhost:6767",
      id: info.id,
      title: null,
      provider: "claude",
      model: null,
      status: { state: "idle" },
      cwd: "/home/you/project",
      created_at: null,
      updated_at: null,
      labels: {},
      permissions: [],
      last_error: null,
      session: null,
      offers: { settings: [], commands: [], images: false },
      usage: null,
    };
    const now: AgentInfo = { ...before, ...info };
    agents.set(info.id, now);
    if (!backends.has(now.backend)) backend({ id: now.backend });
    tell({ event: "changed", agent: now });
    return now;
  }

  function happen(id: string, ...events: AgentEvent[]) {
    const timeline = timelines.get(id) ?? [];
    timelines.set(id, timeline);
    for (const event of events) timeline.push({ at: null, event });
    for (const follower of [...(followers.get(id) ?? [])])
      follower({ step: "more", events });
  }

  function of(at: string): BackendAgents {
    const info = backends.get(at);
    if (!info) throw new Error(`no backend ${at}`);
    return {
      backend: info,
      agents: [...agents.values()].filter((one) => one.backend === at),
      error: info.health.state === "down" ? info.health.reason : null,
    };
  }

  /** The personas of every directory, and what is wrong with other files. */
  const personas: Personas = { personas: [], problems: [] };

  return {
    backends,
    agents,
    asked,
    sessions,
    personas,
    backend,
    agent,
    happen,
    tell,
    knownAgents: () => ok([...backends.keys()].map(of)),
    checkAgents: () => ok(null),
    startAgent: (at, wanted) => {
      asked.push(`start at ${at} in ${wanted.cwd}`);
      return ok(
        agent({
          id: `agent-${agents.size + 1}`,
          backend: at,
          title: wanted.title ?? null,
          provider: wanted.provider || at.slice(at.indexOf(":") + 1),
          cwd: wanted.cwd ?? "/",
        }),
      );
    },
    listPersonas: () => ok(personas),
    startPersona: (at, name, wanted, prompt) => {
      asked.push(`start ${name} at ${at} in ${wanted.cwd}`);
      const persona = personas.personas.find((one) => one.name === name);
      if (!persona) return no("bad_params", `there is no persona ${name}`);
      return ok({
        agent: agent({
          id: `agent-${agents.size + 1}`,
          backend: at,
          title: wanted.title ?? name,
          provider: wanted.provider || at.slice(at.indexOf(":") + 1),
          cwd: wanted.cwd ?? "/",
        }),
        prompt: [persona.instructions, prompt].filter(Boolean).join("\n\n"),
      });
    },
    listAgentSessions: (at, cwd) =>
      at.startsWith("acp:")
        ? ok(sessions.filter((session) => session.cwd === cwd))
        : no("refused", `${at} can't list conversations`),
    importAgent: (at, session) => {
      asked.push(`import ${session.session} at ${at}`);
      return ok(
        agent({
          id: `agent-${agents.size + 1}`,
          backend: at,
          title: session.session ?? null,
        }),
      );
    },
    promptAgent: (_at, id, prompt) => {
      const known = agents.get(id);
      if (!known) return no("bad_id", `no agent is called \`${id}\``);
      const busy = ["working", "needs_you"].includes(known.status.state);
      if (busy && !prompt.replace)
        return no("refused", `agent \`${id}\` is working`);
      const text = prompt.text ?? "";
      asked.push(`prompt ${id}: ${text}`);
      agent({ id, status: { state: "working" } });
      happen(id, { event: "prompt", text }, { event: "started" });
      return ok(null);
    },
    stopAgent: (_at, id) => {
      asked.push(`stop ${id}`);
      const ran = agents.get(id)?.status.state === "working";
      agent({ id, status: { state: "idle" }, permissions: [] });
      happen(id, { event: "ended", outcome: { outcome: "cancelled" } });
      return ok(ran);
    },
    chooseForAgent: (_at, id, setting, value) => {
      asked.push(`choose ${id} ${setting}: ${value}`);
      const offers = agents.get(id)?.offers;
      const settings = offers?.settings?.map((known) =>
        known.id === setting ? { ...known, current: value } : known,
      );
      return ok(agent({ id, offers: { ...offers, settings: settings ?? [] } }));
    },
    answerAgent: (_at, id, permission, answer) => {
      const chosen = answer.answer === "choose" ? ` ${answer.option}` : "";
      asked.push(`answer ${id} ${permission}: ${answer.answer}${chosen}`);
      const left = (agents.get(id)?.permissions ?? []).filter(
        (request) => request.id !== permission,
      );
      agent({ id, permissions: left, status: { state: "working" } });
      const words =
        answer.answer === "choose"
          ? answer.option
          : answer.answer === "deny"
            ? "denied"
            : "allowed";
      happen(id, {
        event: "permission_resolved",
        id: permission,
        answer: words,
      });
      return ok(null);
    },
    forkAgent: (at, id) => {
      asked.push(`fork ${id}`);
      const { title = null } = agents.get(id) ?? {};
      return ok(agent({ id: `fork-of-${id}`, backend: at, title }));
    },
    archiveAgent: (at, id) => {
      asked.push(`archive ${id}`);
      agents.delete(id);
      tell({ event: "removed", backend: at, agent: id });
      return ok({ at: null, already: false });
    },
    followAgent: (_at, id, onStep) => {
      const set = followers.get(id) ?? new Set();
      followers.set(id, set);
      onStep({ step: "whole", entries: [...(timelines.get(id) ?? [])] });
      set.add(onStep);
      return () => set.delete(onStep);
    },
    addWorktree: (directory, name) => {
      asked.push(`worktree ${name} of ${directory}`);
      return ok({
        path: `${directory}-${name}`,
        branch: name,
        copied: [],
        left_out: [],
        run: [],
      });
    },
    onAgentsHappened: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } satisfies MemoryAgents & Partial<Backend>;
}
