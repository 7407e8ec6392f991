import { beforeEach, expect, it } from "vitest";
import type { AgentInfo, AgentStatus } from "../bindings";
import { setDraft, useDrafts } from "../shared/drafts";
import { type AgentsState, noAgents, useAgents } from "./agent-store";
import {
  enqueue,
  followQueues,
  holdQueue,
  putBack,
  queueOf,
  takeOut,
  useFreed,
} from "./queue";

const A = "acp:x\na";
let said: string[] = [];
let stop = () => {};

beforeEach(() => {
  stop();
  said = [];
  useFreed.setState({ freed: {} });
  useDrafts.setState({ drafts: {} });
  useAgents.setState(noAgents, true);
  stop = followQueues((agent, text) => said.push(`${agent}: ${text}`));
});

function is(state: AgentStatus["state"]): void {
  const agent = { backend: "acp:x", id: "a", status: { state } };
  const agents: AgentsState["agents"] = { [A]: agent as AgentInfo };
  useAgents.setState({ agents });
}

it("says one text a turn, in order", () => {
  is("working");
  enqueue(A, "one");
  enqueue(A, "two");
  is("needs_you");
  is("working");
  expect(said).toEqual([]);
  is("done");
  expect(said).toEqual([`${A}: one`]);
  is("working");
  is("done");
  expect(said).toEqual([`${A}: one`, `${A}: two`]);
  is("working");
  is("done");
  expect(said).toHaveLength(2);
});

it("waits for a word after a turn that failed or was stopped", () => {
  is("working");
  enqueue(A, "one");
  is("failed");
  is("working");
  is("done");
  expect(said).toEqual([]);
  expect(queueOf(A)).toEqual({ texts: ["one"], held: true });
  // A further text is a word.
  is("working");
  enqueue(A, "two");
  holdQueue(A);
  is("idle");
  expect(said).toEqual([]);
  enqueue(A, "three");
  is("working");
  is("idle");
  expect(said).toEqual([`${A}: one`]);
});

it("keeps what could not be said in its place", () => {
  enqueue(A, "two");
  putBack(A, "one");
  expect(queueOf(A)).toEqual({ texts: ["one", "two"], held: true });
  expect(takeOut(A, 1)).toBe("two");
  expect(takeOut(A, 1)).toBeNull();
  expect(takeOut(A, 0)).toBe("one");
  expect(useDrafts.getState().drafts).toEqual({});
});

it("outlives its window, and then waits for a word", () => {
  is("working");
  enqueue(A, "one");
  enqueue(A, "two");
  expect(takeOut(A, 0)).toBe("one");
  // Another window has what was typed, and nothing else.
  useFreed.setState({ freed: {} });
  expect(queueOf(A)).toEqual({ texts: ["two"], held: true });
  is("done");
  expect(said).toEqual([]);
  enqueue(A, "three");
  is("working");
  is("done");
  expect(said).toEqual([`${A}: two`]);
});

it("passes over a draft that is no list of texts", () => {
  for (const text of ["{", "3", '[3, "one"]'])
    setDraft(`agent-queue:${A}`, text);
  expect(queueOf(A).texts).toEqual(["one"]);
});
