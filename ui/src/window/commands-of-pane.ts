import { openPicker } from "../palette/Picker";
import type { Command } from "../shared/commands";
import { notify } from "../shared/notices";
import { selectBlock } from "../terminal/block-store";
import { endOf, howItWent, inOneLine, ran } from "../terminal/blocks";
import { withHost } from "../terminal/hosts";
import { activePane } from "../terminal/pane-tabs";
import { marksOf } from "../terminal/prompts";

/** What ran in the pane in front, a line for each command: all of it folded, so to speak. Who chooses one is led to it. */
async function listCommands(): Promise<void> {
  const pane = activePane();
  if (pane === null) return;
  const marks = await marksOf(pane);
  const choices = marks.flatMap((mark, index) => {
    if (!ran(mark)) return [];
    const end = endOf(marks, index);
    const from = mark.output_from ?? mark.prompt + 1;
    const lines = end === null ? null : Math.max(end - from, 0);
    return {
      key: `command-at-${mark.prompt}`,
      kind: lines === null ? "Runs" : lines === 1 ? "1 line" : `${lines} lines`,
      title: inOneLine(mark.command),
      detail: howItWent(mark),
      open: () => {
        selectBlock(pane, mark);
        withHost(pane, (host) => host.revealBlock(mark.prompt));
      },
    };
  });
  if (choices.length === 0)
    notify("info", "The shell of this pane has marked no command yet.");
  else
    openPicker({
      label: "Commands of this pane",
      placeholder: "Which command?",
      empty: "No such command ran here.",
      choices: choices.reverse(),
    });
}

export function commandsOfPaneCommands(): Command[] {
  return [
    {
      id: "command.list",
      title: "List the commands of this pane…",
      group: "Commands",
      enabled: () => activePane() !== null,
      run: () => void listCommands(),
    },
  ];
}
