import { backend } from "../backend/backend";
import type { Remark, RemarkChange, RemarkedLines } from "../bindings";
import { reportFailure } from "../shared/notices";
import { type DiffRow, linesOf } from "./diff-rows";
import { placeOf } from "./remark-places";
import { touched } from "./touched-store";

/** So many lines are quoted of what a remark is about. */
const QUOTED = 20;

/** Which lines a remark is about, in words. */
export function whereOf({ side, first, lines }: RemarkedLines): string {
  const last = first + lines.length - 1;
  const which = first === last ? `line ${first}` : `lines ${first}–${last}`;
  return side === "old" ? `${which}, as it was` : which;
}

/** What is handed to who works there: each remark with its file and lines. */
export function promptOf(remarks: Remark[]): string {
  const parts = remarks.map(({ about, text }) => {
    const quoted = about.lines.slice(0, QUOTED).map((line) => `> ${line}`);
    const more = about.lines.length - quoted.length;
    if (more > 0) quoted.push(`> … ${more} more lines`);
    const where = `${about.path}, ${whereOf(about).replace("–", "-")}:`;
    return [where, ...quoted, text].join("\n");
  });
  const begin =
    remarks.length === 1
      ? "A remark on what changed in this worktree. Change the lines, or say why not."
      : `${remarks.length} remarks on what changed in this worktree. Of each, change the lines, or say why not.`;
  return [begin, ...parts].join("\n\n");
}

/** How a remark stands, in words. */
export function standingOf({ sent, answered_ms }: Remark): string {
  if (answered_ms !== null)
    return sent ? `Answered by ${sent.name}` : "Answered";
  return sent ? `Sent to ${sent.name}` : "Not sent";
}

export const isUnsent = ({ sent, answered_ms }: Remark) =>
  sent === null && answered_ms === null;

export const waits = ({ sent, answered_ms }: Remark) =>
  sent !== null && answered_ms === null;

/** The same remarks with the numbers that their lines have by now, as far as these are there. */
export async function renumbered(
  worktree: string,
  remarks: Remark[],
): Promise<Remark[]> {
  const rows = new Map<string, DiffRow[]>();
  for (const path of new Set(remarks.map(({ about }) => about.path))) {
    const told = await backend.fileDiff(worktree, {
      view: "whole",
      path,
      from: null,
      base: null,
      context: null,
      ignore_space: false,
    });
    if (told.status === "ok" && told.data.content.content === "text")
      rows.set(path, told.data.content.hunks.flatMap(linesOf));
  }
  return remarks.map((remark) => {
    const { about } = remark;
    const all = rows.get(about.path) ?? [];
    const row = all[placeOf(all, about)?.from ?? -1];
    const first = row?.kind === "line" ? row[about.side] : null;
    return first === null ? remark : { ...remark, about: { ...about, first } };
  });
}

/** Keeps a remark; whether it is kept. */
export async function addRemark(
  worktree: string,
  about: RemarkedLines,
  text: string,
): Promise<boolean> {
  const added = await backend.addRemark(worktree, about, text);
  touched(worktree);
  return !reportFailure(added);
}

export async function changeRemarks(
  worktree: string,
  remarks: Remark[],
  change: RemarkChange,
): Promise<boolean> {
  const ids = remarks.map(({ id }) => id);
  const changed = await backend.changeRemarks(worktree, ids, change);
  touched(worktree);
  return !reportFailure(changed);
}
