/** Somebody who works in a worktree, to go to or to tell something; other features know them. */
export interface Target {
  id: string;
  label: string;
  /** What tells it from another one: its program, its state. */
  detail: string;
  kind: "pane" | "agent";
  /** A shell waits there: it would take a message for a command. */
  shell: boolean;
  open: () => void;
  /** Hands over a message; `send`: and enters it, as if the person pressed Enter. */
  tell: (text: string, send: boolean) => void;
}

/** Who works on both sides of a verdict. */
export interface Targets {
  left: Target[];
  right: Target[];
}

/** The one who is most likely meant: an agent, else a program, else a shell. */
export function likeliest(targets: Target[]): Target | null {
  return (
    targets.find(({ kind }) => kind === "agent") ??
    targets.find(({ shell }) => !shell) ??
    targets[0] ??
    null
  );
}
