import { type KeyboardEvent, useRef } from "react";
import type { AgentKey } from "./agent-store";
import { useConversations } from "./conversations";
import type { Row } from "./timeline";

/** What was said to an agent, newest first, without what was said twice in a row. */
export function pastPrompts(rows: readonly Row[]): string[] {
  const past: string[] = [];
  for (const row of rows.toReversed())
    if (row.kind === "prompt" && row.text !== past.at(-1)) past.push(row.text);
  return past;
}

/** Where a walk through what was said has come to, and what was being written before it. */
export interface Walk {
  at: number;
  text: string;
  kept: string;
}

/** A step of the walk: further back, or towards what was being written; null where it goes no further. */
export function walked(
  past: readonly string[],
  walk: Walk | null,
  text: string,
  back: boolean,
): Walk | null {
  // Whoever changed what was found writes something of their own.
  const now = walk && walk.text === text ? walk : { at: -1, text, kept: text };
  const at = now.at + (back ? 1 : -1);
  if (at === -1) return { at, text: now.kept, kept: now.kept };
  const found = past[at];
  return found === undefined ? null : { at, text: found, kept: now.kept };
}

/** Arrow keys at the edges of what is being written find what was said before. */
export function usePastPrompts(
  agent: AgentKey,
  write: (text: string) => void,
): (event: KeyboardEvent<HTMLTextAreaElement>) => void {
  const walk = useRef<Walk | null>(null);
  return (event) => {
    const back = event.key === "ArrowUp";
    if (!back && event.key !== "ArrowDown") return;
    if (event.shiftKey || event.altKey || event.ctrlKey || event.metaKey)
      return;
    const { value, selectionStart, selectionEnd } = event.currentTarget;
    // Among several lines the keys go from one to the next.
    const beyond = back
      ? value.slice(0, selectionStart)
      : value.slice(selectionEnd);
    if (beyond.includes("\n")) return;
    const rows = useConversations.getState().timelines[agent]?.rows ?? [];
    const next = walked(pastPrompts(rows), walk.current, value, back);
    if (!next) return;
    event.preventDefault();
    walk.current = next;
    write(next.text);
  };
}
