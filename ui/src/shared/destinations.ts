import { create } from "zustand";
import { useDock } from "./dock/dock";

/** Something that a person can go to by its name. */
export interface Destination {
  /** Where it is a panel of the dock, that panel's id. */
  key: string;
  /** What it is, in a word: "Pane", "Run". */
  kind: string;
  title: string;
  detail: string;
  open: () => void;
}

const KEPT = 60;

/** Where the person was, the latest first. */
export const useVisited = create<{ visited: string[] }>(() => ({
  visited: [],
}));

/** Remembers that the person went somewhere. */
export function visit(key: string): void {
  useVisited.setState(({ visited }) => ({
    visited: [key, ...visited.filter((other) => other !== key)].slice(0, KEPT),
  }));
}

/** Remembers each panel that comes to the front. */
export function followVisits(): () => void {
  return useDock.subscribe(({ activeId }, before) => {
    if (activeId !== null && activeId !== before.activeId) visit(activeId);
  });
}

/** The latest first, then the rest as they came; where one is already comes last, as nobody goes there. */
export function byVisit(
  destinations: Destination[],
  visited: string[],
  here: string | null,
): Destination[] {
  const rank = new Map(visited.map((key, index) => [key, index]));
  const of = ({ key }: Destination) =>
    key === here
      ? Number.POSITIVE_INFINITY
      : (rank.get(key) ?? Number.MAX_SAFE_INTEGER);
  return [...destinations].sort((a, b) => {
    const [first, second] = [of(a), of(b)];
    return first === second ? 0 : first - second;
  });
}
