import { useRef } from "react";
import { create } from "zustand";
import { backend } from "../backend/backend";

interface Touched {
  /** How often something was touched, by worktree. */
  counts: Record<string, number>;
  /** How often it was not told in which. */
  anywhere: number;
}

/** When what was read of a worktree may be old. */
const useTouched = create<Touched>(() => ({ counts: {}, anywhere: 0 }));

/** A number that is another one whenever something was touched in a worktree. */
export function useTouches(worktree: string): number {
  return useTouched(
    ({ counts, anywhere }) => anywhere + (counts[worktree] ?? 0),
  );
}

/** What was touched, as long as somebody looks; what was touched meanwhile counts when somebody does. */
export function useTouchesWhile(visible: boolean, worktree: string): number {
  const touches = useTouches(worktree);
  const seen = useRef({ worktree, touches });
  if (visible || seen.current.worktree !== worktree)
    seen.current = { worktree, touches };
  return seen.current.touches;
}

/** What a telling makes of the counts. */
export function touch(state: Touched, worktrees: string[] | null): Touched {
  if (worktrees === null) return { ...state, anywhere: state.anywhere + 1 };
  const counts = { ...state.counts };
  for (const worktree of worktrees)
    counts[worktree] = (counts[worktree] ?? 0) + 1;
  return { ...state, counts };
}

/** Something was done to a worktree from here: what was read of it is old, whoever else may tell so later. */
export function touched(worktree: string): void {
  useTouched.setState((state) => touch(state, [worktree]));
}

/** Follows what is touched, for as long as the page lives. */
export function followTouched(): () => void {
  return backend.onWorktreesTouched((worktrees) =>
    useTouched.setState((state) => touch(state, worktrees)),
  );
}
