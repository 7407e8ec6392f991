import { useMemo } from "react";
import { create } from "zustand";
import { setDraft, useDrafts } from "../shared/drafts";
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
  /** It waits for the person's word: what was to come before it did not go well, or it is from an earlier window. */
  held: boolean;
}

/** The agents to whom what waits is said without a further word. What waits is a draft, and outlives its window. */
export const useFreed = create<{ freed: Record<AgentKey, true> }>(() => ({
  freed: {},
}));

function placeOf(agent: AgentKey): string {
  return `agent-queue:${agent}`;
}

export function queueOf(agent: AgentKey): Queue {
  const draft = useDrafts.getState().drafts[placeOf(agent)];
  return queue(draft?.text, useFreed.getState().freed[agent]);
}

export function useQueue(agent: AgentKey): Queue {
  const text = useDrafts(({ drafts }) => drafts[placeOf(agent)]?.text);
  const freed = useFreed(({ freed }) => freed[agent]);
  return useMemo(() => queue(text, freed), [text, freed]);
}

function queue(text: string | undefined, freed: true | undefined): Queue {
  const texts = textsIn(text);
  return { texts, held: texts.length > 0 && !freed };
}

/** The texts in a draft; what is none of ours has none. */
function textsIn(draft: string | undefined): string[] {
  try {
    const texts: unknown = JSON.parse(draft ?? "[]");
    return Array.isArray(texts)
      ? texts.filter((text) => typeof text === "string")
      : [];
  } catch {
    return [];
  }
}

function keep(agent: AgentKey, { texts, held }: Queue): void {
  useFreed.setState(({ freed: { [agent]: _before, ...freed } }) => ({
    freed: held || texts.length === 0 ? freed : { ...freed, [agent]: true },
  }));
  setDraft(placeOf(agent), texts.length > 0 ? JSON.stringify(texts) : null);
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
