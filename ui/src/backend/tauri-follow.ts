import { Channel } from "@tauri-apps/api/core";
import {
  type AgentId,
  type BackendId,
  type ConversationStep,
  commands,
} from "../bindings";
import type { Backend } from "./backend";
import { ask } from "./tauri-ask";

/** Asks for one step of a conversation after the other: whoever is busy with one is not given the next. */
async function stepByStep(
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

export const followAgent: Backend["followAgent"] = (at, agent, onStep) => {
  const over = new AbortController();
  void stepByStep(at, agent, onStep, over.signal);
  return () => over.abort();
};

let nextFollowed = 1;

export const followFlow: Backend["followFlow"] = (path, listener) => {
  const id = nextFollowed++;
  const channel = new Channel<string>();
  let wanted = true;
  channel.onmessage = (text) => {
    if (wanted) listener(text);
  };
  const started = ask(() => commands.followFlow(id, path, channel));
  return () => {
    wanted = false;
    void started.then(() => ask(() => commands.unfollowFlow(id)));
  };
};
