import type { Backend, Result } from "../backend/backend";
import type {
  ActRequest,
  Chosen,
  CommitRequest,
  FileDiff,
  FilePictures,
  ForgePage,
  Landing,
  LandingEnd,
  Moment,
  Outlook,
  Remark,
  RemarkChange,
  Snapshot,
  SnapshotId,
  View,
  Way,
  WorktreeChanges,
} from "../bindings";

/** What one worktree of the twin changed. */
export interface MemoryWorktree {
  changes: WorktreeChanges;
  /** By view and path: its lines, with a little around them, and all of them. */
  diffs: Map<string, { near: FileDiff; all: FileDiff }>;
}

export interface RestoredTo {
  since: SnapshotId;
  files: Chosen[] | null;
}

/** The twin's changes, and what a test may do to them. */
export interface MemoryChanges {
  /** What a worktree changed becomes this, and it is told that it was touched. */
  setChanges(worktree: MemoryWorktree): void;
  tellTouched(worktrees: string[] | null): void;
  /** What was asked to be done. */
  readonly acted: ActRequest[];
  /** The snapshots that were given back. */
  readonly restored: SnapshotId[];
  /** What was committed. */
  readonly committed: CommitRequest[];
  /** From now on this is what landing would come to; and, when it is not that, what it comes to. */
  setOutlooks(outlooks: Outlook[], end?: LandingEnd): void;
  /** From now on this opens the page of every branch. */
  setForge(page: ForgePage): void;
  /** A file is these pictures. */
  setPictures(path: string, pictures: FilePictures): void;
  /** What was made as it was at a moment. */
  readonly restoredTo: RestoredTo[];
  /** What was landed, and taken back. */
  readonly landed: Landing[];
  readonly takenBack: Way[];
  /** A file is another one than the one that was looked at. */
  rewrite(path: string): void;
  /** From now on a hook says this of every commit, and no, when there is a `why`. */
  setHook(said: string, why?: string): void;
}

export function keyOfDiff(view: View, path: string): string {
  return `${view}\u0000${path}`;
}

/** What a change makes of a remark; nothing when it is gone. */
function changed<R extends Remark>(remark: R, change: RemarkChange): R[] {
  const answered_ms = null;
  switch (change.change) {
    case "gone":
      return [];
    case "answered":
      return [{ ...remark, answered_ms: Date.now() }];
    case "text":
      return [{ ...remark, text: change.text, sent: null, answered_ms }];
    case "sent": {
      const { to, name } = change;
      const sent = { to, name, at_ms: Date.now() };
      return [{ ...remark, sent, answered_ms }];
    }
  }
}

const NO_DIFF: FileDiff = {
  file: null,
  content: { content: "text", hunks: [], encoding: "utf8", cut: false },
};

const ok = <T>(data: T): Promise<Result<T>> =>
  Promise.resolve({ status: "ok", data });

