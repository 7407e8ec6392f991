import { create } from "zustand";
import { backend } from "../backend/backend";
import { notify } from "./notices";
import { isInFront } from "./windows";

/** Something that waits for the person. */
export interface Need {
  /** Tells it apart from the other needs of its source. */
  id: string;
  kind: "pane" | "agent" | "approval" | "conflict";
  /** Who waits: "Terminal 3", "Approve the release". */
  title: string;
  /** What for, in a line. */
  detail?: string;
  /** Since when, in milliseconds since 1970. */
  since: number;
  /** Goes to where the person can answer. */
  open: () => void;
}

interface Needs {
  /** By source, so that each feature says anew what it knows, and nothing of the others. */
  sources: Record<string, Need[]>;
  /** The need that {@link goToNextNeed} opened last. */
  visited: string | null;
}

/** Everything that waits for the person, from every feature. */
export const useNeeds = create<Needs>(() => ({ sources: {}, visited: null }));

/** Replaces what `source` knows to wait for the person. */
export function setNeeds(source: string, needs: Need[]): void {
  const { sources } = useNeeds.getState();
  if (same(sources[source] ?? [], needs)) return;
  useNeeds.setState({ sources: { ...sources, [source]: needs } });
}

function same(before: Need[], after: Need[]): boolean {
  return (
    before.length === after.length &&
    before.every((need, index) => {
      const other = after[index];
      return (
        need.id === other?.id &&
        need.title === other.title &&
        need.detail === other.detail &&
        need.since === other.since
      );
    })
  );
}

/** A need among those of every source. */
export type NamedNeed = Need & { key: string };

/** Who waits longest comes first. */
export function needsInOrder(sources: Needs["sources"]): NamedNeed[] {
  return Object.entries(sources)
    .flatMap(([source, needs]) =>
      needs.map((need) => ({ ...need, key: `${source}/${need.id}` })),
    )
    .sort((a, b) => a.since - b.since || a.key.localeCompare(b.key));
}

/** Opens who waits longest; asked again, the one after it. */
export function goToNextNeed(): void {
  const { sources, visited } = useNeeds.getState();
  const needs = needsInOrder(sources);
  const at = needs.findIndex((need) => need.key === visited);
  const next = needs[at + 1] ?? needs[0];
  useNeeds.setState({ visited: next?.key ?? null });
  if (next) next.open();
  else notify("info", "Nothing waits for you.");
}

/** Tells the person through the desktop of each new need, when the window is not looked at. */
export function followNeeds(): () => void {
  const told = new Map<string, string | undefined>();
  return useNeeds.subscribe(({ sources }) => {
    const needs = needsInOrder(sources);
    const there = new Set(needs.map((need) => need.key));
    for (const key of told.keys()) if (!there.has(key)) told.delete(key);
    for (const { key, title, detail } of needs) {
      if (told.has(key) && told.get(key) === detail) continue;
      told.set(key, detail);
      tellPerson(`${title} needs you`, detail ?? "");
    }
  });
}

/** Says it through the desktop, once for all windows, unless one of them is looked at. */
export function tellPerson(title: string, body: string): void {
  if (!isInFront() || document.hasFocus()) return;
  void backend.notifyPerson(title, body);
}
