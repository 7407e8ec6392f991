import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type CSSProperties,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { backend } from "../backend/backend";
import type {
  Picture,
  RepositoryView,
  Verdict,
  WorktreeView,
} from "../bindings";
import { BranchIcon } from "../shared/icons";
import { badgeOf, toneOf, useRepositories } from "../shared/repositories";
import { Sentence } from "../shared/Sentence";
import { changeOf, lines, type Said, useConflicts } from "./conflict-store";
import { letterOf, type MatrixRow, matrixRows } from "./matrix";
import { PathText } from "./PathText";
import "./conflicts.css";

const ROW = 24;

/** What is known of a repository; asked anew when its worktrees or verdicts changed. */
function usePicture(
  repository: string,
  view: RepositoryView | undefined,
  said: Record<string, Verdict> | undefined,
): { picture: Picture | null; failed: string | null } {
  const [picture, setPicture] = useState<Picture | null>(null);
  const [failed, setFailed] = useState<string | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked anew when worktrees or verdicts changed
  useEffect(() => {
    let stopped = false;
    // A burst of changes is one question.
    const timer = setTimeout(
      () => {
        void backend.repositoryPicture(repository).then((answer) => {
          if (stopped) return;
          if (answer.status === "ok") setPicture(answer.data);
          setFailed(answer.status === "error" ? answer.error.message : null);
        });
      },
      picture ? 120 : 0,
    );
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [repository, view, said]);
  return { picture, failed };
}

/** Which worktree touches which file, overlaps marked: the whole repository at a glance. */
export function RepositoryMatrix({
  repository,
  onOpen,
  onTerminal,
}: {
  repository: string;
  onOpen: (said: Said) => void;
  onTerminal: (worktree: string) => void;
}) {
  const view = useRepositories((state) =>
    state.repositories.find((one) => one.repository === repository),
  );
  const said = useConflicts((state) => state.verdicts[repository]);
  const { picture, failed } = usePicture(repository, view, said);
  const [filter, setFilter] = useState("");
  const [shared, setShared] = useState(false);

  const rows = useMemo(
    () => (picture ? matrixRows(picture, filter, shared) : []),
    [picture, filter, shared],
  );
  const touched = useMemo(
    () => new Set(picture?.entries.map(({ path }) => path)).size,
    [picture],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 20,
  });
  const worktrees = view?.worktrees ?? [];
  const name = view?.name ?? repository;

  return (
    <section
      className="matrix"
      aria-label={`Files touched in ${name}`}
      data-testid="matrix"
    >
      <Tools
        name={name}
        touched={touched}
        worktrees={worktrees.length}
        filter={filter}
        onFilter={setFilter}
        shared={shared}
        onShared={setShared}
      />
      {failed && (
        <p className="verdict-error" role="alert">
          <Sentence text={failed} />
        </p>
      )}
      <div
        className="matrix-scroll"
        ref={scroller}
        style={{ "--worktrees": worktrees.length } as CSSProperties}
      >
        <Heads worktrees={worktrees} onTerminal={onTerminal} />
        {picture && rows.length === 0 && (
          <p className="conflicts-empty">
            {picture.worktrees.length === 0
              ? "There is no worktree to look at."
              : touched === 0
                ? "No worktree touches a file: all are as at their merge bases."
                : "No file matches."}
          </p>
        )}
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {list.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return (
              row && (
                <div
                  key={row.path}
                  className="matrix-row"
                  data-tone={
                    row.worst === null
                      ? undefined
                      : toneOf(row.worst, row.stops)
                  }
                  style={{
                    height: ROW,
                    transform: `translateY(${item.start}px)`,
                  }}
                >
                  <span className="matrix-path" title={row.path}>
                    <PathText path={row.path} />
                  </span>
                  {worktrees.map(({ path, name }) => (
                    <Cell
                      key={path}
                      row={row}
                      worktree={path}
                      name={name}
                      onOpen={(verdict) => onOpen({ repository, verdict })}
                    />
                  ))}
                </div>
              )
            );
          })}
        </div>
      </div>
    </section>
  );
}

