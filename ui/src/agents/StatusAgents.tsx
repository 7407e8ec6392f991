import { openHub } from "./actions";
import { standingOf, troubles, useAgents } from "./agent-store";

/** What the status bar says of agents. */
export function StatusAgents() {
  const { agents, backends, errors } = useAgents();
  const all = Object.values(agents);
  const working = all.filter((agent) => standingOf(agent) === "working").length;
  const down = troubles({ backends, errors });
  if (all.length === 0 && down.length === 0) return null;
  return (
    <button
      type="button"
      className="status-item yields"
      data-testid="status-agents"
      title={down.map((one) => one.reason).join("\n") || "Every agent"}
      onClick={openHub}
    >
      {all.length === 1 ? "1 agent" : `${all.length} agents`}
      {working > 0 && `, ${working} working`}
      {down.length > 0 && (
        <span className="status-down">
          {down.length === 1 ? "1 host down" : `${down.length} hosts down`}
        </span>
      )}
    </button>
  );
}
