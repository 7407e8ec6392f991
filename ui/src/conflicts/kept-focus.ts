import { type RefObject, useEffect, useRef } from "react";

/** The rows that arrow keys walk. */
function rowsOf(holder: HTMLElement): HTMLElement[] {
  return [...holder.querySelectorAll<HTMLElement>("[data-walk]")];
}

/** Gives the keys to what takes the place of a row that had them when it left; to `holder` when nothing does. */
export function useKeptFocus(holder: RefObject<HTMLElement | null>): void {
  const last = useRef<{ row: HTMLElement; place: number } | null>(null);
  useEffect(() => {
    const { current } = holder;
    if (!current) return;
    const note = () => {
      const rows = rowsOf(current);
      const row = rows.find((one) => one === document.activeElement);
      last.current = row ? { row, place: rows.indexOf(row) } : null;
    };
    current.addEventListener("focusin", note);
    return () => current.removeEventListener("focusin", note);
  }, [holder]);
  // Rows leave when the panel is drawn anew.
  useEffect(() => {
    const had = last.current;
    if (!had || had.row.isConnected || !holder.current) return;
    last.current = null;
    if (document.activeElement !== document.body) return;
    const rows = rowsOf(holder.current);
    (rows[had.place] ?? rows.at(-1) ?? holder.current).focus();
  });
}
