import { useEffect, useMemo, useRef, useState } from "react";
import { backend } from "../backend/backend";
import type {
  Act,
  ChangedFile,
  DiffQuestion,
  Hunk,
  Remark,
  View,
} from "../bindings";
import { Button } from "../shared/Button";
import { Sentence } from "../shared/Sentence";
import { actsOf, doWith, type PartAct, restoreTo, WORDS } from "./acting";
import { DiffLines } from "./DiffLines";
import { CONTEXT, type DiffRow, diffRows } from "./diff-rows";
import {
  type Lines as AddedLines,
  addedLines,
  newSince,
  remember,
  seenOf,
} from "./new-lines";
import { PicturesView } from "./PicturesView";
import { RemarkBox } from "./RemarkBox";
import { RemarkForm, type Written } from "./RemarkForm";
import { linesAt, type Place, placed } from "./remark-places";
import { isUnsent } from "./remarks";
import { useAnswer } from "./use-answer";
import { changeOf, withoutLines } from "./words";

export interface DiffViewProps {
  worktree: string;
  view: View;
  /** Since which moment; none: as the view says. */
  since: string | null;
  file: ChangedFile;
  ignoreSpace: boolean;
  /** It is listed no more: there is nothing to be done with it. */
  gone: boolean;
  /** Whether a person has looked at it as it is. */
  looked: boolean;
  onLook: (looked: boolean) => void;
  /** Something is done with it, or with a part of it. */
  onAct: () => void;
  /** What is said of its lines. */
  remarks: Remark[];
  /** Another number whenever the file may have changed. */
  tick: number;
}

