import {
  DoneIcon,
  EndedIcon,
  FailedIcon,
  IdleIcon,
  NeedsYouIcon,
  WorkingIcon,
} from "./icons";

/** What whoever works here is doing, as people read it. */
export type Doing =
  | "idle"
  | "working"
  | "needs you"
  | "done"
  | "failed"
  | "ended";

const ICONS: Record<Doing, typeof IdleIcon> = {
  idle: IdleIcon,
  working: WorkingIcon,
  "needs you": NeedsYouIcon,
  done: DoneIcon,
  failed: FailedIcon,
  ended: EndedIcon,
};

/** A shape and a colour for what is being done, with the word, or a more exact one, as its hint. */
export function StateIcon({
  state,
  word = state,
}: {
  state: Doing;
  word?: string;
}) {
  const Icon = ICONS[state];
  return (
    <span className="state" data-state={state} title={word}>
      <Icon size={14} />
    </span>
  );
}
