import type { Command } from "../shared/commands";
import { showFile } from "./AgentsHub";
import {
  activeAgent,
  answerInFront,
  archiveAgent,
  askAboutAgents,
  openHub,
  stopAgent,
} from "./actions";
import { useAgents } from "./agent-store";

/** Everything that can be done with agents. */
export function agentCommands(): Command[] {
  const group = "Agents";
  const inFront = () => activeAgent() !== null;
  const asked = () => {
    const key = activeAgent();
    return (
      key !== null &&
      (useAgents.getState().agents[key]?.permissions.length ?? 0) > 0
    );
  };
  const withAgent = (act: (key: string) => void) => () => {
    const key = activeAgent();
    if (key !== null) act(key);
  };
  return [
    {
      id: "agents.hub",
      title: "Every agent on every host",
      group,
      key: "Ctrl+Shift+J",
      run: openHub,
    },
    {
      id: "agents.new",
      title: "New agent…",
      group,
      key: "Ctrl+Shift+N",
      run: () => askAboutAgents({ ask: "new" }),
    },
    {
      id: "agents.import",
      title: "Import a session…",
      group,
      run: () => askAboutAgents({ ask: "import" }),
    },
    {
      id: "agents.stop",
      title: "Stop this agent",
      group,
      key: "Ctrl+Shift+.",
      enabled: inFront,
      run: withAgent((key) => void stopAgent(key)),
    },
    {
      id: "agents.archive",
      title: "Archive this agent",
      group,
      enabled: inFront,
      run: withAgent((key) => void archiveAgent(key)),
    },
    {
      id: "agents.allow",
      title: "Allow what this agent asks",
      group,
      key: "Alt+Enter",
      enabled: asked,
      run: () => answerInFront({ answer: "allow" }),
    },
    {
      id: "agents.deny",
      title: "Deny what this agent asks",
      group,
      key: "Alt+Backspace",
      enabled: asked,
      run: () =>
        answerInFront({ answer: "deny", message: null, interrupt: false }),
    },
    {
      id: "agents.file",
      title: "Where hosts and programs of agents are named",
      group,
      run: () => void showFile(),
    },
  ];
}
