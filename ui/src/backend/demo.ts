import { demoAgents } from "./demo-agents";
import { type MemoryBackend, memoryBackend } from "./memory-backend";

/** The twin with some panes in it, for looking at the page in a plain browser. */
export async function demoBackend(
  query: URLSearchParams,
): Promise<MemoryBackend> {
  const theme = query.get("theme");
  const twin = memoryBackend({
    lively: true,
    settings: {
      theme: theme === "light" || theme === "dark" ? theme : "system",
    },
  });
  if (query.get("demo") === "none") return twin;
  demoAgents(twin.agents, query.get("demo") === "many");
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
  if (query.get("demo") === "many") {
    for (let n = 0; n < 30; n++) {
      const id = await open(`/home/you/worktrees/feature-${n % 9}`, null);
      await twin.writePane(id, n % 3 ? `seq ${n}\r` : "sleep 900\r");
    }
  }
  const gone = await open("/home/you/old", "yesterday");
  await twin.writePane(gone, "echo an error that is history now\r");
  await twin.closePane(gone);
  return twin;
}
