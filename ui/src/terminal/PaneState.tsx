import type { PaneInfo } from "../bindings";
import {
  DoneIcon,
  EndedIcon,
  FailedIcon,
  IdleIcon,
  NeedsYouIcon,
  WorkingIcon,
} from "../shared/icons";

/** A pane's state as people read it: an icon, a word, and the word's colour. */
export type StateName =
  | "idle"
  | "working"
  | "needs you"
  | "done"
  | "failed"
  | "ended";

export function stateOf(
  pane: Pick<PaneInfo, "attention" | "state">,
): StateName {
  switch (pane.attention) {
    case "needs_you":
      return "needs you";
    case "working":
      return "working";
    case "done":
      return "done";
    case "failed":
      return "failed";
    case "idle":
      return pane.state.state === "exited" ? "ended" : "idle";
  }
}

const ICONS: Record<StateName, typeof IdleIcon> = {
  idle: IdleIcon,
  working: WorkingIcon,
  "needs you": NeedsYouIcon,
  done: DoneIcon,
  failed: FailedIcon,
  ended: EndedIcon,
};

export function StateIcon({ state }: { state: StateName }) {
  const Icon = ICONS[state];
  return (
    <span className="state" data-state={state} title={state}>
      <Icon size={14} />
    </span>
  );
}
