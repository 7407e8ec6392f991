import type {
  AgentEvent,
  ConversationStep,
  Outcome,
  PermissionRequest,
  PlanItem,
  ToolCall,
  ToolDetail,
  Usage,
} from "../bindings";

/** One row of a conversation as it is shown. `id` stays what it is while the row grows. */
export type Row = { id: number; at: string | null } & (
  | { kind: "prompt"; text: string }
  | { kind: "text"; text: string }
  | { kind: "reasoning"; text: string }
  | { kind: "tool"; call: ToolCall }
  | { kind: "plan"; items: PlanItem[] }
  | {
      kind: "asked";
      request: PermissionRequest;
      answered: boolean;
      answer: string | null;
    }
  | { kind: "other"; name: string; text: string }
  | { kind: "notice"; text: string }
  | { kind: "usage"; usage: Usage }
  | { kind: "ended"; outcome: Outcome }
);

/** A conversation: what was said so far, and whether that is all of it. */
export interface Timeline {
  rows: Row[];
  next: number;
  /** Why what was said before can't be read back. */
  unread: string | null;
  /** Whether it was read back, or can't be. */
  read: boolean;
}

export const emptyTimeline: Timeline = {
  rows: [],
  next: 1,
  unread: null,
  read: false,
};

/** How far back a tool call or a question is looked for. */
const LOOK_BACK = 400;

/** What a step of the conversation makes of it. */
export function applyStep(
  timeline: Timeline,
  step: ConversationStep,
): Timeline {
  switch (step.step) {
    case "whole": {
      const whole: Timeline = { ...emptyTimeline, rows: [], read: true };
      for (const entry of step.entries) add(whole, entry.event, entry.at);
      return whole;
    }
    case "more": {
      const more = { ...timeline, rows: [...timeline.rows] };
      for (const event of step.events) add(more, event, null);
      return more;
    }
    case "unread":
      return { ...timeline, unread: step.reason, read: true };
  }
}

/** Adds an event to a timeline whose rows are its own. */
function add(timeline: Timeline, event: AgentEvent, at: string | null): void {
  const { rows } = timeline;
  const push = (row: Plain) => {
    rows.push({ ...row, id: timeline.next++, at } as Row);
  };
  const last = rows[rows.length - 1];
  switch (event.event) {
    case "prompt":
      push({ kind: "prompt", text: event.text });
      break;
    case "text":
    case "reasoning":
      if (last?.kind === event.event)
        rows[rows.length - 1] = { ...last, text: last.text + event.text };
      else push({ kind: event.event, text: event.text });
      break;
    case "tool": {
      const index = findBack(
        rows,
        (row) => row.kind === "tool" && row.call.id === event.call.id,
      );
      const known = rows[index];
      if (known?.kind === "tool")
        rows[index] = { ...known, call: merged(known.call, event.call) };
      else push({ kind: "tool", call: event.call });
      break;
    }
    case "plan": {
      const index = findBack(rows, (row) => row.kind === "plan", "prompt");
      const known = rows[index];
      if (known) rows[index] = { ...known, kind: "plan", items: event.items };
      else push({ kind: "plan", items: event.items });
      break;
    }
    case "permission": {
      const index = question(rows, event.request.id);
      if (index < 0)
        push({
          kind: "asked",
          request: event.request,
          answered: false,
          answer: null,
        });
      break;
    }
    case "permission_resolved": {
      const index = question(rows, event.id);
      const known = rows[index];
      if (known?.kind === "asked")
        rows[index] = {
          ...known,
          answered: true,
          answer: event.answer ?? null,
        };
      break;
    }
    case "usage": {
      const index = findBack(rows, (row) => row.kind === "usage", "prompt");
      const known = rows[index];
      if (known) rows[index] = { ...known, kind: "usage", usage: event.usage };
      else push({ kind: "usage", usage: event.usage });
      break;
    }
    case "other":
      push({ kind: "other", name: event.kind, text: event.text });
      break;
    case "notice":
      push({ kind: "notice", text: event.text });
      break;
    case "missed":
      push({ kind: "notice", text: "Some of what was said is not shown." });
      break;
    case "ended":
      if (event.outcome.outcome !== "completed")
        push({ kind: "ended", outcome: event.outcome });
      break;
    case "started":
      break;
  }
}

type Plain = Row extends infer One
  ? One extends Row
    ? Omit<One, "id" | "at">
    : never
  : never;

function question(rows: Row[], id: string): number {
  return findBack(rows, (row) => row.kind === "asked" && row.request.id === id);
}

/** The newest row that is looked for, not past a row of the kind `until`. */
function findBack(
  rows: Row[],
  wanted: (row: Row) => boolean,
  until?: Row["kind"],
): number {
  const end = Math.max(0, rows.length - LOOK_BACK);
  for (let index = rows.length - 1; index >= end; index--) {
    const row = rows[index];
    if (!row || row.kind === until) return -1;
    if (wanted(row)) return index;
  }
  return -1;
}

/** A later word on a tool call: what it does not say again stands. */
function merged(before: ToolCall, now: ToolCall): ToolCall {
  return {
    ...now,
    name: now.name || before.name,
    title: now.title ?? before.title,
    detail: now.detail
      ? mergedDetail(before.detail, now.detail)
      : before.detail,
  };
}

function mergedDetail(before: ToolDetail | null, now: ToolDetail): ToolDetail {
  const list = <One>(now: One[] = [], before: One[] = []) =>
    now.length > 0 ? now : before;
  return {
    kind: now.kind || (before?.kind ?? ""),
    paths: list(now.paths, before?.paths),
    command: now.command ?? before?.command ?? null,
    output: now.output ?? before?.output ?? null,
    changes: list(now.changes, before?.changes),
    input: now.input ?? before?.input ?? null,
  };
}

/** How a turn ended, for a person; empty when there is nothing to say. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.outcome) {
    case "completed":
      return "";
    case "needs_permission":
      return "It waits for an answer.";
    case "failed":
      return `Failed: ${outcome.message}`;
    case "timed_out":
      return "It took too long and was stopped.";
    case "cancelled":
      return "Stopped.";
  }
}
