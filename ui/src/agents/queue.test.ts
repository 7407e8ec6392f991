import { beforeEach, expect, it } from "vitest";
import type { AgentInfo, AgentStatus } from "../bindings";
import { type AgentsState, noAgents, useAgents } from "./agent-store";
import {
  enqueue,
  followQueues,
  holdQueue,
  putBack,
  queueOf,
  takeOut,
  useQueues,
} from "./queue";

const A = "acp:x\na";
let said: string[] = [];
let stop = () => {};

beforeEach(() => {
  stop();
  said = [];
  useQueues.setState({ queues: {} });
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
  expect(useQueues.getState().queues).toEqual({});
});
