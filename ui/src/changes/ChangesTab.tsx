import { useEffect, useMemo, useRef, useState } from "react";
import { backend } from "../backend/backend";
import type { Act, Moment, Remark, View, ViewChanges } from "../bindings";
import { BranchIcon } from "../shared/icons";
import { reportFailure } from "../shared/notices";
import { baseName } from "../shared/paths";
import { Sentence } from "../shared/Sentence";
import type { Target } from "../shared/targets";
import "./changes.css";
import { doWith, rememberMoment, restoreTo } from "./acting";
import { CommitForm } from "./CommitForm";
import { DiffView } from "./DiffView";
import { FileTree } from "./FileTree";
import { LandRow, type Near } from "./LandRow";
import { takeBack } from "./landing";
import { MoreMenu } from "./MoreMenu";
import { RemarksBar } from "./RemarksBar";
import { SinceChoice } from "./SinceChoice";
import { SnapshotsDialog } from "./SnapshotsDialog";
import { touched, useTouchesWhile } from "./touched-store";
import {
  countsOf,
  type FileRow,
  fileAfter,
  filesOf,
  follow,
  isLookedAt,
  type Looked,
  nextToLookAt,
  type TreeRow,
  treeRows,
} from "./tree-rows";
import { useAnswer } from "./use-answer";
import { standing } from "./words";

/** By how far it got. */
const PARTS: View[] = ["staged", "unstaged", "untracked", "committed"];
/** All in one; beside it what a commit would have, which is not shown. */
const WHOLE: View[] = ["whole", "staged", "unstaged", "untracked"];

const NO_VIEWS: ViewChanges[] = [];
const NO_REMARKS: Remark[] = [];
const NO_MOMENTS: Moment[] = [];

