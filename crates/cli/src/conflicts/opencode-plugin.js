// Tells the agent when another worktree changes what it is about to edit.
// Written by `switchyard conflicts hook --install`; `--uninstall` removes it.
import { spawn } from "node:child_process";

const EDITS = new Set(["edit", "write", "multiedit", "patch", "apply_patch"]);

function ask(event) {
  return new Promise((resolve) => {
    const hook = spawn("switchyard", ["conflicts", "hook"], { stdio: ["pipe", "pipe", "ignore"] });
    let printed = "";
    hook.on("error", () => resolve(""));
    hook.on("close", () => {
      try {
        resolve(JSON.parse(printed).hookSpecificOutput.additionalContext);
      } catch {
        resolve("");
      }
    });
    hook.stdout.on("data", (data) => (printed += data));
    hook.stdin.on("error", () => {});
    hook.stdin.end(JSON.stringify(event));
  });
}

export const SwitchyardConflicts = async ({ directory }) => {
  const told = new Map();
  return {
    "tool.execute.before": async ({ tool, callID }, { args }) => {
      if (!EDITS.has(tool)) return;
      const event = { hook_event_name: "tool.execute.before", cwd: directory, tool_name: tool, tool_input: args };
      const text = await ask(event);
      if (text) told.set(callID, text);
    },
    // Before an edit there is no way to say something and let it pass; after it, there is.
    "tool.execute.after": async ({ callID }, output) => {
      const text = told.get(callID);
      told.delete(callID);
      if (text) output.output += `\n\n${text}`;
    },
  };
};
