import type { AgentStatus } from "../bindings";
import {
  DoneIcon,
  EndedIcon,
  FailedIcon,
  IdleIcon,
  NeedsYouIcon,
  WorkingIcon,
} from "../shared/icons";
import { statusWord } from "./agent-store";

const ICONS: Record<AgentStatus["state"], typeof IdleIcon> = {
  starting: WorkingIcon,
  working: WorkingIcon,
  needs_you: NeedsYouIcon,
  done: DoneIcon,
  failed: FailedIcon,
  idle: IdleIcon,
  asleep: EndedIcon,
  archived: EndedIcon,
  unknown: IdleIcon,
};

/** What an agent does: a shape and a colour, with the word as its hint. */
export function AgentState({ status }: { status: AgentStatus }) {
  const Icon = ICONS[status.state];
  const word = statusWord(status);
  const look = status.state === "starting" ? "working" : word;
  return (
    <span className="state" data-state={look} title={word}>
      <Icon size={14} />
    </span>
  );
}
