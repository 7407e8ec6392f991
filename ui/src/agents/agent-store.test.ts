import { describe, expect, it } from "vitest";
import type { AgentInfo, BackendInfo } from "../bindings";
import { agentNeeds } from "./agent-needs";
import {
  answersTo,
  applyAgentsEvent,
  byActivity,
  groupAgents,
  keyOfAgent,
  noAgents,
  troubles,
  wish,
} from "./agent-store";
import { ago } from "./ago";

function agent(change: Partial<AgentInfo>): AgentInfo {
  return {
    backend: "paseo:localhost:6767",
    id: "1",
    title: null,
    provider: "claude",
    model: null,
    status: { state: "idle" },
    cwd: "/w/a",
    created_at: null,
    updated_at: null,
    labels: {},
    permissions: [],
    last_error: null,
    session: null,
    offers: {},
    usage: null,
    ...change,
  };
}

function host(change: Partial<BackendInfo>): BackendInfo {
  return {
    id: "paseo:localhost:6767",
    kind: "paseo",
    health: { state: "up", version: null, transport: "socket" },
    busy: false,
    found: false,
    ...change,
  };
}

describe("the agents", () => {
  it("are what the last list and the events since then say", () => {
    const one = agent({ id: "1" });
    const two = agent({ id: "2" });
    let state = applyAgentsEvent(noAgents, {
      event: "listed",
      listed: { backend: host({}), agents: [one], error: null },
    });
    state = applyAgentsEvent(state, { event: "changed", agent: two });
    expect(Object.keys(state.agents)).toEqual([one, two].map(keyOfAgent));
    state = applyAgentsEvent(state, {
      event: "removed",
      backend: one.backend,
      agent: "1",
    });
    state = applyAgentsEvent(state, {
      event: "listed",
      listed: { backend: host({}), agents: [], error: null },
    });
    expect(state.agents).toEqual({});
    state = applyAgentsEvent(state, { event: "gone", backend: host({}).id });
    expect(state.backends).toEqual({});
  });

  it("are grouped by worktree and machine, in an order that work does not change", () => {
    const groups = groupAgents([
      agent({ id: "3", cwd: "/w/b" }),
      agent({ id: "1", backend: "paseo:build:6767" }),
      agent({ id: "2", backend: "acp:codex", status: { state: "working" } }),
      agent({ id: "4" }),
    ]);
    expect(
      groups.map((group) => [
        group.machine,
        group.cwd,
        group.agents.map((one) => one.id),
      ]),
    ).toEqual([
      ["", "/w/a", ["2", "4"]],
      ["", "/w/b", ["3"]],
      ["build:6767", "/w/a", ["1"]],
    ]);
  });

  it("are in order of what happened last, where a person looks for one", () => {
    const groups = byActivity(
      groupAgents([
        agent({ id: "1", updated_at: "2026-01-01T10:00:00Z" }),
        agent({ id: "2", updated_at: "2026-01-01T12:00:00Z" }),
        agent({ id: "3", cwd: "/w/b", updated_at: "2026-01-01T11:00:00Z" }),
        agent({ id: "4", cwd: "/w/c", created_at: "2026-01-02T00:00:00Z" }),
        agent({ id: "5", cwd: "/w/d" }),
      ]),
    );
    expect(
      groups.flatMap((group) => group.agents.map((one) => one.id)),
    ).toEqual(["4", "2", "1", "3", "5"]);
  });

  it("are found by any of their words", () => {
    const one = agent({ title: "Fix the login", model: "opus" });
    expect(answersTo(one, "login claude")).toBe(true);
    expect(answersTo(one, "OPUS /w/a")).toBe(true);
    expect(answersTo(one, "logout")).toBe(false);
    expect(answersTo(one, "  ")).toBe(true);
  });

  it("name the hosts that are down, of those that were asked for", () => {
    const down = { state: "down" as const, reason: "it hangs" };
    const state = {
      backends: {
        a: host({ id: "a", health: down }),
        b: host({ id: "b", health: down, found: true }),
        c: host({ id: "c" }),
      },
      errors: { c: "no list" },
    };
    expect(troubles(state).map((one) => [one.backend.id, one.reason])).toEqual([
      ["a", "it hangs"],
      ["c", "no list"],
    ]);
  });

  it("need the person while they ask and can be answered", () => {
    const asks = agent({
      status: { state: "needs_you" },
      permissions: [
        {
          id: "p",
          tool: "execute",
          title: null,
          detail: { kind: "shell", command: "rm -rf build/" },
          options: [],
        },
      ],
    });
    expect(wish(asks)).toBe("execute: rm -rf build/");
    const agents = { [keyOfAgent(asks)]: asks, other: agent({ id: "2" }) };
    const up = { [asks.backend]: host({}) };
    expect(agentNeeds({ agents, backends: up }, 5)).toMatchObject([
      { kind: "agent", detail: "execute: rm -rf build/", since: 5 },
    ]);
    const gone = {
      [asks.backend]: host({ health: { state: "down", reason: "x" } }),
    };
    expect(agentNeeds({ agents, backends: gone }, 5)).toEqual([]);
  });
});

it("says how long ago in few letters", () => {
  const minute = 60_000;
  expect(
    [null, 0, 5 * minute, 130 * minute, 3 * 24 * 60 * minute].map((by) =>
      ago(by === null ? null : 1e12 - by, 1e12),
    ),
  ).toEqual(["", "now", "5 min", "2 h", "3 d"]);
});
