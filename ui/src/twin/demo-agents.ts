import type { AgentInfo, AgentStatus } from "../bindings";
import type { MemoryAgents } from "./memory-agents";

/** Some agents on some hosts, for looking at the page in a plain browser. */
export function demoAgents(agents: MemoryAgents, many: boolean): void {
  const since = (minutes: number) =>
    new Date(Date.now() - minutes * 60_000).toISOString();
  agents.backend({ id: "paseo:localhost:6767" });
  agents.backend({ id: "acp:codex", kind: "acp", found: true });
  agents.backend({ id: "command:claude -p", kind: "command" });
  agents.backend({
    id: "paseo:build.example:6767",
    health: {
      state: "down",
      reason:
        "`build.example:6767` can't be reached: connection refused; is the daemon running? `paseo daemon start` starts it",
    },
  });
  const add = (
    id: string,
    title: string,
    status: AgentStatus,
    more: Partial<AgentInfo> = {},
  ) =>
    agents.agent({
      id,
      title,
      status,
      model: "opus-4.5",
      cwd: "/home/you/switchyard-search",
      created_at: since(90),
      updated_at: since(4),
      ...more,
    });
  add("a1", "Make search stream its matches", { state: "working" });
  add(
    "a2",
    "Migrate the session table",
    { state: "needs_you" },
    {
      permissions: [
        {
          id: "p1",
          tool: "execute",
          title: "Run the migration",
          detail: { kind: "shell", command: "sqlite3 app.db < migrate.sql" },
          options: [{ id: "x", name: "Always", kind: "allow_always" }],
        },
      ],
    },
  );
  add(
    "a3",
    "Write the guide on agents",
    { state: "done" },
    {
      cwd: "/home/you/switchyard",
      backend: "acp:codex",
      provider: "codex",
      model: null,
    },
  );
  add(
    "a4",
    "Find out why the nightly build fails on the machine that nobody has looked at since spring",
    { state: "failed" },
    {
      backend: "paseo:build.example:6767",
      cwd: "/srv/ci/switchyard",
      last_error: "the agent ran out of tokens",
      updated_at: since(300),
    },
  );
  add("a5", "Review", { state: "idle" }, { cwd: "/home/you/switchyard" });
  agents.happen(
    "a2",
    {
      event: "prompt",
      text: "Move the sessions into their own table. Keep what is there.",
    },
    { event: "started" },
    {
      event: "reasoning",
      text: "The table has a JSON column; splitting it needs a migration.\nFirst look at the schema, then write it, then run it on a copy.",
    },
    {
      event: "text",
      text: "I will split the `sessions` column into a table of its own, in three steps:\n\n1. a table with one row per session,\n2. a copy of what is there,\n3. **no** change to readers until both are in place.",
    },
    {
      event: "tool",
      call: {
        id: "t1",
        name: "read",
        title: null,
        status: "completed",
        detail: {
          kind: "read",
          paths: ["crates/app/src/session.rs"],
          output: "//! The session.\n…",
        },
        error: null,
      },
    },
    {
      event: "plan",
      items: [
        { text: "Read the schema", state: "done" },
        { text: "Write the migration", state: "done" },
        { text: "Run it on a copy", state: "working" },
      ],
    },
    {
      event: "tool",
      call: {
        id: "t2",
        name: "edit",
        title: null,
        status: "completed",
        detail: {
          kind: "edit",
          paths: ["crates/app/src/session.rs"],
          changes: [
            {
              path: "crates/app/src/session.rs",
              old_text:
                'const SCHEMA: Schema = Schema {\n    room: "session",\n    migrations: &[FIRST],\n};\n',
              new_text:
                'const SCHEMA: Schema = Schema {\n    room: "session",\n    migrations: &[FIRST, TABLE_OF_ITS_OWN],\n};\n',
            },
          ],
        },
        error: null,
      },
    },
    {
      event: "tool",
      call: {
        id: "t3",
        name: "execute",
        title: null,
        status: "failed",
        detail: { kind: "shell", command: "cargo nextest run -p app session" },
        error: "1 test failed: a_session_is_restored",
      },
    },
    {
      event: "text",
      text: "The test expects the old column. Here is what it should be:\n\n```rust\nassert_eq!(rows.len(), 2);\n```",
    },
    {
      event: "usage",
      usage: {
        input_tokens: 48_211,
        output_tokens: 1_904,
        cached_tokens: 40_000,
      },
    },
  );
  if (!many) return;
  const states: AgentStatus["state"][] = [
    "idle",
    "idle",
    "asleep",
    "working",
    "idle",
    "done",
    "asleep",
    "idle",
  ];
  for (let n = 0; n < 200; n++) {
    const state = states[n % states.length] ?? "idle";
    if (state === "unknown") continue;
    add(
      `many-${n}`,
      `Task ${n} of the great renaming`,
      { state },
      {
        cwd: `/home/you/worktrees/feature-${n % 23}`,
        provider: n % 3 === 0 ? "codex" : "claude",
        updated_at: since(n * 7),
      },
    );
  }
}
