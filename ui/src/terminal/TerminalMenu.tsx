import { type ReactElement, useRef } from "react";
import { backend } from "../backend/backend";
import type { CommandMark, PaneId } from "../bindings";
import { ContextMenu, type MenuItem } from "../shared/ContextMenu";
import { keyOf, runCommand, useCommands } from "../shared/commands";
import { copying } from "../shared/copying";
import { notify, reportFailure } from "../shared/notices";
import { baseName } from "../shared/paths";
import { blockActs } from "./block-commands";
import { selectBlock } from "./block-store";
import { hostOf, withHost } from "./hosts";
import { openFile } from "./modes";
import { openInEditor } from "./pane-life";
import { foundIn } from "./quick-hints";
import { terminalSurroundings } from "./terminal-surroundings";

/** What the menu of a pane offers, by the commands' ids; a line between groups. */
const GROUPS = [
  ["pane.copy", "pane.paste", "pane.select_all"],
  ["pane.copy_mode", "pane.quick_select"],
  ["search.selection", "search.find", "search.history"],
  ["pane.split_right", "pane.split_down", "pane.zoom"],
  ["pane.close"],
];

/** A pattern is no longer than this, and of one line. */
const SEARCHED = 200;

/** The menu of a pane: commands, with their keys. Programs that ask for the mouse get their own right button. */
export function TerminalMenu({
  pane,
  link,
  children,
}: {
  pane: PaneId;
  /** What a link under the pointer leads to. */
  link: string | null;
  children: ReactElement;
}) {
  const commands = useCommands((state) => state.commands);
  // The pointer leaves the link while the menu is open.
  const under = useRef<string | null>(null);
  const command = useRef<CommandMark | null>(null);
  const offered = (id: string) => {
    const command = commands.find((one) => one.id === id);
    if (!command || !(command.enabled?.() ?? true)) return null;
    const { title } = command;
    return { title, hint: keyOf(id), run: () => void runCommand(id) };
  };
  const selection = () => hostOf(pane)?.selection ?? "";
  return (
    <ContextMenu
      items={() => [
        under.current === null ? [] : ofLink(under.current, pane),
        ofSelection(selection(), pane),
        command.current === null ? [] : ofCommand(command.current, pane),
        ...GROUPS.map((ids) => ids.map(offered)),
      ]}
      onOpen={(clientY) => {
        under.current = link;
        command.current = hostOf(pane)?.blockAt(clientY) ?? null;
      }}
      onClosed={() => withHost(pane, (host) => host.focus())}
    >
      {children}
    </ContextMenu>
  );
}

function ofLink(target: string, pane: PaneId): MenuItem[] {
  const web = /^https?:/i.test(target);
  const { searchFor } = terminalSurroundings();
  return [
    {
      title: web ? "Open the link" : "Open the file",
      hint: "Ctrl+click",
      run: () => void open(target, pane),
    },
    copying(web ? "Copy the link" : "Copy the path", target),
    {
      title: "Search for it in all panes",
      // Of a file, its name: what panes printed may be seen from elsewhere.
      run: () =>
        searchFor(web ? target : baseName(target.replace(/(:\d+){0,2}$/, ""))),
    },
  ];
}

/** What belongs to a command can go on together. */
function ofCommand(mark: CommandMark, pane: PaneId): MenuItem[] {
  const block = { pane, mark };
  const item = (
    title: string,
    act: (on: typeof block) => Promise<void> | void,
  ): MenuItem => ({ title, run: () => void act(block) });
  const { copyCommand, copyOutput, share, sendOn, runAgain } = blockActs;
  return [
    item("Select this command", () => selectBlock(pane, mark)),
    ...(mark.command === null ? [] : [item("Copy the command", copyCommand)]),
    item("Copy its output", copyOutput),
    item("Copy it to share", share),
    item("Send it with its output to…", sendOn),
    ...(mark.command === null ? [] : [item("Run it again", runAgain)]),
  ];
}

/** What is selected may name a file, a link; whatever it is, it can go on. */
function ofSelection(text: string, pane: PaneId): MenuItem[] {
  if (text.trim() === "") return [];
  const { sendOn } = terminalSurroundings();
  const opens = opening(text);
  return [
    ...(opens === null
      ? []
      : [
          {
            title: "Open what is selected",
            run: () => void open(opens, pane),
          },
        ]),
    { title: "Send the selection to…", run: () => sendOn(text) },
  ];
}

/** The link or the file that a selection is, as a whole; `null` when it is none. */
function opening(text: string): string | null {
  const said = text.trim();
  if (said.length > SEARCHED || said.includes("\n")) return null;
  const [first] = foundIn(said);
  const whole = first && first.from === 0 && first.to === said.length;
  return whole && (first.kind === "link" || first.kind === "path")
    ? said
    : null;
}

async function open(target: string, pane: PaneId): Promise<void> {
  if (/^https?:/i.test(target)) {
    reportFailure(await backend.openLink(target));
    return;
  }
  // A link says the full path of a file that is there, whatever letters it has.
  const place = /^(\/.*?)(?::(\d+))?(?::(\d+))?$/.exec(target);
  if (place?.[1] !== undefined) {
    const number = (digits?: string) =>
      digits === undefined ? null : Number(digits);
    const [, path, line, column] = place;
    await openInEditor({ path, line: number(line), column: number(column) });
    return;
  }
  if (!(await openFile(pane, target)))
    notify("error", `There is no file ${target}, seen from where the pane is.`);
}
