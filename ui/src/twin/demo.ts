import { demoAgents } from "./demo-agents";
import { manySteps, stateSheet } from "./drawn-runs";
import {
  details,
  hunk,
  repositoryOf,
  side,
  verdict,
  worktree,
} from "./example-conflicts";
import { type MemoryBackend, memoryBackend } from "./memory-backend";
import { pathOf, reviews, triage } from "./recordings";

/** A session with one run in front. */
function sessionOf(run: string): string {
  const id = `flow-run-${run}`;
  const leaf = { type: "leaf", data: { views: [id], activeView: id, id: "1" } };
  return JSON.stringify({
    version: 1,
    panes: {},
    layout: {
      grid: {
        root: { type: "branch", data: [{ ...leaf, size: 1000 }], size: 700 },
        width: 1000,
        height: 700,
        orientation: "HORIZONTAL",
      },
      panels: {
        [id]: {
          id,
          contentComponent: "flow-run",
          title: "run",
          params: { run },
        },
      },
      activeGroup: "1",
    },
  });
}

/** The twin with runs of flows: `states` shows every state, `flows` plays recordings, `steps` has five hundred. */
async function flowsDemo(demo: string, theme: Theme): Promise<MemoryBackend> {
  const twin = memoryBackend({
    lively: true,
    settings: { theme },
    flows: [triage, reviews],
    pace: 1500,
    session: sessionOf(demo === "flows" ? "run1" : demo),
  });
  if (demo === "states") twin.addRun(stateSheet(Date.now()));
  else if (demo === "steps") twin.addRun(manySteps(500, Date.now()));
  else
    for (const flow of [triage, reviews])
      await twin.startFlow(pathOf(flow), {}, null);
  return twin;
}

type Theme = "light" | "dark" | "system";

/** The twin with some panes in it, for looking at the page in a plain browser. */
export async function demoBackend(
  query: URLSearchParams,
): Promise<MemoryBackend> {
  const theme = query.get("theme");
  const demo = query.get("demo");
  if (demo === "flows" || demo === "states" || demo === "steps")
    return flowsDemo(
      demo,
      theme === "light" || theme === "dark" ? theme : "system",
    );
  const twin = memoryBackend({
    lively: true,
    settings: {
      theme: theme === "light" || theme === "dark" ? theme : "system",
    },
  });
  if (demo === "none") return twin;
  demoAgents(twin.agents, demo === "many");
  const open = async (cwd: string, name: string | null, program?: string) => {
    const opened = await twin.openPane({
      cwd,
      name,
      program: program ?? null,
      role: program ? "agent" : "shell",
    });
    if (opened.status === "error") throw new Error(opened.error.message);
    return opened.data.id;
  };
  const tests = await open("/home/you/switchyard", null);
  await twin.writePane(tests, "ls\r");
  twin.print(
    tests,
    "cargo nextest run\r\n\x1b[1;32m   Compiling\x1b[0m terminal v0.1.0\r\n\x1b[1;32m    Finished\x1b[0m in 12.4s\r\n\x1b[1;33mwarning\x1b[0m: unused variable: `size`\r\n  \x1b[1;34m-->\x1b[0m crates/terminal/src/pane.rs:41:9\r\n\x1b[32m✔\x1b[0m 214 tests run: \x1b[1m214 passed\x1b[0m, 0 skipped\r\n\x1b[31m✘\x1b[0m error: could not reach https://example.com/index\r\n",
  );
  await twin.writePane(tests, "seq 60\r");
  await twin.writePane(tests, "false\r");
  const agent = await open("/home/you/switchyard-search", "claude", "claude");
  twin.print(agent, "Shall I run the migration? (y/n) ");
  twin.change(agent, {
    attention: "needs_you",
    attention_message: "Shall I run the migration?",
    busy: true,
  });
  const build = await open("/home/you/switchyard-search", null);
  await twin.writePane(build, "sleep 600\r");
  const docs = await open(
    "/home/you/notes",
    "a very long name that somebody gave to a pane because they could",
  );
  await twin.writePane(docs, "echo error: the disk is full\r");
  if (demo === "many") {
    for (let n = 0; n < 30; n++) {
      const id = await open(`/home/you/worktrees/feature-${n % 9}`, null);
      await twin.writePane(id, n % 3 ? `seq ${n}\r` : "sleep 900\r");
    }
  }
  const gone = await open("/home/you/old", "yesterday");
  await twin.writePane(gone, "echo an error that is history now\r");
  await twin.closePane(gone);
  showConflicts(twin, query.get("demo") === "many");
  return twin;
}

/** Two repositories whose worktrees get in each other's way. */
function showConflicts(twin: MemoryBackend, many: boolean): void {
  const now = Date.now();
  const main = "/home/you/switchyard";
  const one = side("/home/you/switchyard-search", {
    agent: "claude",
    branch: "search-in-history",
    since: now - 9 * 60_000,
  });
  const two = side("/home/you/worktrees/feature-1", {
    agent: "codex",
    branch: "feature/a-branch-with-quite-a-long-name",
    since: now - 2 * 60_000,
  });
  const all = [
    details({
      verdict: verdict({ left: one, right: two, since: now - 120_000 }),
    }),
    details({
      verdict: verdict({
        path: "crates/terminal/src/screen/emulator/with/a/deep/place/parser_of_sequences.rs",
        left: { ...one, ranges: [{ start: 12, end: 13 }] },
        right: { ...two, ranges: [{ start: 15, end: 18 }] },
        severity: "adjacent_line",
        would_conflict: false,
        overlaps: [],
        since: now - 3_600_000,
      }),
    }),
    details({
      verdict: verdict({
        path: "README.md",
        left: one,
        right: { ...two, change: { kind: "delete" } },
        overlaps: [],
        note: "deleted on one side, changed on the other",
        since: now - 30_000,
      }),
      left: [hunk(1, ["-# Switchyard", "+# The yard", " "])],
      right: [],
      merged: null,
    }),
    details({
      verdict: verdict({
        path: "Cargo.lock",
        left: one,
        right: two,
        severity: "different_area",
        would_conflict: false,
        overlaps: [],
      }),
    }),
  ];
  if (many)
    for (let n = 0; n < 60; n++)
      all.push(
        details({
          verdict: verdict({
            path: `src/generated/part-${n}/index.ts`,
            left: one,
            right: two,
            would_conflict: n % 3 === 0,
            since: now - n * 90_000,
          }),
        }),
      );
  const trees = [
    worktree(main, { branch: "main", main: true }),
    worktree(one.worktree, {
      branch: one.branch,
      agent: "claude",
      changed_files: 5,
    }),
    worktree(two.worktree, {
      branch: two.branch,
      agent: "codex",
      changed_files: 4,
    }),
  ];
  if (many)
    for (let n = 2; n < 9; n++)
      trees.push(
        worktree(`/home/you/worktrees/feature-${n}`, { present: n !== 5 }),
      );
  twin.setRepository(repositoryOf(main, trees, all));
  if (many)
    twin.setRepository(
      repositoryOf(
        "/home/you/notes",
        [worktree("/home/you/notes", { branch: "main", main: true })],
        [],
        {
          state: {
            state: "watched",
            health: "degraded",
            reasons: [
              "the system has no more watches to give (`fs.inotify.max_user_watches`): 212 directories are not watched",
            ],
            watches: 8192,
          },
        },
      ),
    );
}
