import type { ResultRow } from "./result-rows";

const ROW = 20;

const HEADING = 30;

const GAP = 9;

export function height(row: ResultRow | undefined): number {
  if (row?.kind === "pane") return HEADING;
  if (row?.kind === "gap") return GAP;
  return ROW;
}

export function Nothing({
  status,
  pattern,
}: {
  status: string;
  pattern: string;
}) {
  if (status === "idle" && pattern === "")
    return (
      <div className="search-empty">
        <p>
          Finds what any pane printed: open panes, closed ones, and what
          full-screen programs showed.
        </p>
        <p>
          Enter goes to a match, the arrow keys walk them, and ↑ in the box
          recalls earlier searches.
        </p>
      </div>
    );
  if (status === "done")
    return (
      <div className="search-empty">
        <p>Nothing that was printed matches.</p>
      </div>
    );
  return null;
}
