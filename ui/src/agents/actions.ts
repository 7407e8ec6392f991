import { create } from "zustand";
import { backend } from "../backend/backend";
import type {
  AgentInfo,
  BackendId,
  ImportSession,
  NewAgent,
  PermissionAnswer,
} from "../bindings";
import { activePanel, findPanel, openPanel } from "../shared/dock/dock";
import { setDraft } from "../shared/drafts";
import { notify, reportFailure } from "../shared/notices";
import {
  type AgentKey,
  agentOfKey,
  agentTitle,
  isBusy,
  keyOfAgent,
  useAgents,
} from "./agent-store";
import { draftTo } from "./conversations";
import { enqueue, holdQueue, putBack, takeOut } from "./queue";

/** The kinds of panel that this feature has in the dock. */
export const AGENTS = "agents";
export const AGENT = "agent";

/** What the person is asked. */
export type AgentQuestion =
  | { ask: "new"; cwd?: string }
  | { ask: "import" }
  | { ask: "replace"; key: AgentKey; at: number }
  | { ask: "archive"; key: AgentKey };

export const useAgentQuestions = create<{ question: AgentQuestion | null }>(
  () => ({ question: null }),
);

export function askAboutAgents(question: AgentQuestion | null): void {
  useAgentQuestions.setState({ question });
}

/** Opens the hub: every agent on every host. */
export function openHub(): void {
  openPanel({ id: AGENTS, kind: AGENTS, title: "Agents", params: {} }, "roomy");
}

/** The panel of an agent's conversation. */
export function panelOfAgent(key: AgentKey): string {
  return `agent-${key.replace("\n", "-")}`;
}

/** Opens an agent's conversation, or brings it forward. */
export function openAgent(key: AgentKey): void {
  const agent = useAgents.getState().agents[key];
  openPanel({
    id: panelOfAgent(key),
    kind: AGENT,
    title: agent ? agentTitle(agent) : "Agent",
    params: agentOfKey(key),
  });
}

/** Which agent the parameters of a panel name. */
export function agentOfParams(params: unknown): AgentKey | null {
  if (typeof params !== "object" || params === null) return null;
  const { backend: at, agent } = params as Record<string, unknown>;
  return typeof at === "string" && typeof agent === "string"
    ? keyOfAgent({ backend: at, id: agent })
    : null;
}

/** The agent whose conversation is in front. */
export function activeAgent(): AgentKey | null {
  const panel = activePanel();
  return panel?.api.component === AGENT ? agentOfParams(panel.params) : null;
}

/** Whether an agent's conversation has a tab. */
export function hasTab(key: AgentKey): boolean {
  return findPanel((panel) => agentOfParams(panel.params) === key) !== null;
}

/** Says something to an agent. To one that works it is said when it is done: a prompt would cancel that. */
export async function say(key: AgentKey, text: string): Promise<void> {
  if (text.trim() === "") return;
  setDraft(draftTo(key), null);
  if (busyNow(key)) {
    enqueue(key, text);
    return;
  }
  const said = await prompt(key, text, false);
  if (said.status === "ok") return;
  // It may have begun to work a moment ago.
  if (said.error.code === "refused" && busyNow(key)) {
    enqueue(key, text);
    return;
  }
  // What was written is not lost with the failure.
  setDraft(draftTo(key), text);
  reportFailure(said);
}

/** Says what was to wait; the person is asked first where that cancels what the agent does. */
export function sayNow(key: AgentKey, at: number): void {
  if (busyNow(key)) {
    askAboutAgents({ ask: "replace", key, at });
    return;
  }
  const text = takeOut(key, at);
  if (text !== null) void sayQueued(key, text, false);
}

/** Says what has waited; what can't be said waits on. */
export async function sayQueued(
  key: AgentKey,
  text: string,
  replace: boolean,
): Promise<void> {
  const said = await prompt(key, text, replace);
  if (said.status === "ok") return;
  putBack(key, text);
  reportFailure(said);
}

function prompt(key: AgentKey, text: string, replace: boolean) {
  const { backend: at, agent } = agentOfKey(key);
  return backend.promptAgent(at, agent, {
    text,
    replace,
    stop_at_permission: false,
    timeout_ms: null,
  });
}

