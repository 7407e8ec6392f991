import type { PaneId } from "../bindings";
import { Button } from "../shared/Button";
import { endBroadcast, useBroadcast } from "./broadcast";
import { toggleBroadcast } from "./broadcast-commands";

/** Says of a pane that what is typed goes to others as well, for as long as it does. */
export function BroadcastBar({ pane }: { pane: PaneId }) {
  const panes = useBroadcast((state) => state.panes);
  if (!panes.includes(pane)) return null;
  const others = panes.length - 1;
  return (
    <div className="broadcast" role="status" data-testid={`broadcast-${pane}`}>
      <span className="broadcast-text">
        {others === 0
          ? "Typed into together with the next panes that join"
          : `What you type goes to ${others} other ${others === 1 ? "pane" : "panes"}`}
      </span>
      <Button onClick={() => toggleBroadcast(pane)}>Leave</Button>
      <Button onClick={endBroadcast}>End for all</Button>
    </div>
  );
}
