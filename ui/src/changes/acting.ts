import { backend } from "../backend/backend";
import type { Act, ChangedFile, Hunk, View } from "../bindings";
import { notify, reportFailure, withdraw } from "../shared/notices";
import { touched } from "./touched-store";

/** What can be done with a part of a file: as git has it; and where it is compared with a moment. */
export type PartAct = Act | "restore";

export const WORDS: Record<PartAct, string> = {
  restore: "Restore",
  stage: "Stage",
  unstage: "Unstage",
  discard: "Discard",
};

const NONE: Act[] = [];
const OF_STAGED: Act[] = ["unstage"];
const OF_FILES: Act[] = ["stage", "discard"];
const OF_UNMERGED: Act[] = ["stage"];

/** What can be done with a file in a view; commits are as they are. */
export function actsOf(view: View, { kind }: ChangedFile): Act[] {
  if (view === "staged") return OF_STAGED;
  if (view !== "unstaged" && view !== "untracked") return NONE;
  return kind === "unmerged" ? OF_UNMERGED : OF_FILES;
}

export interface Deed {
  worktree: string;
  act: Act;
  view: View;
  files: ChangedFile[];
  /** These of the one file alone. */
  hunks?: Hunk[];
}

/** Stages, unstages or discards; what is discarded can be taken back. */
export async function doWith({
  worktree,
  act,
  view,
  files,
  hunks = [],
}: Deed): Promise<void> {
  const done = await backend.actOnChanges(worktree, {
    act,
    view,
    files: files.map(({ path, from }) => ({ path, from, hunks })),
  });
  touched(worktree);
  if (reportFailure(done) || done.status !== "ok") return;
  const undo = done.data;
  if (undo === null) return;
  const what =
    files.length === 1 ? (files[0]?.path ?? "") : `${files.length} files`;
  offerUndo(worktree, undo, `Discarded ${part(hunks)}${what}.`, "Take back");
}

const part = (hunks: Hunk[]) => (hunks.length > 0 ? "a part of " : "");

function offerUndo(
  worktree: string,
  snapshot: string,
  text: string,
  label: string,
): void {
  // It stays until the person has seen it, also beside that of another discard.
  notify(
    "warning",
    text,
    { label, run: () => void restore(worktree, snapshot) },
    about(snapshot),
  );
}

/** Keeps what a worktree is now, so that what changes from then on can be seen and taken back. */
export async function rememberMoment(worktree: string): Promise<void> {
  const done = await backend.rememberMoment(worktree);
  touched(worktree);
  if (!reportFailure(done))
    notify("info", "What this worktree is now is remembered for a month.");
}

/** Makes files what they were at a moment; all of them when none is named. */
export async function restoreTo(
  worktree: string,
  since: string,
  files: string[] | null,
  hunks: Hunk[] = [],
): Promise<void> {
  const chosen = files?.map((path) => ({ path, from: null, hunks })) ?? null;
  const done = await backend.restoreToMoment(worktree, since, chosen);
  touched(worktree);
  if (reportFailure(done) || done.status !== "ok") return;
  if (done.data === null) {
    notify("info", "It is what it was then.");
    return;
  }
  const some = hunks.length > 0 ? "A part of " : "";
  const what = files?.length === 1 ? `${some}${files[0]}` : "Everything";
  offerUndo(worktree, done.data, `${what} is what it was then.`, "Take back");
}

const about = (snapshot: string) => `discarded ${snapshot}`;

/** Gives back what was discarded; what stood there meanwhile can be had back as well. */
export async function restore(
  worktree: string,
  snapshot: string,
): Promise<void> {
  const done = await backend.restoreChanges(worktree, snapshot);
  touched(worktree);
  if (reportFailure(done) || done.status !== "ok") return;
  withdraw(about(snapshot));
  offerUndo(worktree, done.data, "It is back as it was.", "Discard it again");
}
