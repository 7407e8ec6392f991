import * as Menu from "@radix-ui/react-context-menu";
import { Fragment, type ReactElement, useRef, useState } from "react";

/** Something that a menu offers. */
export interface MenuItem {
  title: string;
  /** Its key, or what else is to be known. */
  hint?: string | undefined;
  run: () => void;
}

/** Nothing, where something is offered under a condition only. */
type Offered = MenuItem | false | null | undefined;

export interface ContextMenuProps {
  /** What is offered now, in groups; asked when the menu opens, with the element that it was asked for on. */
  items: (on: Element) => Offered[][];
  /** The menu is about to open, at this height of the window: what it is for is there to be looked at. */
  onOpen?: (clientY: number) => void;
  /** Gives the keys to something else than what had them before. */
  onClosed?: () => void;
  children: ReactElement;
}

/** The menu of what is inside, for the right button and for the menu key. */
export function ContextMenu({
  items,
  onOpen,
  onClosed,
  children,
}: ContextMenuProps) {
  const [on, setOn] = useState<Element | null>(null);
  const asked = useRef<Element | null>(null);
  const groups = (on ? items(on) : [])
    .map((group) => group.filter((item): item is MenuItem => Boolean(item)))
    .filter((group) => group.length > 0);
  return (
    <Menu.Root onOpenChange={(open) => setOn(open ? asked.current : null)}>
      <Menu.Trigger
        asChild
        onContextMenuCapture={({ target, clientY }) => {
          asked.current = target as Element;
          onOpen?.(clientY);
        }}
      >
        {children}
      </Menu.Trigger>
      {groups.length > 0 && (
        <Menu.Portal>
          <Menu.Content
            className="menu"
            {...(onClosed && {
              onCloseAutoFocus: (event: Event) => {
                event.preventDefault();
                onClosed();
              },
            })}
          >
            {groups.map((group, index) => (
              <Fragment key={group[0]?.title}>
                {index > 0 && <Menu.Separator className="menu-line" />}
                {group.map(({ title, hint, run }) => (
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
              </Fragment>
            ))}
          </Menu.Content>
        </Menu.Portal>
      )}
    </Menu.Root>
  );
}
