import { openAgent } from "../agents/actions";
import {
  agentTitle,
  hasPane,
  keyOfAgent,
  statusWord,
  useAgents,
} from "../agents/agent-store";
import { draftTo } from "../agents/conversations";
import { openPicker } from "../palette/Picker";
import type { Destination } from "../shared/destinations";
import { setDraft, useDrafts } from "../shared/drafts";
import { shortPath } from "../shared/paths";
import { useSettings } from "../shared/settings-store";
import { pasteText } from "../terminal/clipboard";
import { withHost } from "../terminal/hosts";
import { panesInOrder, paneTitle, usePanes } from "../terminal/pane-store";
import { activePane, showPane } from "../terminal/pane-tabs";

/** Text that was selected in one pane, on its way to another or to an agent. */

/** Asks where a text is to go: it is typed there and not yet sent. */
export function askWhereTo(text: string): void {
  openPicker({
    label: "Send to",
    placeholder: "To which pane or agent?",
    empty: "No pane and no agent is called that.",
    choices: [...paneTargets(text), ...agentTargets(text)],
  });
}

function paneTargets(text: string): Destination[] {
  const here = activePane();
  const home = useSettings.getState().platform?.home ?? "";
  return panesInOrder(usePanes.getState())
    .filter(({ id, state }) => id !== here && state.state === "running")
    .map((pane) => ({
      key: `pane-${pane.id}`,
      kind: "Pane",
      title: paneTitle(pane),
      detail: [pane.busy ? pane.command : null, shortPath(pane.cwd, home)]
        .filter(Boolean)
        .join(" · "),
      open: () => {
        showPane(pane.id);
        withHost(pane.id, () => pasteText(pane.id, text));
      },
    }));
}

function agentTargets(text: string): Destination[] {
  const agents = Object.values(useAgents.getState().agents);
  return agents
    .filter((agent) => !hasPane(agent))
    .map((agent) => {
      const key = keyOfAgent(agent);
      return {
        key: `agent-${key}`,
        kind: "Agent",
        title: agentTitle(agent),
        detail: `${statusWord(agent.status)} · ${agent.cwd}`,
        open: () => {
          openAgent(key);
          const place = draftTo(key);
          const before = useDrafts.getState().drafts[place]?.text ?? "";
          const gap = before === "" || before.endsWith("\n") ? "" : "\n";
          setDraft(place, `${before}${gap}${text}`);
        },
      };
    });
}