function busyNow(key: AgentKey): boolean {
  const agent = useAgents.getState().agents[key];
  return agent !== undefined && isBusy(agent.status);
}

export async function stopAgent(key: AgentKey): Promise<void> {
  // What was to follow may make no sense any more.
  holdQueue(key);
  const { backend: at, agent } = agentOfKey(key);
  const stopped = await backend.stopAgent(at, agent);
  if (!reportFailure(stopped) && stopped.status === "ok" && !stopped.data)
    notify("info", "It was not working.");
}

/** Puts an agent away; one that works is asked about first. */
export async function archiveAgent(
  key: AgentKey,
  force = false,
): Promise<void> {
  if (!force && busyNow(key)) {
    askAboutAgents({ ask: "archive", key });
    return;
  }
  const { backend: at, agent } = agentOfKey(key);
  const archived = await backend.archiveAgent(at, agent, force);
  if (reportFailure(archived)) return;
  const panel = findPanel((one) => agentOfParams(one.params) === key);
  panel?.api.close();
}

/** Makes another agent that knows what this one knows, and opens it. */
export async function forkAgent(key: AgentKey): Promise<void> {
  const { backend: at, agent } = agentOfKey(key);
  const fork = await backend.forkAgent(at, agent);
  if (!reportFailure(fork) && fork.status === "ok") opened(fork.data);
}

/** Chooses one of what an agent offers. */
export async function chooseForAgent(
  key: AgentKey,
  setting: string,
  value: string,
): Promise<void> {
  const { backend: at, agent } = agentOfKey(key);
  reportFailure(await backend.chooseForAgent(at, agent, setting, value));
}

export async function answerAgent(
  key: AgentKey,
  permission: string,
  answer: PermissionAnswer,
): Promise<void> {
  const { backend: at, agent } = agentOfKey(key);
  reportFailure(await backend.answerAgent(at, agent, permission, answer));
}

/** Answers the first question of the agent in front. */
export function answerInFront(answer: PermissionAnswer): void {
  const key = activeAgent();
  const asked = key && useAgents.getState().agents[key]?.permissions[0];
  if (key && asked) void answerAgent(key, asked.id, answer);
}

/** Where a new agent is to work: a directory that is there, or a worktree that is made for it. */
export type Place = { cwd: string; worktree: string | null };

/** Makes an agent, says the first words to it, and opens its conversation; says whether it came to be. */
export async function beginAgent(
  at: BackendId,
  wanted: Omit<NewAgent, "cwd">,
  place: Place,
  prompt: string,
  persona: string | null = null,
): Promise<string | null> {
  let { cwd } = place;
  if (place.worktree !== null) {
    const made = await backend.addWorktree(cwd, place.worktree);
    if (made.status === "error") return made.error.message;
    cwd = made.data.path;
  }
  const started = await startedAs(at, { ...wanted, cwd }, prompt, persona);
  if (started.status === "error") return started.error.message;
  const { agent, prompt: first } = started.data;
  opened(agent);
  if (first.trim() !== "") await say(keyOfAgent(agent), first);
  return null;
}

/** Starts an agent, as a persona or as itself; with it, what it is to be told first. */
async function startedAs(
  at: BackendId,
  wanted: NewAgent,
  prompt: string,
  persona: string | null,
) {
  if (persona !== null)
    return backend.startPersona(at, persona, wanted, prompt);
  const started = await backend.startAgent(at, wanted);
  return started.status === "error"
    ? started
    : { ...started, data: { agent: started.data, prompt } };
}

/** Takes over a conversation that a provider has; the reason when that failed. */
export async function importAgent(
  at: BackendId,
  session: ImportSession,
): Promise<string | null> {
  const imported = await backend.importAgent(at, session);
  if (imported.status === "error") return imported.error.message;
  opened(imported.data);
  return null;
}

/** The backend's own word may come a moment later: what it answered is known already. */
function opened(agent: AgentInfo): void {
  const key = keyOfAgent(agent);
  useAgents.setState(({ agents }) =>
    agents[key] ? {} : { agents: { ...agents, [key]: agent } },
  );
  openAgent(key);
}

export async function checkBackends(): Promise<void> {
  reportFailure(await backend.checkAgents());
}
