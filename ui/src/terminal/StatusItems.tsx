import { useEffect, useState } from "react";
import { backend } from "../backend/backend";
import type { MemoryUse } from "../bindings";
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
      {working > 0 && (
        <span className="status-item spare">{working} working</span>
      )}
      <Memory />
    </>
  );
}

/** It changes slowly, and asking costs a little. */
const MEMORY_EVERY_MS = 20_000;

/** What Switchyard's own processes take, without the programs in its panes. */
function Memory() {
  const [use, setUse] = useState<MemoryUse | null>(null);
  useEffect(() => {
    let stopped = false;
    async function look() {
      if (document.hidden) return;
      const answer = await backend.memoryUse();
      if (!stopped && answer.status === "ok") setUse(answer.data);
    }
    // The start has better things to do.
    const first = setTimeout(look, 2_000);
    const timer = setInterval(look, MEMORY_EVERY_MS);
    return () => {
      stopped = true;
      clearTimeout(first);
      clearInterval(timer);
    };
  }, []);
  if (!use) return null;
  const { window_mb: window, host_mb: host } = use;
  return (
    <span
      className="status-item spare"
      data-testid="status-memory"
      title={
        host === null
          ? `Memory: ${window} MB, the panes included`
          : `Memory: the window ${window} MB, the pane host ${host} MB`
      }
    >
      {window + (host ?? 0)} MB
    </span>
  );
}
