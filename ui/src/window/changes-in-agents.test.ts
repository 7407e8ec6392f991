import { beforeEach, expect, test, vi } from "vitest";
import { keyOfAgent, useAgents } from "../agents/agent-store";
import { enqueue } from "../agents/queue";
import type { AgentInfo, AgentStatus } from "../bindings";
import type { Target } from "../shared/targets";
import { freshBackend } from "../test-support";
import { counting, followAnswers } from "./changes-in-agents";
import { targetOfAgent } from "./conflicts-in-panes";

const agent = { backend: "acp:x", id: "a1" };
const key = keyOfAgent(agent);

function becomes(state: AgentStatus["state"]) {
  const now = { ...agent, status: { state } } as AgentInfo;
  useAgents.setState({ agents: { [key]: now } });
}

let answered: string[];

beforeEach(() => {
  const twin = freshBackend();
  answered = [];
  vi.spyOn(twin, "answeredRemarks").mockImplementation((to) => {
    answered.push(to);
    return Promise.resolve({ status: "ok", data: null });
  });
  becomes("idle");
  return followAnswers();
});

function tell() {
  const target: Target = {
    id: targetOfAgent(key),
    label: "X",
    detail: "",
    kind: "agent",
    shell: false,
    open: () => {},
    tell: () => {},
  };
  counting([target])[0]?.tell("Why?", true);
}

test("what an agent was told is answered when its turn has ended", () => {
  tell();
  becomes("working");
  expect(answered).toEqual([]);
  becomes("done");
  expect(answered).toEqual([targetOfAgent(key)]);
});

test("one that was at work answers with the turn after that, and after what waited before", () => {
  becomes("working");
  enqueue(key, "something else");
  tell();
  for (let turn = 0; turn < 2; turn++) {
    becomes("done");
    becomes("working");
    expect(answered).toEqual([]);
  }
  becomes("done");
  expect(answered).toEqual([targetOfAgent(key)]);
});

test("a turn that failed answers nothing", () => {
  tell();
  becomes("working");
  becomes("failed");
  expect(answered).toEqual([]);
});
