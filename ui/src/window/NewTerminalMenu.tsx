import * as Menu from "@radix-ui/react-dropdown-menu";
import { IconButton } from "../shared/Button";
import { keyOf, runCommand } from "../shared/commands";
import type { GroupActionsProps } from "../shared/dock/Dock";
import { DownIcon } from "../shared/icons";
import { useSettings } from "../shared/settings-store";
import { newTerminal } from "../terminal/pane-life";
import { editProfiles } from "./profiles";

/** What else the button for a new terminal may open: a pane of a profile, a terminal in a folder. */
export function NewTerminalMenu({
  bringForward,
}: Pick<GroupActionsProps, "bringForward">) {
  const profiles = useSettings(({ settings }) => settings?.profiles) ?? {};
  // After the menu has given the focus back: what is opened takes it.
  const chosen = (act: () => void) => () =>
    void setTimeout(() => {
      bringForward();
      act();
    });
  return (
    <Menu.Root>
      <Menu.Trigger asChild>
        <IconButton label="New terminal of a profile" data-testid="new-menu">
          <DownIcon size={12} />
        </IconButton>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="menu" align="end" sideOffset={4}>
          {Object.entries(profiles).map(([name, profile]) => (
            <Menu.Item
              key={name}
              className="menu-item"
              data-testid={`new-${name}`}
              onSelect={chosen(
                () => void newTerminal("tab", { profile: name }),
              )}
            >
              <span className="menu-name">{name}</span>
              {profile?.icon && <span className="faint">{profile.icon}</span>}
            </Menu.Item>
          ))}
          {Object.keys(profiles).length > 0 && (
            <Menu.Separator className="menu-line" />
          )}
          <Menu.Item
            className="menu-item"
            onSelect={chosen(() => runCommand("workspace.open_folder"))}
          >
            <span>In a folder…</span>
            <kbd>{keyOf("workspace.open_folder")}</kbd>
          </Menu.Item>
          <Menu.Item
            className="menu-item"
            onSelect={chosen(() => void editProfiles())}
          >
            <span>Write profiles…</span>
          </Menu.Item>
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