export function memoryChanges() {
  const worktrees = new Map<string, MemoryWorktree>();
  const acted: ActRequest[] = [];
  const restored: SnapshotId[] = [];
  const committed: CommitRequest[] = [];
  let outlooks: Outlook[] = [];
  let end: LandingEnd | null = null;
  const landed: Landing[] = [];
  const takenBack: Way[] = [];
  let remarks: (Remark & { worktree: string })[] = [];
  let forge: ForgePage | null = null;
  const pictures = new Map<string, FilePictures>();
  let nextRemark = 1;
  const moments: Moment[] = [];
  const restoredTo: RestoredTo[] = [];
  const looked = new Map<string, boolean>();
  const kept: Snapshot[] = [];
  let hook: { said: string; why: string | null } = { said: "", why: null };
  const listeners = new Set<(worktrees: string[] | null) => void>();

  function tellTouched(touched: string[] | null) {
    for (const listener of listeners) listener(touched);
  }

  function within<T>(
    path: string,
    act: (worktree: MemoryWorktree) => T,
  ): Promise<Result<T>> {
    const worktree = worktrees.get(path);
    if (worktree) return ok(act(worktree));
    const message = `\`${path}\` is in no worktree of git`;
    return Promise.resolve({
      status: "error",
      error: { code: "bad_id", message, position: null },
    });
  }

  function keep(
    worktree: string,
    reason: Snapshot["reason"],
    files: string[],
    id: SnapshotId,
  ) {
    const count = files.length;
    const taken_ms = Date.now();
    kept.unshift({ id, taken_ms, worktree, reason, count, files });
    return id;
  }

  return {
    committed,
    landed,
    setPictures(path, told) {
      pictures.set(path, told);
    },
    setForge(page) {
      forge = page;
    },
    restoredTo,
    takenBack,
    setOutlooks(told, ends) {
      outlooks = told;
      end = ends ?? null;
      tellTouched(null);
    },
    rewrite(path) {
      if (looked.has(path)) looked.set(path, false);
      tellTouched(null);
    },
    setHook(said, why) {
      hook = { said, why: why ?? null };
    },
    setChanges(worktree) {
      worktrees.set(worktree.changes.worktree, worktree);
      tellTouched([worktree.changes.worktree]);
    },
    tellTouched,
    acted,
    restored,

    worktreeChanges: (path, views) =>
      within(path, ({ changes }) => ({
        ...changes,
        views: views.map(
          (view) =>
            changes.views.find((one) => one.view === view) ?? {
              view,
              files: [],
            },
        ),
      })),
    fileDiff: (path, { view, path: file, context }) =>
      within(path, ({ diffs }) => {
        const found = diffs.get(keyOfDiff(view, file));
        return (context === null ? found?.all : found?.near) ?? NO_DIFF;
      }),
    actOnChanges: (path, request) =>
      within(path, () => {
        acted.push(request);
        if (request.act !== "discard") return null;
        const files = request.files.map((file) => file.path);
        return keep(path, "discarded", files, `${acted.length}-1-0`);
      }),
    restoreChanges: (path, snapshot) =>
      within(path, () => {
        restored.push(snapshot);
        const files = kept.find(({ id }) => id === snapshot)?.files ?? [];
        return keep(path, "restored", files, `${snapshot}-again`);
      }),
    lookAt: (path, _view, files, now) =>
      within(path, () => {
        for (const file of files)
          if (now) looked.set(file, true);
          else looked.delete(file);
        return null;
      }),
    lookedAt: (path) =>
      within(path, () => [...looked].map(([path, still]) => ({ path, still }))),
    listSnapshots: (path) =>
      within(path, () => kept.filter(({ worktree }) => worktree === path)),
    commitChanges: (path, request) => {
      if (hook.why !== null) {
        const error = {
          code: "refused" as const,
          message: hook.why,
          position: null,
        };
        return Promise.resolve({ status: "error", error });
      }
      return within(path, () => {
        committed.push(request);
        const [subject = ""] = request.message.split("\n");
        return { commit: "5f0c2d8e6a1b", subject, said: hook.said };
      });
    },
    rememberMoment: (path) =>
      within(path, ({ changes }) => {
        const id = `${moments.length + 1}-1-0`;
        const { worktree, head } = changes;
        const taken_ms = Date.now();
        moments.unshift({
          id,
          taken_ms,
          worktree,
          label: "a moment of yours",
          head,
          count: 0,
        });
        tellTouched([path]);
        return id;
      }),
    listMoments: (path) =>
      within(path, () => moments.filter(({ worktree }) => worktree === path)),
    changesSince: (path) =>
      within(path, ({ changes }) => ({
        ...changes,
        views: changes.views.filter(({ view }) => view === "whole"),
      })),
    diffSince: (path, _since, { path: file, context }) =>
      within(path, ({ diffs }) => {
        const found = diffs.get(keyOfDiff("whole", file));
        return (context === null ? found?.all : found?.near) ?? NO_DIFF;
      }),
    restoreToMoment: (path, since, files) =>
      within(path, () => {
        restoredTo.push({ since, files });
        const paths = files?.map((file) => file.path) ?? [];
        return keep(path, "restored", paths, `${since}-back`);
      }),
    filePictures: (path, _since, question) =>
      within(
        path,
        () => pictures.get(question.path) ?? { old: null, new: null },
      ),
    forgePage: (path) => within(path, () => forge),
    listRemarks: (path) =>
      within(path, () => remarks.filter(({ worktree }) => worktree === path)),
    addRemark: (path, about, text) =>
      within(path, () => {
        const id = nextRemark++;
        const none = { sent: null, answered_ms: null };
        remarks.push({ id, worktree: path, about, text, ...none });
        tellTouched([path]);
        return id;
      }),
    changeRemarks: (path, ids, change) =>
      within(path, () => {
        remarks = remarks.flatMap((remark) =>
          ids.includes(remark.id) ? changed(remark, change) : [remark],
        );
        tellTouched([path]);
        return null;
      }),
    answeredRemarks: (to) => {
      remarks = remarks.map((remark) =>
        remark.sent?.to === to && remark.answered_ms === null
          ? { ...remark, answered_ms: Date.now() }
          : remark,
      );
      tellTouched(null);
      return ok(null);
    },
    landingOutlook: (path) => within(path, () => outlooks),
    landChanges: (path, landing) =>
      within(path, () => {
        landed.push(landing);
        const { way } = landing;
        const outlook = outlooks.find((one) => one.way === way);
        const done = {
          end: "done",
          before: "a",
          after: "b",
          said: "",
        } as const;
        return {
          way,
          from: outlook?.from ?? "topic",
          into: outlook?.into ?? "main",
          at: outlook?.base_at ?? null,
          end: end ?? done,
        };
      }),
    takeBackLanding: (path, way) =>
      within(path, () => {
        takenBack.push(way);
        return { branch: "main", was: "b", now: "5f0c2d8e6a1b" };
      }),
    lastMessage: (path) => within(path, () => "What was last\n\nand why"),
    onWorktreesTouched: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } satisfies MemoryChanges & Partial<Backend>;
}
