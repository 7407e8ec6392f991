import type { ComponentProps } from "react";
import { CloseIcon } from "../icons";
import { usePanel } from "./panel";

interface TabProps extends ComponentProps<"div"> {
  /** What it is called; what is shown of it are the children. */
  name: string;
  onClose: () => void;
}

/** The inside of a tab: what its feature shows there, and the button that closes it. */
export function Tab({ name, onClose, children, ...rest }: TabProps) {
  return (
    <div className="tab" {...rest}>
      {children}
      <button
        type="button"
        className="tab-close"
        aria-label={`Close ${name}`}
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

/** The tab of a panel of which there is nothing to say but its title. */
export function TitleTab() {
  const { id, title, close } = usePanel();
  return (
    <Tab name={title} data-testid={`tab-${id}`} onClose={close}>
      <span className="tab-title">{title}</span>
    </Tab>
  );
}
