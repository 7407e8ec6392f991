import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { backend } from "../backend/backend";
import type { RepositoryView } from "../bindings";
import { Button, IconButton } from "../shared/Button";
import { CloseIcon, DownIcon, FolderIcon, RightIcon } from "../shared/icons";
import { reportFailure } from "../shared/notices";
import { useRepositories } from "../shared/repositories";
import { Since } from "../shared/Since";
import { walk } from "../shared/walk";
import {
  grouped,
  keyOf,
  lines,
  nameOf,
  type Said,
  sideName,
  unquietConflicts,
  useConflicts,
} from "./conflict-store";
import { useKeptFocus } from "./kept-focus";
import { PathText } from "./PathText";
import { beQuiet } from "./QuietMenu";
import { quietings, wishInWords } from "./quieting";
import { SeverityMark } from "./SeverityMark";
import "./conflicts.css";

export interface ConflictsPanelProps {
  onOpen: (said: Said) => void;
  /** Opens what the worktrees of a repository touch. */
  onRepository: (repository: string) => void;
  onAddFolder: () => void;
  onClose: () => void;
}

/** All conflicts of all repositories, the worst first, and whether the picture is fresh. */
export function ConflictsPanel({
  onOpen,
  onRepository,
  onAddFolder,
  onClose,
}: ConflictsPanelProps) {
  const verdicts = useConflicts((state) => state.verdicts);
  const quiets = useConflicts((state) => state.quiets);
  const notes = useConflicts((state) => state.notes);
  const repositories = useRepositories((state) => state.repositories);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const panel = useRef<HTMLElement>(null);
  const { warnings, apart, quiet } = grouped(verdicts);
  const wishes = Object.entries(quiets).flatMap(([repository, all]) =>
    all.map((wish) => ({ repository, wish })),
  );
  const several = repositories.length > 1;

  useKeptFocus(panel);
  useEffect(() => {
    const first = panel.current?.querySelector<HTMLElement>("[data-walk]");
    (first ?? panel.current)?.focus();
  }, []);

  function fold(name: string) {
    setUnfolded((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });
  }

  function rows(said: Said[]) {
    return (
      <ul>
        {said.map((one) => (
          <VerdictRow
            key={`${one.repository}\u0000${nameOf(keyOf(one.verdict))}`}
            said={one}
            repository={
              several ? nameOfRepository(repositories, one.repository) : null
            }
            onOpen={onOpen}
          />
        ))}
      </ul>
    );
  }

  function section(name: string, title: string, said: Said[]) {
    if (said.length === 0) return null;
    const open = unfolded.has(name);
    return (
      <section aria-label={title}>
        <button
          type="button"
          className="conflicts-fold"
          data-walk
          aria-expanded={open}
          onClick={() => fold(name)}
        >
          {open ? <DownIcon size={12} /> : <RightIcon size={12} />}
          {title}
          <span className="faint">{said.length}</span>
        </button>
        {open && rows(said)}
      </section>
    );
  }

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
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the buttons inside */}
      <div className="conflicts-list" onKeyDown={walk}>
        {repositories.map((repository) => (
          <RepositoryHealth key={repository.repository} view={repository} />
        ))}
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
        ) : (
          rows(warnings)
        )}
        {section("apart", "Same files, nothing to warn of", apart)}
        {section("quiet", "Quiet", quiet)}
        {wishes.length > 0 && (
          <section aria-label="Muted and snoozed">
            <button
              type="button"
              className="conflicts-fold"
              data-walk
              data-testid="wishes"
              aria-expanded={unfolded.has("wishes")}
              onClick={() => fold("wishes")}
            >
              {unfolded.has("wishes") ? (
                <DownIcon size={12} />
              ) : (
                <RightIcon size={12} />
              )}
              Muted and snoozed <span className="faint">{wishes.length}</span>
            </button>
            {unfolded.has("wishes") && (
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
                      onClick={() =>
                        void unquietConflicts(repository, wish.about)
                      }
                    >
                      Take back
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </section>
        )}
        <Notes notes={notes} />
      </div>
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

function nameOfRepository(all: RepositoryView[], id: string): string {
  return all.find(({ repository }) => repository === id)?.name ?? id;
}

function betweenWorktrees(repositories: RepositoryView[]): string {
  const count = repositories.flatMap(({ worktrees }) => worktrees).length;
  if (count === 0) return "";
  return count === 1
    ? ": there is only one worktree"
    : ` between ${count} worktrees`;
}

function VerdictRow({
  said,
  repository,
  onOpen,
}: {
  said: Said;
  repository: string | null;
  onOpen: (said: Said) => void;
}) {
  const { verdict } = said;
  const { left, right, overlaps, note } = verdict;
  function onKeyDown(event: KeyboardEvent) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const [snooze, , acknowledge, mute] = quietings(verdict);
    const way = { s: snooze, a: acknowledge, m: mute }[event.key];
    if (!way) return;
    event.preventDefault();
    void beQuiet(said, way);
  }
  return (
    <li>
      <button
        type="button"
        className="verdict-row"
        data-walk
        data-testid="verdict-row"
        data-quiet={verdict.quiet}
        title={`${verdict.path}\nEnter opens it; s snoozes, a acknowledges, m mutes these two`}
        onKeyDown={onKeyDown}
        onClick={() => onOpen(said)}
      >
        <SeverityMark verdict={verdict} />
        <span className="verdict-row-text">
          <span className="verdict-row-path">
            {repository && <span className="faint">{repository}</span>}
            <PathText path={verdict.path} />
            <span className="spacer" />
            <span
              className="verdict-row-merge"
              data-stops={verdict.would_conflict}
            >
              {verdict.would_conflict ? "no clean merge" : "merges"}
            </span>
          </span>
          <span className="verdict-row-sides">
            {sideName(left)} <span className="faint">and</span>{" "}
            {sideName(right)}
          </span>
          <span className="verdict-row-detail">
            {note ??
              (overlaps.length > 0 ? lines(overlaps) : WHERE[verdict.severity])}
            {" · "}
            <Since at={verdict.since} />
          </span>
        </span>
      </button>
    </li>
  );
}

const WHERE = {
  same_line: "the same lines",
  adjacent_line: "lines next to each other",
  different_area: "different parts",
  identical: "the same change",
};

/** Says when a repository is not watched live, and why. */
function RepositoryHealth({ view }: { view: RepositoryView }) {
  const { state, name, repository } = view;
  if (state.state === "looking")
    return <p className="conflicts-note">Looking through {name}…</p>;
  if (state.state === "watched" && state.health === "live") return null;
  const gone = state.state === "watched" && state.health === "gone";
  const reasons = state.state === "failed" ? [state.message] : state.reasons;
  return (
    <div
      className="conflicts-degraded"
      role="status"
      data-testid="conflicts-degraded"
    >
      <p>
        <b>{name}</b>{" "}
        {state.state === "failed"
          ? "can't be watched."
          : gone
            ? "is gone."
            : "is looked at every few seconds: some changes may show late."}
      </p>
      <ul>
        {reasons.slice(0, 4).map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
        {reasons.length > 4 && <li>and {reasons.length - 4} more</li>}
      </ul>
      {state.state === "watched" && !gone && (
        <button
          type="button"
          className="link-button"
          onClick={() =>
            void backend.rescanRepository(repository).then(reportFailure)
          }
        >
          Look now
        </button>
      )}
    </div>
  );
}

function Notes({ notes }: { notes: Record<string, string[]> }) {
  const all = [...new Set(Object.values(notes).flat())];
  if (all.length === 0) return null;
  return (
    <ul className="conflicts-notes" aria-label="What could not be compared">
      {all.slice(0, 8).map((note) => (
        <li key={note}>{note}</li>
      ))}
      {all.length > 8 && <li>and {all.length - 8} more</li>}
    </ul>
  );
}
