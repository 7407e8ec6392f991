import { create } from "zustand";
import {
  type AgentKey,
  type AgentsState,
  isBusy,
  useAgents,
} from "./agent-store";

/** What is to be said to an agent that works, once it is done. */
export interface Queue {
  /** The oldest first. */
  texts: readonly string[];
  /** It waits for the person's word: what was to come before it did not go well. */
  held: boolean;
}

const nothing: Queue = { texts: [], held: false };

/** What waits, by the agent it is for. */
export const useQueues = create<{ queues: Record<AgentKey, Queue> }>(() => ({
  queues: {},
}));

export function queueOf(agent: AgentKey): Queue {
  return useQueues.getState().queues[agent] ?? nothing;
}

export function useQueue(agent: AgentKey): Queue {
  return useQueues(({ queues }) => queues[agent] ?? nothing);
}

function keep(agent: AgentKey, queue: Queue): void {
  useQueues.setState(({ queues: { [agent]: _before, ...queues } }) => ({
    queues: queue.texts.length > 0 ? { ...queues, [agent]: queue } : queues,
  }));
}

/** Has a text said to an agent when its turn has ended. */
export function enqueue(agent: AgentKey, text: string): void {
  keep(agent, { texts: [...queueOf(agent).texts, text], held: false });
}

/** Puts what could not be said back where it was, and says nothing more without the person. */
export function putBack(agent: AgentKey, text: string): void {
  keep(agent, { texts: [text, ...queueOf(agent).texts], held: true });
}

/** Says nothing of it without the person. */
export function holdQueue(agent: AgentKey): void {
  keep(agent, { ...queueOf(agent), held: true });
}

/** Takes a text out, and returns it. */
export function takeOut(agent: AgentKey, at: number): string | null {
  const queue = queueOf(agent);
  const text = queue.texts[at];
  if (text === undefined) return null;
  keep(agent, { ...queue, texts: queue.texts.toSpliced(at, 1) });
  return text;
}

/** The agents whose turns have just ended, and which of them went well. */
export function justEnded(
  before: AgentsState["agents"],
  now: AgentsState["agents"],
): { key: AgentKey; well: boolean }[] {
  return Object.entries(now).flatMap(([key, { status }]) => {
    const was = before[key];
    if (!was || !isBusy(was.status) || isBusy(status)) return [];
    return [{ key, well: status.state === "done" || status.state === "idle" }];
  });
}

/** Has `sayIt` say what waits whenever a turn has ended; one that did not go well is for the person to look at first. */
export function followQueues(
  sayIt: (agent: AgentKey, text: string) => void,
): () => void {
  return useAgents.subscribe(({ agents }, { agents: before }) => {
    if (agents === before) return;
    for (const { key, well } of justEnded(before, agents)) {
      if (!well) holdQueue(key);
      if (queueOf(key).held) continue;
      const text = takeOut(key, 0);
      if (text !== null) sayIt(key, text);
    }
  });
}
