import type { AgentStatus } from "../bindings";
import { type Doing, StateIcon } from "../shared/StateIcon";
import { statusWord } from "./agent-store";

const DOING: Record<AgentStatus["state"], Doing> = {
  starting: "working",
  working: "working",
  needs_you: "needs you",
  done: "done",
  failed: "failed",
  idle: "idle",
  asleep: "ended",
  archived: "ended",
  unknown: "idle",
};

/** What an agent does: a shape and a colour, with the word as its hint. */
export function AgentState({ status }: { status: AgentStatus }) {
  return <StateIcon state={DOING[status.state]} word={statusWord(status)} />;
}
