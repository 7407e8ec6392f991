import { type ComponentProps, useEffect, useRef } from "react";
import { ContextMenu } from "../ContextMenu";
import { keyOf } from "../commands";
import { CloseIcon } from "../icons";
import { toggleZoom } from "./dock";
import { movingItems } from "./moving";
import { usePanel } from "./panel";

interface TabProps extends ComponentProps<"div"> {
  /** What it is called; what is shown of it are the children. */
  name: string;
  onClose: () => void;
}

/** The inside of a tab: what its feature shows there, and the button that closes it. */
export function Tab({ name, onClose, children, ...rest }: TabProps) {
  const inside = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // What has the keys is the dock's own element around it.
    inside.current
      ?.closest(".dv-tab")
      ?.setAttribute("aria-keyshortcuts", "Delete");
  }, []);
  return (
    <div className="tab" ref={inside} {...rest}>
      {children}
      <button
        type="button"
        className="tab-close"
        aria-label={`Close ${name}`}
        tabIndex={-1}
        // The dock would begin to drag the tab, the tab would come forward.
        onPointerDown={(event) => event.stopPropagation()}
        onClick={(event) => {
          event.stopPropagation();
          onClose();
        }}
      >
        <CloseIcon size={12} />
      </button>
    </div>
  );
}

/** A tab with the menu that every panel has. */
export function PanelTab(props: TabProps) {
  const { onClose } = props;
  const { bringForward, id } = usePanel();
  const zoom = () => {
    bringForward();
    toggleZoom();
  };
  return (
    <ContextMenu
      items={() => [
        [{ title: "Zoom", hint: keyOf("pane.zoom"), run: zoom }],
        movingItems(id),
        [{ title: "Close", hint: keyOf("pane.close"), run: onClose }],
      ]}
    >
      <Tab {...props} />
    </ContextMenu>
  );
}

/** The tab of a panel of which there is nothing to say but its title. */
export function TitleTab() {
  const { id, title, close } = usePanel();
  return (
    <PanelTab name={title} data-testid={`tab-${id}`} onClose={close}>
      <span className="tab-title">{title}</span>
    </PanelTab>
  );
}
