import { create } from "zustand";
import { backend } from "../backend/backend";
import { setDraft, useDrafts } from "../shared/drafts";
import { type AgentKey, agentOfKey } from "./agent-store";
import { applyStep, emptyTimeline, type Timeline } from "./timeline";

interface Conversations {
  timelines: Record<AgentKey, Timeline>;
}

/** The conversations that are open in this window. */
export const useConversations = create<Conversations>(() => ({
  timelines: {},
}));

const followers = new Map<AgentKey, { count: number; stop: () => void }>();

/** Follows a conversation for as long as a view shows it; two views share one. */
export function followConversation(key: AgentKey): () => void {
  const known = followers.get(key);
  if (known) known.count++;
  else {
    const { backend: at, agent } = agentOfKey(key);
    const stop = backend.followAgent(at, agent, (step) =>
      useConversations.setState(({ timelines }) => ({
        timelines: {
          ...timelines,
          [key]: applyStep(timelines[key] ?? emptyTimeline, step),
        },
      })),
    );
    followers.set(key, { count: 1, stop });
  }
  return () => {
    const follower = followers.get(key);
    if (!follower || --follower.count > 0) return;
    follower.stop();
    followers.delete(key);
    useConversations.setState(({ timelines }) => {
      const { [key]: _closed, ...others } = timelines;
      return { timelines: others };
    });
  };
}

/** Where what the person is writing to an agent is kept until it is said. */
export function draftTo(key: AgentKey): string {
  return `agent:${key}`;
}

/** Puts a text to what the person is writing. */
export function writeAlso(key: AgentKey, text: string): void {
  const place = draftTo(key);
  const before = useDrafts.getState().drafts[place]?.text ?? "";
  setDraft(place, before.trim() === "" ? text : `${before}\n\n${text}`);
}
