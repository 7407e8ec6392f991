import type {
  TranscriptAgent,
  TranscriptConversation,
  TranscriptRole,
} from "../bindings";
import { shortPath } from "../shared/paths";
import { useSettings } from "../shared/settings-store";
import type { PaneLabel } from "./pane-label";

const AGENTS: Record<TranscriptAgent, string> = {
  claude: "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI",
  qwen: "Qwen Code",
  opencode: "OpenCode",
};

/** A word for who speaks. */
export const ROLES: Record<TranscriptRole, string> = {
  person: "you",
  agent: "agent",
  thought: "thought",
  tool: "tool",
  output: "output",
  context: "context",
};

/** How a conversation is shown: how it began, whose it is, where its agent worked, and when this was said in it. */
export function conversationLabel(
  { agent, title, session, directory }: TranscriptConversation,
  when: number | null,
): PaneLabel {
  const home = useSettings.getState().platform?.home ?? "";
  const details = [
    AGENTS[agent],
    directory === null ? null : shortPath(directory, home),
    when === null ? null : saidAt(when),
  ];
  return {
    title: title?.split("\n", 1)[0] || session,
    detail: details.filter((detail) => detail !== null).join(" · "),
    closed: false,
  };
}

/** When something was said, for people. */
export function saidAt(when: number): string {
  return new Date(when).toLocaleString([], {
    dateStyle: "medium",
    timeStyle: "short",
  });
}
