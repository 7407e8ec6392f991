import {
  type AgentId,
  type BackendId,
  type ConversationStep,
  commands,
  events,
} from "../bindings";
import type { AgentsBackend } from "./agents-backend";
import { ask, subscription } from "./tauri-ask";

/** Asks for one step of a conversation after the other: whoever is busy with one is not given the next. */
async function follow(
  at: BackendId,
  agent: AgentId,
  onStep: (step: ConversationStep) => void,
  over: AbortSignal,
): Promise<void> {
  const followed = await ask(() => commands.followAgent(at, agent));
  if (followed.status === "error") {
    if (!over.aborted)
      onStep({ step: "unread", reason: followed.error.message });
    return;
  }
  const end = () => void ask(() => commands.unfollowAgent(followed.data));
  if (over.aborted) end();
  over.addEventListener("abort", end);
  while (!over.aborted) {
    const next = await ask(() => commands.nextOfAgent(followed.data));
    if (over.aborted || next.status === "error" || next.data === null) return;
    onStep(next.data);
  }
}

export function tauriAgents(): AgentsBackend {
  return {
    knownAgents: () => ask(() => commands.knownAgents()),
    checkAgents: () => ask(() => commands.checkAgents()),
    startAgent: (at, agent) => ask(() => commands.startAgent(at, agent)),
    importAgent: (at, session) => ask(() => commands.importAgent(at, session)),
    promptAgent: (at, agent, prompt) =>
      ask(() => commands.promptAgent(at, agent, prompt)),
    stopAgent: (at, agent) => ask(() => commands.stopAgent(at, agent)),
    answerAgent: (at, agent, permission, answer) =>
      ask(() => commands.answerAgent(at, agent, permission, answer)),
    archiveAgent: (at, agent, force) =>
      ask(() => commands.archiveAgent(at, agent, force)),
    followAgent: (at, agent, onStep) => {
      const over = new AbortController();
      void follow(at, agent, onStep, over.signal);
      return () => over.abort();
    },
    addWorktree: (directory, name) =>
      ask(() => commands.addWorktree(directory, name)),
    onAgents: (listener) =>
      subscription(events.agentsHappened.listen((e) => listener(e.payload))),
  };
}
