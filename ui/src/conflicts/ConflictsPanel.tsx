import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Quiet, RepositoryView } from "../bindings";
import { Button, IconButton } from "../shared/Button";
import { CloseIcon, DownIcon, FolderIcon, RightIcon } from "../shared/icons";
import { useRepositories } from "../shared/repositories";
import { walk } from "../shared/walk";
import { ConflictRows } from "./ConflictRows";
import {
  grouped,
  type Said,
  unquietConflicts,
  useConflicts,
} from "./conflict-store";
import { useKeptFocus } from "./kept-focus";
import { wishInWords } from "./quieting";
import { Notes, RepositoryHealth } from "./RepositoryHealth";
import { matching, together } from "./together";
import "./conflicts.css";

export interface ConflictsPanelProps {
  onOpen: (said: Said) => void;
  /** Opens what the worktrees of a repository touch. */
  onRepository: (repository: string) => void;
  onAddFolder: () => void;
  onClose: () => void;
}

/** So few rows are looked through faster than a filter is typed. */
const FEW = 6;

/** All conflicts of all repositories, the worst first, and whether the picture is fresh. */
export function ConflictsPanel({
  onOpen,
  onRepository,
  onAddFolder,
  onClose,
}: ConflictsPanelProps) {
  const repositories = useRepositories((state) => state.repositories);
  const panel = useRef<HTMLElement>(null);
  const [filter, setFilter] = useState("");
  const { verdicts, notes } = useConflicts();
  const count = Object.values(verdicts).flatMap(Object.values).length;

  useKeptFocus(panel);
  useEffect(() => {
    const first = panel.current?.querySelector<HTMLElement>("[data-walk]");
    (first ?? panel.current)?.focus();
  }, []);

  return (
    <section
      className="conflicts"
      aria-label="Conflicts"
      data-testid="conflicts-panel"
      ref={panel}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <header className="aside-heading">
        <h2>Conflicts</h2>
        <IconButton label="Close" onClick={onClose}>
          <CloseIcon size={14} />
        </IconButton>
      </header>
      {(count > FEW || filter !== "") && (
        <input
          className="conflicts-filter"
          type="search"
          placeholder="Filter by file, worktree, branch or agent"
          aria-label="Filter conflicts"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the buttons inside */}
      <div className="conflicts-list" onKeyDown={walk}>
        {repositories.map((repository) => (
          <RepositoryHealth key={repository.repository} view={repository} />
        ))}
        <Sections
          repositories={repositories}
          filter={filter}
          onOpen={onOpen}
          onAddFolder={onAddFolder}
        />
        <Wishes />
        <Notes notes={notes} />
      </div>
      {count > 0 && (
        <p className="conflicts-keys">
          <kbd>s</kbd> snoozes, <kbd>a</kbd> acknowledges, <kbd>m</kbd> mutes
        </p>
      )}
      {repositories.length > 0 && (
        <footer className="conflicts-foot">
          {repositories.map(({ repository, name, state }) => (
            <button
              key={repository}
              type="button"
              className="link-button"
              disabled={state.state !== "watched"}
              title={`Which worktree touches which file of ${name}`}
              onClick={() => onRepository(repository)}
            >
              <FolderIcon size={12} />
              {name}
            </button>
          ))}
        </footer>
      )}
    </section>
  );
}

/** What to look at, what is only information, and what a person quieted. */
function Sections({
  repositories,
  filter,
  onOpen,
  onAddFolder,
}: {
  repositories: RepositoryView[];
  filter: string;
  onOpen: (said: Said) => void;
  onAddFolder: () => void;
}) {
  const { verdicts, groups } = useConflicts();
  const { warnings, apart, quiet } = grouped(verdicts);
  const nameOf = (id: string) =>
    repositories.find(({ repository }) => repository === id)?.name ?? id;
  const shown = (said: Said[]) => matching(said, filter, nameOf);
  const rows = (said: Said[]) => (
    <ConflictRows
      all={together(said, groups)}
      repositoryName={(id) => (repositories.length > 1 ? nameOf(id) : null)}
      onOpen={onOpen}
    />
  );
  const section = (title: string, all: Said[]) => {
    const said = shown(all);
    return (
      said.length > 0 && (
        <Fold title={title} count={together(said, groups).length}>
          {rows(said)}
        </Fold>
      )
    );
  };
  return (
    <>
      {repositories.length === 0 ? (
        <div className="conflicts-empty">
          <p>No repository is in the workspace.</p>
          <p>
            Open a terminal in one, or add a folder; its worktrees are then
            watched for changes to the same lines.
          </p>
          <Button onClick={onAddFolder}>Add a folder…</Button>
        </div>
      ) : warnings.length === 0 ? (
        <p className="conflicts-empty" data-testid="conflicts-none">
          No conflicts{betweenWorktrees(repositories)}.
        </p>
      ) : shown(warnings).length === 0 ? (
        <p className="conflicts-empty">No conflict matches “{filter}”.</p>
      ) : (
        rows(shown(warnings))
      )}
      {section("Same files, nothing to warn of", apart)}
      {section("Quiet", quiet)}
    </>
  );
}

/** A heading that shows what is below it when it is asked to. */
function Fold({
  title,
  count,
  testid,
  children,
}: {
  title: string;
  count: number;
  testid?: string;
  children: ReactNode;
}) {
  const [open, setOpen] = useState(false);
  return (
    <section aria-label={title}>
      <button
        type="button"
        className="conflicts-fold"
        data-walk
        data-testid={testid}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {open ? <DownIcon size={12} /> : <RightIcon size={12} />}
        {title}
        <span className="faint">{count}</span>
      </button>
      {open && children}
    </section>
  );
}

/** The wishes for quiet, and the way back. */
function Wishes() {
  const quiets = useConflicts((state) => state.quiets);
  const wishes = Object.entries(quiets).flatMap(([repository, all]) =>
    all.map((wish: Quiet) => ({ repository, wish })),
  );
  if (wishes.length === 0) return null;
  return (
    <Fold title="Muted and snoozed" count={wishes.length} testid="wishes">
      <ul>
        {wishes.map(({ repository, wish }) => (
          <li
            key={`${repository} ${JSON.stringify(wish.about)}`}
            className="wish-row"
          >
            <span>{wishInWords(wish)}</span>
            <button
              type="button"
              className="link-button"
              data-walk
              onClick={() => void unquietConflicts(repository, wish.about)}
            >
              Take back
            </button>
          </li>
        ))}
      </ul>
    </Fold>
  );
}

function betweenWorktrees(repositories: RepositoryView[]): string {
  const count = repositories.flatMap(({ worktrees }) => worktrees).length;
  if (count === 0) return "";
  return count === 1
    ? ": there is only one worktree"
    : ` between ${count} worktrees`;
}
