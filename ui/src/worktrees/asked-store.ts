import { create } from "zustand";

/** What a person asked for of worktrees, and has not answered yet. */
export type Asked =
  | { what: "new"; directory: string }
  | { what: "list"; directory: string }
  | { what: "rename"; worktree: string; branch: string }
  | { what: "remove"; worktree: string };

export const useAsked = create<{ asked: Asked | null }>(() => ({
  asked: null,
}));

export function ask(asked: Asked): void {
  useAsked.setState({ asked });
}

export function closeAsked(): void {
  useAsked.setState({ asked: null });
}
