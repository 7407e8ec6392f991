import * as Menu from "@radix-ui/react-context-menu";
import { Fragment, type ReactElement, useState } from "react";
import type { PaneId } from "../bindings";
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
  const [open, setOpen] = useState(false);
  const groups = open
    ? GROUPS.map((ids) =>
        ids.flatMap((id) => {
          const command = commands.find((one) => one.id === id);
          return command && (command.enabled?.() ?? true) ? [command] : [];
        }),
      ).filter((group) => group.length > 0)
    : [];
  return (
    <Menu.Root onOpenChange={setOpen}>
      <Menu.Trigger asChild>{children}</Menu.Trigger>
      <Menu.Portal>
        <Menu.Content
          className="menu"
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            withHost(pane, (host) => host.focus());
          }}
        >
          {groups.map((group, index) => (
            <Fragment key={group[0]?.id}>
              {index > 0 && <Menu.Separator className="menu-line" />}
              {group.map(({ id, title }) => (
                <Menu.Item
                  key={id}
                  className="menu-item"
                  onSelect={() => {
                    // After the menu has given the focus back: a command may move it.
                    setTimeout(() => runCommand(id));
                  }}
                >
                  <span>{title}</span>
                  <kbd>{keyOf(id)}</kbd>
                </Menu.Item>
              ))}
            </Fragment>
          ))}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
