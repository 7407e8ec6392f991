import type { MachineId, PaneId } from "../bindings";
import { Button } from "../shared/Button";
import { machineOf, reach, useMachines } from "../shared/machines";
import { Since } from "../shared/Since";
import { paneIsGone } from "./pane-life";

export interface FarPaneProps {
  pane: PaneId;
  machine: MachineId;
  /** Nothing is known of the pane. */
  gone: boolean;
}

/** What lies over a pane of another machine while it can't be seen as it is: since when, why, and the way back. */
export function FarPane({ pane, machine, gone }: FarPaneProps) {
  const known = useMachines((state) => machineOf(state, machine));
  if (known === null) {
    if (!gone) return null;
    return (
      <Bar title="This pane is on a machine that is not known any more">
        <Button onClick={() => paneIsGone(pane)}>Close the tab</Button>
      </Bar>
    );
  }
  const { name, link } = known;
  const connect = <Button onClick={() => void reach(machine)}>Connect</Button>;
  switch (link.state) {
    case "up":
      if (!gone) return null;
      return (
        <Bar title={`This pane has ended on ${name}`}>
          <Button onClick={() => paneIsGone(pane)}>Close the tab</Button>
        </Bar>
      );
    case "reaching":
      return <Bar title={`Reaching ${name}`} detail={link.at} />;
    case "unused":
      return <Bar title={`${name} is not connected`}>{connect}</Bar>;
    case "failed":
      return (
        <Bar title={`${name} can't be reached`} detail={link.message}>
          {connect}
        </Bar>
      );
    case "lost":
      return (
        <Bar
          title={`The link to ${name} is lost`}
          since={link.since}
          detail={link.message}
        >
          {connect}
        </Bar>
      );
  }
}

function Bar({
  title,
  since,
  detail,
  children,
}: {
  title: string;
  since?: number;
  detail?: string;
  children?: React.ReactNode;
}) {
  return (
    <>
      <div className="terminal-far" />
      <div className="terminal-ended" role="status" data-testid="far-pane">
        <span className="terminal-ended-title">{title}</span>
        {since !== undefined && <Since at={since} />}
        <span className="terminal-ended-detail" title={detail}>
          {detail}
        </span>
        <span className="spacer" />
        {children}
      </div>
    </>
  );
}
