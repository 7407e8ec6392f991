import { useSettings } from "../shared/settings-store";
import { usePanes } from "./pane-store";

/** What the status bar says of panes and of the host that they live in. */
export function StatusItems() {
  const panes = usePanes((state) => state.panes);
  const host = useSettings((state) => state.host);
  const platform = useSettings((state) => state.platform);
  const all = Object.values(panes);
  const working = all.filter((pane) => pane.attention === "working").length;
  const where =
    platform?.host === "in_process"
      ? "Panes end with this window"
      : "Panes outlive this window";
  return (
    <>
      <span
        className="status-item"
        data-testid="status-host"
        data-state={host.state}
        title={host.state === "up" ? where : host.message}
      >
        <span className="host-dot" aria-hidden="true" />
        {host.state === "up"
          ? "Host up"
          : host.state === "down"
            ? "Host down"
            : "Host restarted"}
      </span>
      <span className="status-item" data-testid="status-panes">
        {all.length === 1 ? "1 pane" : `${all.length} panes`}
      </span>
      {working > 0 && <span className="status-item">{working} working</span>}
    </>
  );
}