/** What is shown, and what of it. */
function Tools({
  name,
  touched,
  worktrees,
  filter,
  onFilter,
  shared,
  onShared,
}: {
  name: string;
  /** How many files. */
  touched: number;
  /** How many. */
  worktrees: number;
  filter: string;
  onFilter: (filter: string) => void;
  /** Only files that several worktrees touch. */
  shared: boolean;
  onShared: (shared: boolean) => void;
}) {
  return (
    <header className="matrix-tools">
      <h2>
        {name}{" "}
        <span className="faint">
          {touched === 1 ? "1 file" : `${touched} files`} touched in{" "}
          {worktrees === 1 ? "1 worktree" : `${worktrees} worktrees`}
        </span>
      </h2>
      <span className="spacer" />
      <label className="matrix-check">
        <input
          type="checkbox"
          checked={shared}
          onChange={(event) => onShared(event.target.checked)}
        />
        Only files that several touch
      </label>
      <input
        className="matrix-filter"
        type="search"
        placeholder="Filter files"
        aria-label="Filter files"
        value={filter}
        onChange={(event) => onFilter(event.target.value)}
      />
    </header>
  );
}

/** The worktrees, a column each. */
function Heads({
  worktrees,
  onTerminal,
}: {
  worktrees: WorktreeView[];
  onTerminal: (worktree: string) => void;
}) {
  return (
    <div className="matrix-heads">
      <span />
      {worktrees.map((worktree) => (
        <button
          key={worktree.path}
          type="button"
          className="matrix-tree"
          title={`${worktree.path}${worktree.branch ? `\non branch ${worktree.branch}` : ""}${worktree.agent ? `\n${worktree.agent} works here` : ""}\nOpens a terminal there`}
          data-present={worktree.present}
          onClick={() => onTerminal(worktree.path)}
        >
          <span className="matrix-name">
            {worktree.main && <BranchIcon size={11} />}
            {worktree.name}
          </span>
          <span className="matrix-count" data-tone={badgeOf(worktree)?.tone}>
            {worktree.present ? worktree.changed_files : "not there"}
          </span>
        </button>
      ))}
    </div>
  );
}

function Cell({
  row,
  worktree,
  name,
  onOpen,
}: {
  row: MatrixRow;
  worktree: string;
  name: string;
  onOpen: (verdict: Verdict) => void;
}) {
  const entry = row.entries[worktree];
  if (!entry) return <span className="matrix-cell" />;
  const part = row.verdicts
    .filter(({ left, right }) =>
      [left.worktree, right.worktree].includes(worktree),
    )
    .sort(
      (a, b) =>
        Number(a.quiet) - Number(b.quiet) ||
        Number(b.would_conflict) - Number(a.would_conflict) ||
        (a.severity === "same_line" ? -1 : b.severity === "same_line" ? 1 : 0),
    );
  const [worst] = part;
  const side =
    worst && (worst.left.worktree === worktree ? worst.left : worst.right);
  const what = side ? changeOf(side) : KINDS[entry.change.kind];
  const ranges = entry.ranges.length > 0 ? `, ${lines(entry.ranges)}` : "";
  const title = `${name}: ${what}${ranges}`;
  if (!worst)
    return (
      <span className="matrix-cell" title={title}>
        {letterOf(entry)}
      </span>
    );
  return (
    <button
      type="button"
      className="matrix-cell"
      data-tone={
        worst.quiet ? undefined : toneOf(worst.severity, worst.would_conflict)
      }
      title={`${title}\nOpens ${worst.left.name} beside ${worst.right.name}`}
      onClick={() => onOpen(worst)}
    >
      {letterOf(entry)}
      {part.length > 1 && <sup>{part.length}</sup>}
    </button>
  );
}

const KINDS = {
  modify: "changed",
  create: "new",
  delete: "deleted",
  rename: "renamed",
  mode: "mode changed",
  binary: "changed, not text",
  symlink: "symbolic link",
  submodule: "submodule",
};
