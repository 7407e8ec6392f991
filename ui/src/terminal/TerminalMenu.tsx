import type { ReactElement } from "react";
import type { PaneId } from "../bindings";
import { ContextMenu } from "../shared/ContextMenu";
import { keyOf, runCommand, useCommands } from "../shared/commands";
import { withHost } from "./hosts";

/** What the menu of a pane offers, by the commands' ids; a line between groups. */
const GROUPS = [
  ["pane.copy", "pane.paste", "pane.select_all"],
  ["search.selection", "search.find", "search.history"],
  ["pane.split_right", "pane.split_down", "pane.zoom"],
  ["pane.close"],
];

/** The menu of a pane: commands, with their keys. Programs that ask for the mouse get their own right button. */
export function TerminalMenu({
  pane,
  children,
}: {
  pane: PaneId;
  children: ReactElement;
}) {
  const commands = useCommands((state) => state.commands);
  const offered = (id: string) => {
    const command = commands.find((one) => one.id === id);
    if (!command || !(command.enabled?.() ?? true)) return null;
    const { title } = command;
    return { title, hint: keyOf(id), run: () => void runCommand(id) };
  };
  return (
    <ContextMenu
      items={() => GROUPS.map((ids) => ids.map(offered))}
      onClosed={() => withHost(pane, (host) => host.focus())}
    >
      {children}
    </ContextMenu>
  );
}
