import { describe, expect, it } from "vitest";
import type { AgentEvent, ToolCall } from "../bindings";
import { applyStep, emptyTimeline, type Row } from "./timeline";

function said(...events: AgentEvent[]): Row[] {
  return applyStep(emptyTimeline, { step: "more", events }).rows;
}

function tool(change: Partial<ToolCall>): AgentEvent {
  return {
    event: "tool",
    call: {
      id: "1",
      name: "edit",
      title: null,
      status: "running",
      detail: null,
      error: null,
      ...change,
    },
  };
}

describe("a conversation", () => {
  it("joins what comes in pieces and keeps kinds apart", () => {
    const rows = said(
      { event: "prompt", text: "Go" },
      { event: "started" },
      { event: "reasoning", text: "hm" },
      { event: "reasoning", text: "m" },
      { event: "text", text: "One " },
      { event: "text", text: "two." },
    );
    expect(rows.map((row) => [row.kind, "text" in row && row.text])).toEqual([
      ["prompt", "Go"],
      ["reasoning", "hmm"],
      ["text", "One two."],
    ]);
  });

  it("shows a tool call where it began, with all that was told of it", () => {
    const rows = said(
      tool({ detail: { kind: "edit", paths: ["a.rs"] } }),
      { event: "text", text: "meanwhile" },
      tool({
        status: "completed",
        detail: { kind: "", changes: [{ path: "a.rs", new_text: "y" }] },
      }),
    );
    expect(rows.map((row) => row.kind)).toEqual(["tool", "text"]);
    const call = rows[0]?.kind === "tool" ? rows[0].call : null;
    expect(call?.status).toBe("completed");
    expect(call?.detail).toMatchObject({
      kind: "edit",
      paths: ["a.rs"],
      changes: [{ path: "a.rs", new_text: "y" }],
    });
  });

  it("replaces the plan of a turn, and begins another in the next", () => {
    const plan = (text: string): AgentEvent => ({
      event: "plan",
      items: [{ text, state: "waiting" }],
    });
    const rows = said(
      plan("a"),
      { event: "text", text: "…" },
      plan("b"),
      { event: "prompt", text: "more" },
      plan("c"),
    );
    expect(rows.map((row) => row.kind)).toEqual([
      "plan",
      "text",
      "prompt",
      "plan",
    ]);
  });

  it("marks a question as answered, and says a bad end only", () => {
    const rows = said(
      {
        event: "permission",
        request: {
          id: "p",
          tool: "execute",
          title: null,
          detail: null,
          options: [],
        },
      },
      { event: "permission_resolved", id: "p", answer: "Yes, once" },
      { event: "ended", outcome: { outcome: "completed" } },
      { event: "ended", outcome: { outcome: "failed", message: "no" } },
    );
    expect(rows).toMatchObject([
      { kind: "asked", answered: true, answer: "Yes, once" },
      { kind: "ended" },
    ]);
  });

  it("is replaced by the whole, which is read back after a gap", () => {
    const before = applyStep(emptyTimeline, {
      step: "more",
      events: [{ event: "text", text: "half" }],
    });
    const after = applyStep(before, {
      step: "whole",
      entries: [{ at: null, event: { event: "text", text: "half and more" } }],
    });
    expect(after.rows).toMatchObject([{ text: "half and more" }]);
  });

  it("keeps the rows that did not change as they are", () => {
    const before = applyStep(emptyTimeline, {
      step: "more",
      events: [
        { event: "prompt", text: "Go" },
        { event: "text", text: "a" },
      ],
    });
    const after = applyStep(before, {
      step: "more",
      events: [{ event: "text", text: "b" }],
    });
    expect(after.rows[0]).toBe(before.rows[0]);
    expect(before.rows[1]).toMatchObject({ text: "a" });
  });
});
