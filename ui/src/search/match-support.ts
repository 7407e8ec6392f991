import type { Match, PaneId, TranscriptHit } from "../bindings";

/** A match as a test needs it. */
export function lineMatch(
  pane: PaneId,
  line: number,
  content = "found",
): Match {
  return {
    pane,
    line,
    line_number: line + 1,
    content,
    ranges: [{ start: 0, end: 5, start_col: 0, end_col: 5 }],
    context_before: [],
    context_after: [],
    source: "ring",
    full_screen: false,
  };
}

/** A line of a conversation as a test needs it. */
export function saidHit(message: string, content = "found"): TranscriptHit {
  return {
    conversation: {
      agent: "claude",
      file: "/home/you/.claude/projects/shop/one.jsonl",
      session: "one",
      directory: "/home/you/shop",
      title: "Mend the shop",
    },
    message,
    role: "agent",
    when: null,
    content,
    ranges: [{ start: 0, end: 5 }],
  };
}
