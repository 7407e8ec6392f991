import { create } from "zustand";
import type { DiffRow } from "./diff-rows";

/** Whether what was and what is stand beside each other; in all tabs of the window. */
export const useSideBySide = create<{ sideBySide: boolean }>(() => ({
  sideBySide: false,
}));

export function turnSideBySide(): void {
  useSideBySide.setState(({ sideBySide }) => ({ sideBySide: !sideBySide }));
}

/** What is drawn as one: a row, or the line that was and the one that is, each by its row. */
export type Shown =
  | { at: number }
  | { left: number | null; right: number | null };

/** The rows one below the other; or lines that were beside those that came in their place. */
export function arranged(rows: DiffRow[], sideBySide: boolean): Shown[] {
  if (!sideBySide) return rows.map((_, at) => ({ at }));
  const shown: Shown[] = [];
  const isChange = (at: number, change: "added" | "removed") => {
    const row = rows[at];
    return row?.kind === "line" && row.change === change;
  };
  let at = 0;
  while (at < rows.length) {
    const removed = at;
    while (isChange(at, "removed")) at++;
    const added = at;
    while (isChange(at, "added")) at++;
    const [left, right] = [added - removed, at - added];
    for (let line = 0; line < Math.max(left, right); line++)
      shown.push({
        left: line < left ? removed + line : null,
        right: line < right ? added + line : null,
      });
    if (at > removed) continue;
    shown.push(rows[at]?.kind === "fold" ? { at } : { left: at, right: at });
    at++;
  }
  return shown;
}

/** The rows that are drawn as one. */
export function rowsIn(shown: Shown): number[] {
  if ("at" in shown) return [shown.at];
  const { left, right } = shown;
  const both = left === right ? [left] : [left, right];
  return both.filter((at) => at !== null);
}

/** Where each row is drawn. */
export function placesOf(shown: Shown[]): number[] {
  const places: number[] = [];
  for (const [place, one] of shown.entries())
    for (const at of rowsIn(one)) places[at] = place;
  return places;
}
