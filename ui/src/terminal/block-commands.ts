import { backend } from "../backend/backend";
import type { CommandMark, CommandOutput, PaneId } from "../bindings";
import type { Command } from "../shared/commands";
import { notify, reportFailure } from "../shared/notices";
import { useSettings } from "../shared/settings-store";
import {
  deselectBlock,
  type SelectedBlock,
  selectBlock,
  selectedIn,
  useBlocks,
} from "./block-store";
import { inOneLine, ran, shareText, walkFrom, withOutput } from "./blocks";
import { hostOf, withHost } from "./hosts";
import { copied } from "./modes";
import { usePanes } from "./pane-store";
import { activePane } from "./pane-tabs";
import { marksOf } from "./prompts";
import { terminalSurroundings } from "./terminal-surroundings";

const UNMARKED = "The shell of this pane does not mark its commands.";

/** Selects the command before or after the one that is selected, or than the top of the view, and brings it into view. */
async function walk(step: 1 | -1): Promise<void> {
  const pane = activePane();
  const host = pane === null ? null : hostOf(pane);
  if (pane === null || !host) return;
  const top = host.topLine();
  if (top === null) return;
  const marks = await marksOf(pane);
  if (marks.length === 0) {
    notify("info", UNMARKED);
    return;
  }
  const selected = selectedIn(pane);
  // At the end of the output all that is on screen comes before where one is.
  const from = selected ?? (host.atEnd && step < 0 ? Number.MAX_VALUE : top);
  const mark = walkFrom(marks, selected, from, step);
  if (!mark) {
    if (step < 0) return;
    deselectBlock(pane);
    host.scrollToEnd();
    return;
  }
  selectBlock(pane, mark);
  host.revealBlock(mark.prompt);
}

/** The command that is meant: the one selected, or the last one that ran in the pane in front. */
async function meant(): Promise<SelectedBlock | null> {
  const { selected } = useBlocks.getState();
  const pane = activePane();
  if (selected && (pane === null || selected.pane === pane)) return selected;
  if (pane === null) return null;
  const mark = (await marksOf(pane)).findLast(ran);
  if (mark) return { pane, mark };
  notify("info", UNMARKED);
  return null;
}

async function withMeant(
  act: (block: SelectedBlock) => Promise<void> | void,
): Promise<void> {
  const block = await meant();
  if (block) await act(block);
}

/** What a command printed; when that can't be told, it is said why. */
async function outputOf({
  pane,
  mark,
}: SelectedBlock): Promise<CommandOutput | null> {
  const output = await backend.commandOutput(pane, mark.prompt);
  if (reportFailure(output) || output.status === "error") return null;
  if (output.data === null)
    notify("info", "What was printed there was drawn over since.");
  return output.data;
}

/** What can be done with a command and what it printed. */
export const blockActs = {
  async copyCommand({ mark }: SelectedBlock): Promise<void> {
    if (mark.command === null)
      notify("info", "The shell did not say what was typed there.");
    else await copied(mark.command);
  },
  async copyOutput(block: SelectedBlock): Promise<void> {
    const output = await outputOf(block);
    if (!output) return;
    if (output.text === "")
      notify("info", `${inOneLine(output.mark.command)} printed nothing.`);
    else await copied(output.text.replace(/\n$/, ""));
  },
  async copyBoth(block: SelectedBlock): Promise<void> {
    const output = await outputOf(block);
    if (output) await copied(withOutput(output));
  },
  async share(block: SelectedBlock): Promise<void> {
    const text = await sharedText(block);
    if (text !== null) await copied(text);
  },
  async sendOn(block: SelectedBlock): Promise<void> {
    const text = await sharedText(block);
    if (text !== null) terminalSurroundings().sendOn(text);
  },
  runAgain,
};

async function sharedText(block: SelectedBlock): Promise<string | null> {
  const output = await outputOf(block);
  const home = useSettings.getState().platform?.home ?? "";
  return output && shareText(output, home);
}

/** Takes what is typed at the prompt away, as all shells do: to the end of the line, then back to its beginning. */
const EMPTY_LINE = "\x05\x15";

/** Types a command at the prompt once more, and runs it. What stood there can be had back as the shell gives it back: Ctrl+Y. */
function runAgain({ pane, mark }: SelectedBlock): void {
  const { command } = mark;
  if (command === null) {
    notify("info", "The shell did not say what was typed there.");
    return;
  }
  if (isBusy(pane, mark)) {
    notify(
      "info",
      "A program runs in this pane; a command can be run again when it has ended.",
    );
    return;
  }
  deselectBlock(pane);
  withHost(pane, (host) => {
    host.focus();
    host.runLine(EMPTY_LINE, command);
  });
}

function isBusy(pane: PaneId, { ended_at }: CommandMark): boolean {
  const info = usePanes.getState().panes[pane];
  return ended_at === null || !info || info.busy;
}

/** All that can be done with the commands of a shell. */
export function blockCommands(): Command[] {
  const inPane = () => activePane() !== null;
  const command = (
    id: string,
    title: string,
    key: string | undefined,
    run: () => void,
    enabled: () => boolean = inPane,
  ): Command => ({
    ...{ id, title, group: "Commands", run, enabled },
    ...(key && { key }),
  });
  const on = (act: (block: SelectedBlock) => Promise<void> | void) => () =>
    void withMeant(act);
  return [
    command(
      "pane.previous_prompt",
      "Select the command before",
      "Ctrl+Shift+PageUp",
      () => void walk(-1),
    ),
    command(
      "pane.next_prompt",
      "Select the command after",
      "Ctrl+Shift+PageDown",
      () => void walk(1),
    ),
    command(
      "command.deselect",
      "Select no command",
      undefined,
      () => deselectBlock(),
      () => useBlocks.getState().selected !== null,
    ),
    command(
      "command.copy",
      "Copy the command and its output",
      undefined,
      on(blockActs.copyBoth),
    ),
    command(
      "command.copy_line",
      "Copy the command",
      undefined,
      on(blockActs.copyCommand),
    ),
    command(
      "pane.copy_output",
      "Copy the command's output",
      "Ctrl+Shift+O",
      on(blockActs.copyOutput),
    ),
    command(
      "command.share",
      "Copy the command to share: with its output, directory, exit status and duration",
      undefined,
      on(blockActs.share),
    ),
    command(
      "command.send",
      "Send the command and its output to…",
      undefined,
      on(blockActs.sendOn),
    ),
    command(
      "command.run_again",
      "Run the command again",
      undefined,
      on(blockActs.runAgain),
    ),
  ];
}
