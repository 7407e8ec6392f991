import type { PaneId } from "../bindings";
import { SearchBox } from "./SearchBox";
import {
  describeCount,
  type ScopeName,
  setQuery,
  usePlace,
} from "./search-store";

const SCOPES: { name: ScopeName; label: string }[] = [
  { name: "all", label: "All panes" },
  { name: "live", label: "Open panes" },
  { name: "closed", label: "Closed panes" },
];

/** What is searched for, where, in which order, and how much was found. */
export function SearchHead({
  titleOf,
  onStep,
  onClose,
  onLeave,
}: {
  titleOf: (pane: PaneId) => string;
  onStep: (by: 1 | -1) => void;
  onClose: () => void;
  onLeave: () => void;
}) {
  const state = usePlace("panel");
  const { search } = state;
  return (
    <div className="search-head">
      <SearchBox
        place="panel"
        label="Search what panes printed"
        placeholder="Search what panes printed"
        testId="search-input"
        onStep={onStep}
        onClose={onClose}
        onLeave={onLeave}
      />
      <div className="search-options">
        <Scope titleOf={titleOf} />
        <Order />
        <span className="spacer" />
        <span className="search-count" role="status" data-testid="search-count">
          {describeCount(state, true)}
        </span>
      </div>
      {search.status === "done" && search.reason && (
        <p className="search-note">{search.reason}</p>
      )}
    </div>
  );
}

function Scope({ titleOf }: { titleOf: (pane: PaneId) => string }) {
  const { query } = usePlace("panel");
  return (
    <select
      aria-label="Which panes"
      value={query.scope}
      data-testid="search-scope"
      onChange={(event) => {
        const scope = event.target.value as ScopeName;
        setQuery("panel", { scope, pane: null, lines: null }, 0);
      }}
    >
      {SCOPES.map(({ name, label }) => (
        <option key={name} value={name}>
          {label}
        </option>
      ))}
      {query.scope === "pane" && query.pane !== null && (
        <option value="pane">
          {query.lines ? "Last output of " : ""}
          {titleOf(query.pane)}
        </option>
      )}
    </select>
  );
}

function Order() {
  const { query } = usePlace("panel");
  return (
    <select
      aria-label="Order"
      value={query.oldestFirst ? "oldest" : "newest"}
      onChange={(event) =>
        setQuery("panel", { oldestFirst: event.target.value === "oldest" }, 0)
      }
    >
      <option value="newest">Newest first</option>
      <option value="oldest">Oldest first</option>
    </select>
  );
}
