import * as Menu from "@radix-ui/react-dropdown-menu";
import { IconButton } from "../shared/Button";
import type { MenuItem } from "../shared/ContextMenu";
import { DownIcon } from "../shared/icons";

/** What else can be done with a worktree. */
export function MoreMenu({ items }: { items: MenuItem[] }) {
  return (
    <Menu.Root>
      <Menu.Trigger asChild>
        <IconButton label="More of this worktree" data-testid="changes-more">
          <DownIcon size={13} />
        </IconButton>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="menu" align="end" sideOffset={4}>
          {items.map(({ title, hint, run }) => (
            <Menu.Item
              key={title}
              className="menu-item"
              // After the menu has given the focus back: what is run may move it.
              onSelect={() => void setTimeout(run)}
            >
              <span>{title}</span>
              {hint !== undefined && <kbd>{hint}</kbd>}
            </Menu.Item>
          ))}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
