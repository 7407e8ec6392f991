import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it } from "vitest";
import { useNeeds } from "../shared/needs-you";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { AgentList, useAgentItems } from "./AgentList";
import { followAgents } from "./agent-needs";
import { startAgents } from "./agent-store";

let twin: MemoryBackend;
let stop = () => {};

beforeEach(async () => {
  stop();
  twin = freshBackend();
  useNeeds.setState({ sources: {}, visited: null });
  stop = await startAgents();
});

/** The directories of the tree's agents, as the sidebar would put them. */
function Tree() {
  return useAgentItems().map(({ key, directory, row }) => (
    <div key={key} data-testid={directory}>
      {row}
    </div>
  ));
}

it("puts agents of this machine that do something under their worktree", () => {
  render(<Tree />);
  act(() => {
    twin.agents.agent({
      id: "a",
      title: "Fix",
      cwd: "/w/a",
      status: { state: "working" },
    });
    twin.agents.agent({ id: "b", title: "Rest", cwd: "/w/b" });
    twin.agents.agent({
      id: "c",
      backend: "command:claude",
      title: "In a pane",
      cwd: "/w/c",
      status: { state: "working" },
      session: "pane 3",
    });
    twin.agents.agent({
      id: "d",
      backend: "paseo:build:6767",
      title: "Elsewhere",
      cwd: "/w/d",
      status: { state: "working" },
    });
  });
  expect(screen.getByTestId("/w/a")).toHaveTextContent("Fix");
  // Idle ones are in the hub, one in a pane is that pane, and one elsewhere is not in this machine's tree.
  for (const other of ["/w/b", "/w/c", "/w/d"])
    expect(screen.queryByTestId(other)).toBeNull();
});

it("lists who works on other machines, and says which host is down", () => {
  render(<AgentList />);
  act(() => {
    twin.agents.agent({
      id: "d",
      backend: "paseo:build:6767",
      title: "Elsewhere",
      cwd: "/w/d",
      status: { state: "working" },
    });
    twin.agents.backend({
      id: "paseo:other:6767",
      health: { state: "down", reason: "no answer" },
    });
  });
  expect(screen.getByText("Elsewhere")).toBeVisible();
  expect(screen.getByText("other:6767 is down")).toBeVisible();
});

it("puts who asks on the list of needs, since when it was first seen to", () => {
  const unfollow = followAgents();
  const asks = (updated: string) =>
    twin.agents.agent({
      id: "a",
      title: "Fix",
      status: { state: "needs_you" },
      updated_at: updated,
      permissions: [
        {
          id: "p",
          tool: "execute",
          title: "Run it",
          detail: null,
          options: [],
        },
      ],
    });
  asks("2026-01-01T10:00:00Z");
  asks("2026-01-01T10:05:00Z");
  const needs = () => useNeeds.getState().sources.agents ?? [];
  expect(needs()).toMatchObject([
    {
      kind: "agent",
      title: "Fix",
      detail: "Run it",
      since: Date.parse("2026-01-01T10:00:00Z"),
    },
  ]);
  twin.agents.agent({ id: "a", status: { state: "idle" }, permissions: [] });
  expect(needs()).toEqual([]);
  unfollow();
});

it("forks a conversation from its menu, unless it is at work", async () => {
  render(<Tree />);
  const id = "acp-1";
  const backend = "acp:claude";
  act(() => {
    twin.agents.backend({ id: backend });
    twin.agents.agent({ id, backend, title: "Fix", status: { state: "done" } });
  });
  fireEvent.contextMenu(screen.getByText("Fix"));
  await userEvent.click(await screen.findByText("Fork the conversation"));
  expect(twin.agents.asked).toContain(`fork ${id}`);
  act(() => void twin.agents.agent({ id, status: { state: "working" } }));
  fireEvent.contextMenu(screen.getAllByText("Fix")[0] as HTMLElement);
  await screen.findByText("Stop it");
  expect(screen.queryByText("Fork the conversation")).toBeNull();
});
