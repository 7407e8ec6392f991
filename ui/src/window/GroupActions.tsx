import { IconButton } from "../shared/Button";
import { keyOf, runCommand, useCommands } from "../shared/commands";
import type { GroupActionsProps } from "../shared/dock/Dock";
import { toggleZoom, useDock } from "../shared/dock/dock";
import {
  PlusIcon,
  SplitDownIcon,
  SplitRightIcon,
  UnzoomIcon,
  ZoomIcon,
} from "../shared/icons";
import { newTerminal } from "../terminal/pane-life";
import { NewTerminalMenu } from "./NewTerminalMenu";

/** The buttons at the end of a group's tabs. */
export function GroupActions({ bringForward }: GroupActionsProps) {
  const zoomed = useDock((state) => state.zoomed);
  useCommands((state) => state.keys);
  const within = (act: () => void) => () => {
    bringForward();
    act();
  };
  return (
    <div className="group-actions">
      <IconButton
        label="New terminal"
        hint={keyOf("pane.new")}
        onClick={within(() => void newTerminal())}
      >
        <PlusIcon size={14} />
      </IconButton>
      <NewTerminalMenu bringForward={bringForward} />
      <IconButton
        label="Split right"
        hint={keyOf("pane.split_right")}
        data-testid="split-right"
        onClick={within(() => void newTerminal("right"))}
      >
        <SplitRightIcon size={14} />
      </IconButton>
      <IconButton
        label="Split down"
        hint={keyOf("pane.split_down")}
        data-testid="split-down"
        onClick={within(() => void newTerminal("down"))}
      >
        <SplitDownIcon size={14} />
      </IconButton>
      <IconButton
        label={zoomed ? "Give the others their places back" : "Zoom"}
        hint={keyOf("pane.zoom")}
        data-testid="zoom"
        onClick={within(toggleZoom)}
      >
        {zoomed ? <UnzoomIcon size={14} /> : <ZoomIcon size={14} />}
      </IconButton>
      {/* What is inside of a tab is no part of its own for a screen reader: the button there is for the mouse. */}
      <button
        type="button"
        className="button only-read"
        data-testid="close-front"
        onClick={within(() => runCommand("pane.close"))}
      >
        Close the tab in front
      </button>
    </div>
  );
}
