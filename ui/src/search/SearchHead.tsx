import type { PaneId } from "../bindings";
import { useRepositories } from "../shared/repositories";
import { SearchBox } from "./SearchBox";
import {
  describeCount,
  type ScopeName,
  setQuery,
  usePlace,
  type When,
} from "./search-store";

const SCOPES: { name: ScopeName; label: string }[] = [
  { name: "everything", label: "Everything" },
  { name: "all", label: "All panes" },
  { name: "live", label: "Open panes" },
  { name: "closed", label: "Closed panes" },
  { name: "conversations", label: "Conversations" },
];

const TIMES: { name: When; label: string }[] = [
  { name: "any", label: "Any time" },
  { name: "minutes", label: "Last 10 minutes" },
  { name: "hour", label: "Last hour" },
  { name: "today", label: "Today" },
  { name: "week", label: "Last 7 days" },
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
        label="Search what was printed and said"
        placeholder="Search what was printed and said"
        testId="search-input"
        onStep={onStep}
        onClose={onClose}
        onLeave={onLeave}
      />
      <div className="search-options">
        <Scope titleOf={titleOf} />
        <Order />
        <CameWhen />
        <Directory />
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
      aria-label="Where to look"
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

function CameWhen() {
  const { query } = usePlace("panel");
  return (
    <select
      aria-label="When it was"
      value={query.when}
      data-testid="search-when"
      onChange={(event) =>
        setQuery("panel", { when: event.target.value as When }, 0)
      }
    >
      {TIMES.map(({ name, label }) => (
        <option key={name} value={name}>
          {label}
        </option>
      ))}
    </select>
  );
}

/** Which worktree the panes work in, where there are any. */
function Directory() {
  const { query } = usePlace("panel");
  const repositories = useRepositories((state) => state.repositories);
  if (query.scope === "pane" || repositories.length === 0) return null;
  return (
    <select
      aria-label="In which folder"
      value={query.directory ?? ""}
      data-testid="search-directory"
      onChange={(event) =>
        setQuery("panel", { directory: event.target.value || null }, 0)
      }
    >
      <option value="">Any folder</option>
      {repositories.map((repository) => (
        <optgroup key={repository.repository} label={repository.name}>
          {repository.worktrees.map(({ name, path }) => (
            <option key={path} value={path}>
              {name}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}
