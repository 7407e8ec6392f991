import type { ComponentProps } from "react";
import { CloseIcon } from "../icons";

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