/** The lines of one file that changed, each after its number before and after; folds open in place. */
export function DiffView({
  worktree,
  view,
  since,
  file,
  ignoreSpace,
  gone,
  looked,
  onLook,
  onAct,
  remarks,
  tick,
}: DiffViewProps) {
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const question = (context: number | null): DiffQuestion => ({
    view,
    path: file.path,
    from: file.from,
    base: null,
    context,
    ignore_space: ignoreSpace,
  });
  const ask = (context: number | null) =>
    since === null
      ? backend.fileDiff(worktree, question(context))
      : backend.diffSince(worktree, since, question(context));
  const key = [worktree, view, since, file.path, file.from, ignoreSpace].join(
    "\u0000",
  );
  const near = useAnswer(key, tick, () => ask(CONTEXT));
  // Every line, once a fold was opened.
  const all = useAnswer(opened.size > 0 ? key : null, tick, () => ask(null));
  const content = near.data?.content;
  const hunks = content?.content === "text" ? content.hunks : NONE;
  const whole =
    all.data?.content.content === "text" ? all.data.content.hunks : null;
  const parts = view !== "untracked" && file.from === null && !ignoreSpace;
  const same = gone || near.data?.file === null;
  const acts = same ? NO_ACTS : actsOf(view, file);
  const known = file.kind !== "untracked" && file.old !== null;
  const restores = since !== null && !same && known;
  const onParts: PartAct[] = !parts ? NO_ACTS : restores ? RESTORE : acts;
  const rows = useMemo(
    () => diffRows(hunks, whole, opened, onParts.length > 0),
    [hunks, whole, opened, onParts],
  );
  const fresh = useNewLines(key, near.data ? rows : null);
  function look(now: boolean) {
    if (now) fresh.see();
    onLook(now);
  }
  function act(what: PartAct, chosen: Hunk[]) {
    onAct();
    if (what === "restore") {
      if (since !== null) void restoreTo(worktree, since, [file.path], chosen);
      return;
    }
    void doWith({ worktree, act: what, view, files: [file], hunks: chosen });
  }
  const said = useMemo(() => placed(rows, remarks), [rows, remarks]);
  const [written, setWritten] = useState<Written | null>(null);
  const place = useRef<HTMLElement>(null);
  function write(at: Place) {
    const about = linesAt(rows, file.path, at);
    if (about) setWritten({ about });
  }
  function endWriting() {
    setWritten(null);
    place.current
      ?.querySelector<HTMLElement>("[data-testid=diff-lines]")
      ?.focus();
  }
  const box = (remark: Remark, apart = false) => (
    <RemarkBox
      key={remark.id}
      worktree={worktree}
      remark={remark}
      apart={apart}
      onEdit={() => setWritten({ remark })}
    />
  );
  // What was handed over and whose lines are others has had its effect.
  const unplaced = near.data ? said.elsewhere.filter(isUnsent) : NO_REMARKS;
  const failed = near.failed ?? all.failed;
  const empty =
    near.data && withoutLines(same ? null : near.data.file, near.data.content);
  const shown = near.data?.file ?? file;

  return (
    <section
      ref={place}
      className="changes-diff"
      aria-label={`Changes of ${file.path}`}
      data-testid="diff"
      data-path={file.path}
    >
      <header className="changes-diff-head">
        <h3 title={file.path}>
          <bdi>{file.path}</bdi>
        </h3>
        {!same && <span className="faint">{changeOf(shown)}</span>}
        {content?.content === "text" && content.encoding === "latin1" && (
          <span className="faint">not UTF-8: read as ISO 8859-1</span>
        )}
        <span className="spacer" />
        {!same && <Counted file={shown} />}
        {!same && (
          <label className="changes-check">
            <input
              type="checkbox"
              checked={looked}
              data-testid="diff-looked"
              onChange={(event) => look(event.target.checked)}
            />
            Looked at
          </label>
        )}
        {since !== null && !same && (
          <Button
            data-testid="diff-restore"
            title="Makes this file what it was at that moment"
            onClick={() => act("restore", [])}
          >
            Restore
          </Button>
        )}
        {acts.map((what) => (
          <Button
            key={what}
            data-testid={`diff-${what}`}
            onClick={() => act(what, [])}
          >
            {WORDS[what]}
          </Button>
        ))}
      </header>
      {failed !== null && (
        <p className="changes-failed" role="alert">
          <Sentence text={failed} />
        </p>
      )}
      {unplaced.length > 0 && (
        <div className="changes-remarks apart" data-testid="remarks-apart">
          {unplaced.map((remark) => box(remark, true))}
        </div>
      )}
      {empty && content?.content === "binary" && !same ? (
        <PicturesView
          worktree={worktree}
          since={since}
          question={question(null)}
          tick={tick}
          otherwise={empty}
        />
      ) : empty ? (
        <p className="changes-empty" data-testid="diff-empty">
          {empty}
        </p>
      ) : (
        <DiffLines
          rows={rows}
          fresh={fresh.places}
          remarks={said.at}
          remark={(remark) => box(remark)}
          onRemark={write}
          onLook={() => look(!looked)}
          acts={onParts}
          onAct={(what, at) => {
            const hunk = hunks[at];
            if (hunk) act(what, [hunk]);
          }}
          onOpen={(from) => setOpened(new Set([...opened, from]))}
        />
      )}
      {written && (
        <RemarkForm
          key={
            "about" in written
              ? JSON.stringify(written.about)
              : written.remark.id
          }
          worktree={worktree}
          written={written}
          onClose={endWriting}
        />
      )}
      {content?.content === "text" && content.cut && (
        <p className="changes-note">
          This file has more changes than can be shown.
        </p>
      )}
    </section>
  );
}

/** Where lines came since the file was seen last, and that they are seen now. Whoever leaves the file has seen it. */
function useNewLines(key: string, rows: DiffRow[] | null) {
  const [before, setBefore] = useState(() => seenOf(key));
  const latest = useRef<AddedLines | null>(null);
  latest.current = rows && addedLines(rows);
  // The first time, there is nothing that it could be compared with.
  if (before === null && latest.current) setBefore(latest.current);
  useEffect(
    () => () => {
      if (latest.current) remember(key, latest.current);
    },
    [key],
  );
  const places = useMemo(
    () => (rows && before ? newSince(rows, before) : NO_PLACES),
    [rows, before],
  );
  return { places, see: () => setBefore(latest.current) };
}

const NO_PLACES: ReadonlySet<number> = new Set();
const NONE: Hunk[] = [];
const NO_REMARKS: Remark[] = [];
const NO_ACTS: Act[] = [];
const RESTORE: PartAct[] = ["restore"];

/** How many lines came and went. */
export function Counted({ file: { lines } }: { file: ChangedFile }) {
  if (!lines) return null;
  return (
    <span className="changes-counts">
      {lines.added > 0 && <span data-change="added">+{lines.added}</span>}
      {lines.removed > 0 && <span data-change="removed">−{lines.removed}</span>}
    </span>
  );
}
