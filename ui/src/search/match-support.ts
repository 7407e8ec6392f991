import type { Match, PaneId } from "../bindings";

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