/** What a worktree changed: its files, and the lines of one of them. It follows the worktree while it is in view. */
export function ChangesTab({
  worktree,
  visible,
  active,
  near,
  targets,
  onConflicts,
  onRun,
}: {
  worktree: string;
  visible: boolean;
  /** The person turned to it last. */
  active: boolean;
  /** The other worktrees that changed the same lines. */
  near: Near[];
  /** Who works there. */
  targets: Target[];
  /** Shows where it does not go together with another worktree, if it is one. */
  onConflicts: (other: string | null, files: string[]) => void;
  /** Runs a program there, where it is seen. */
  onRun: (program: string, args: string[]) => void;
}) {
  const [together, setTogether] = useState(false);
  const [filter, setFilter] = useState("");
  const [ignoreSpace, setIgnoreSpace] = useState(false);
  /** The moment that it is compared with; none: as git has it. */
  const [since, setSince] = useState<string | null>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const [shown, setShown] = useState<FileRow | null>(null);
  const [asked, setAsked] = useState<"snapshots" | null>(null);
  const place = useRef<HTMLElement>(null);

  const tick = useTouchesWhile(visible, worktree);
  const views = together ? WHOLE : PARTS;
  const remembered = useAnswer(worktree, tick, () =>
    backend.listMoments(worktree),
  );
  const moments = remembered.data ?? NO_MOMENTS;
  const moment = moments.find(({ id }) => id === since) ?? null;
  const listed = useAnswer(
    [worktree, together, since].join("\u0000"),
    tick,
    () =>
      since === null
        ? backend.worktreeChanges(worktree, views, null)
        : backend.changesSince(worktree, since),
  );
  const changes = listed.data;
  const forge = useAnswer(`${worktree}\u0000${changes?.branch}`, 0, () =>
    backend.forgePage(worktree),
  ).data;
  const inView = useMemo(() => {
    const all = changes?.views ?? NO_VIEWS;
    return together ? all.filter(({ view }) => view === "whole") : all;
  }, [changes, together]);
  const rows = useMemo(
    () => treeRows(inView, filter, closed),
    [inView, filter, closed],
  );
  // Until one is chosen, the first one is shown.
  const first = rows.find((row) => row.kind === "file") ?? null;
  const chosen = shown ?? first;
  const followed = useMemo(
    () => chosen && follow(inView, chosen),
    [inView, chosen],
  );
  const open = followed ?? chosen;
  const currentKey =
    current === null || current === chosen?.key ? (open?.key ?? null) : current;

  const lookedAt = useAnswer(worktree, tick, () => backend.lookedAt(worktree));
  const looked: Looked = useMemo(
    () => new Map(lookedAt.data?.map(({ path, still }) => [path, still])),
    [lookedAt.data],
  );

  const told = useAnswer(worktree, tick, () => backend.listRemarks(worktree));
  const remarks = told.data ?? NO_REMARKS;
  const onOpen = useMemo(
    () =>
      remarks.filter(
        (one) => one.answered_ms === null && one.about.path === open?.file.path,
      ),
    [remarks, open?.file.path],
  );

  async function lookAt(row: TreeRow, now: boolean) {
    const paths = filesOf(row).map(({ path }) => path);
    const done = await backend.lookAt(worktree, row.view, paths, now);
    touched(worktree);
    reportFailure(done);
  }
  function lookOn(row: TreeRow, now: boolean) {
    void lookAt(row, now);
    const next = now ? nextToLookAt(rows, row, looked) : null;
    if (next) choose(next);
  }
  function choose(row: TreeRow) {
    setCurrent(row.key);
    if (row.kind === "file") setShown(row);
  }
  function actOn(act: Act, row: TreeRow) {
    const { view } = row;
    void doWith({ worktree, act, view, files: filesOf(row) });
    const next = fileAfter(rows, row);
    if (next && row.key === currentKey) choose(next);
  }
  function fold(key: string, open: boolean) {
    const next = new Set(closed);
    if (open) next.delete(key);
    else next.add(key);
    setClosed(next);
  }
  function compare(moment: string | null) {
    setSince(moment);
    setShown(null);
    setCurrent(null);
  }
  function arrange(all: boolean) {
    setTogether(all);
    setShown(null);
    setCurrent(null);
  }

  const empty = changes !== null && inView.every(isEmpty);
  const some = changes !== null && !empty;
  // Who comes here has the files under the keys, unless they went to something else of it.
  useEffect(() => {
    if (active && some && !place.current?.contains(document.activeElement))
      partOf(place.current, "changes-tree")?.focus();
  }, [active, some]);

  return (
    <section
      ref={place}
      className="changes"
      aria-label={`Changes of ${changes?.branch ?? baseName(worktree)}`}
      data-testid="changes"
    >
      <header className="changes-head">
        <h2 title={worktree}>
          <BranchIcon size={13} />
          <span>{changes?.branch ?? baseName(worktree)}</span>
        </h2>
        {changes && (
          <span className="changes-standing faint">{standing(changes)}</span>
        )}
        <Totals views={inView} looked={looked} />
        <span className="spacer" />
        {moments.length > 0 && (
          <SinceChoice moments={moments} since={since} onSince={compare} />
        )}
        <label className="changes-check">
          <input
            type="checkbox"
            checked={together || since !== null}
            disabled={since !== null}
            data-testid="changes-together"
            onChange={(event) => arrange(event.target.checked)}
          />
          All in one
        </label>
        <label className="changes-check">
          <input
            type="checkbox"
            checked={ignoreSpace}
            data-testid="changes-space"
            onChange={(event) => setIgnoreSpace(event.target.checked)}
          />
          Ignore white space
        </label>
        <MoreMenu
          items={[
            {
              title: "What was discarded…",
              run: () => setAsked("snapshots"),
            },
            {
              title: "Remember this moment",
              run: () => void rememberMoment(worktree),
            },
            ...(since === null
              ? []
              : [
                  {
                    title: "Restore everything to that moment",
                    run: () => void restoreTo(worktree, since, null),
                  },
                ]),
            ...(forge === null
              ? []
              : [
                  {
                    title: `Open its page: ${[forge.program, ...forge.args].join(" ")}`,
                    ...(!forge.pushed && { hint: "not pushed" }),
                    run: () => onRun(forge.program, forge.args),
                  },
                ]),
            {
              title: "Take back the last landing",
              run: () => void takeBack(worktree, "land"),
            },
            {
              title: "Take back the last update",
              run: () => void takeBack(worktree, "update"),
            },
          ]}
        />
      </header>
      {listed.failed !== null && (
        <p className="changes-failed" role="alert">
          <Sentence text={listed.failed} />
        </p>
      )}
      {changes?.notes.map((note) => (
        <p key={note} className="changes-note">
          {note}
        </p>
      ))}
      <LandRow
        worktree={worktree}
        visible={visible}
        tick={tick}
        near={near}
        onConflicts={onConflicts}
      />
      <RemarksBar worktree={worktree} remarks={remarks} targets={targets} />
      {empty ? (
        <p className="changes-empty" data-testid="changes-none">
          {since === null
            ? "Nothing changed here. What is edited, by whomever, shows up by itself."
            : "Nothing changed since then."}
        </p>
      ) : (
        <div className="changes-body">
          <div className="changes-files">
            <input
              className="changes-filter"
              type="search"
              aria-label="Only files whose path has this in it"
              placeholder="Filter"
              value={filter}
              data-testid="changes-filter"
              onChange={(event) => setFilter(event.target.value)}
            />
            <FileTree
              rows={rows}
              current={currentKey}
              base={moment?.label ?? changes?.base?.name}
              looked={looked}
              onLook={lookOn}
              onCurrent={choose}
              onFold={fold}
              onAct={actOn}
              onEnter={() => partOf(place.current, "diff-lines")?.focus()}
            />
            {changes && since === null && (
              <CommitForm worktree={worktree} changes={changes} />
            )}
          </div>
          {open ? (
            <DiffView
              key={`${since} ${open.key}`}
              worktree={worktree}
              view={open.view}
              since={since}
              file={open.file}
              ignoreSpace={ignoreSpace}
              gone={changes !== null && followed === null}
              looked={isLookedAt(looked, open)}
              onLook={(now) => {
                setShown(open);
                void lookAt(open, now);
              }}
              // What becomes of it is of interest, also when it was only the first one.
              onAct={() => setShown(open)}
              remarks={onOpen}
              tick={tick}
            />
          ) : (
            <p className="changes-empty">
              {changes === null
                ? ""
                : filter !== "" && rows.length === 0
                  ? "No path has this in it."
                  : "Choose a file."}
            </p>
          )}
        </div>
      )}
      {asked === "snapshots" && (
        <SnapshotsDialog worktree={worktree} onClose={() => setAsked(null)} />
      )}
    </section>
  );
}

function partOf(place: HTMLElement | null, name: string): HTMLElement | null {
  return place?.querySelector<HTMLElement>(`[data-testid=${name}]`) ?? null;
}

function isEmpty({ files }: ViewChanges): boolean {
  return files.length === 0;
}

function Totals({ views, looked }: { views: ViewChanges[]; looked: Looked }) {
  const all = views.flatMap(({ files }) => files);
  const paths = new Set(all.map(({ path }) => path));
  if (paths.size === 0) return null;
  const { added, removed } = countsOf(all);
  const seen = [...paths].filter((path) => looked.get(path)).length;
  return (
    <span className="changes-counts" data-testid="changes-totals">
      <span className="faint">
        {seen > 0
          ? `${seen} of ${paths.size} looked at`
          : paths.size === 1
            ? "1 file"
            : `${paths.size} files`}
      </span>
      <span data-change="added">+{added}</span>
      <span data-change="removed">−{removed}</span>
    </span>
  );
}
