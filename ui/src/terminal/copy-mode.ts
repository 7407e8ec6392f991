import {
  firstShown,
  lastShown,
  nextGap,
  nextWord,
  occurrence,
  previousWord,
  wordEnd,
} from "./copy-motions";
import { type Grid, isBefore, printedLine, type Spot } from "./grid";

/** Moving over what was printed, selecting and copying, by keys alone. All of it is pure. */

/** By characters, by whole rows, by a rectangle. */
export type SelectKind = "char" | "line" | "block";

export interface CopyState {
  at: Spot;
  /** Where the selection began; `null` when nothing is selected. */
  from: Spot | null;
  kind: SelectKind;
  /** The first row on screen, and how many there are. */
  top: number;
  height: number;
  /** The text that is looked for, and which way; while it is typed, `typing`. */
  search: { text: string; step: 1 | -1; typing: boolean; missing: boolean };
  /** A number that was typed before a motion. */
  count: string;
  /** A first `g`, which waits for the second. */
  pending: boolean;
}

/** What a key press was. */
export interface CopyKey {
  key: string;
  ctrl: boolean;
}

/** What came of it: another state, and perhaps an end; `copy` is what is to be on the clipboard. */
export interface CopyStep {
  state: CopyState;
  leave?: true;
  copy?: string;
}

export function enterCopyMode(
  at: Spot,
  top: number,
  height: number,
): CopyState {
  return {
    ...{ at, from: null, kind: "char", top, height, count: "", pending: false },
    search: { text: "", step: 1, typing: false, missing: false },
  };
}

const ARROWS: Record<string, string> = {
  ArrowLeft: "h",
  ArrowDown: "j",
  ArrowUp: "k",
  ArrowRight: "l",
  Home: "0",
  End: "$",
};

/** The state after a key. */
export function press(state: CopyState, grid: Grid, key: CopyKey): CopyStep {
  if (state.search.typing) return typed(state, grid, key);
  if (key.ctrl) return withCtrl(state, grid, key.key);
  const name = ARROWS[key.key] ?? key.key;
  if (/^[1-9]$/.test(name) || (name === "0" && state.count !== ""))
    return { state: { ...state, count: `${state.count}${name}`.slice(0, 5) } };
  const settled = { ...state, count: "", pending: false };
  return (
    selecting(settled, grid, name) ??
    searching(settled, grid, name) ?? {
      state: moved(
        settled,
        grid,
        name,
        state.pending,
        Number(state.count || "1"),
      ),
    }
  );
}

function withCtrl(state: CopyState, grid: Grid, key: string): CopyStep {
  const page = { f: 1, b: -1, d: 0.5, u: -0.5 }[key];
  if (page !== undefined)
    return { state: toRow(state, grid, by(state, page), state.at.col) };
  if (key === "v") return { state: selected(state, "block") };
  if (key === "c") return { state, leave: true };
  return { state };
}

function by({ at, height }: CopyState, pages: number): number {
  return at.row + Math.trunc(height * pages);
}

/** The keys that begin, change or end a selection. */
function selecting(state: CopyState, grid: Grid, key: string): CopyStep | null {
  switch (key) {
    case "v":
      return { state: selected(state, "char") };
    case "V":
      return { state: selected(state, "line") };
    case "o":
      return state.from
        ? { state: shown({ ...state, at: state.from, from: state.at }, grid) }
        : { state };
    case "y":
    case "Enter":
      return { state, leave: true, copy: selectedText(state, grid) };
    case "Y": {
      const line: CopyState = { ...state, from: state.at, kind: "line" };
      return { state, leave: true, copy: selectedText(line, grid) };
    }
    case "Escape":
    case "q":
      return state.from
        ? { state: { ...state, from: null } }
        : { state, leave: true };
    default:
      return null;
  }
}

/** The same key again ends the selection, another one changes its kind. */
function selected(state: CopyState, kind: SelectKind): CopyState {
  if (state.from && state.kind === kind) return { ...state, from: null };
  return { ...state, kind, from: state.from ?? state.at };
}

function searching(state: CopyState, grid: Grid, key: string): CopyStep | null {
  switch (key) {
    case "/":
    case "?": {
      const step = key === "/" ? 1 : -1;
      const search = { text: "", step, typing: true, missing: false } as const;
      return { state: { ...state, search } };
    }
    case "n":
      return { state: found(state, grid, state.search.step) };
    case "N":
      return { state: found(state, grid, state.search.step === 1 ? -1 : 1) };
    default:
      return null;
  }
}

function typed(state: CopyState, grid: Grid, { key }: CopyKey): CopyStep {
  const { search } = state;
  const to = (text: string): CopyStep => ({
    state: { ...state, search: { ...search, text, missing: false } },
  });
  if (key === "Enter") {
    const ended = { ...state, search: { ...search, typing: false } };
    return { state: found(ended, grid, search.step) };
  }
  if (key === "Escape")
    return { state: { ...state, search: { ...search, typing: false } } };
  if (key === "Backspace") return to([...search.text].slice(0, -1).join(""));
  return [...key].length === 1 ? to(search.text + key) : { state };
}

function found(state: CopyState, grid: Grid, step: 1 | -1): CopyState {
  const { text } = state.search;
  const place = occurrence(grid, state.at, text, step);
  const search = { ...state.search, missing: place === null && text !== "" };
  return shown({ ...state, at: place ?? state.at, search }, grid);
}

function moved(
  state: CopyState,
  grid: Grid,
  key: string,
  pending: boolean,
  count: number,
): CopyState {
  const { at, top, height } = state;
  const repeat = (step: (grid: Grid, from: Spot) => Spot) => {
    let spot = at;
    for (let time = 0; time < count; time++) {
      const next = step(grid, spot);
      // There is nothing more that way.
      if (next.row === spot.row && next.col === spot.col) break;
      spot = next;
    }
    return shown({ ...state, at: spot }, grid);
  };
  const column = (col: number) =>
    shown({ ...state, at: { row: at.row, col } }, grid);
  const row = (to: number, col = at.col) => toRow(state, grid, to, col);
  switch (key) {
    case "h":
      return column(at.col - count);
    case "l":
      return column(at.col + count);
    case "j":
      return row(at.row + count);
    case "k":
      return row(at.row - count);
    case "w":
      return repeat(nextWord);
    case "b":
      return repeat(previousWord);
    case "e":
      return repeat(wordEnd);
    case "0":
      return column(0);
    case "^":
      return column(firstShown(grid, at.row));
    case "$":
      return column(lastShown(grid, at.row));
    case "g":
      return pending ? row(0, 0) : { ...state, pending: true };
    case "G":
      return row(grid.rows - 1);
    case "H":
      return row(top);
    case "M":
      return row(top + Math.floor((height - 1) / 2));
    case "L":
      return row(top + height - 1);
    case "{":
      return row(nextGap(grid, at.row, -1), 0);
    case "}":
      return row(nextGap(grid, at.row, 1), 0);
    case "PageUp":
      return row(by(state, -1));
    case "PageDown":
      return row(by(state, 1));
    default:
      return state;
  }
}

function toRow(
  state: CopyState,
  grid: Grid,
  row: number,
  col: number,
): CopyState {
  return shown({ ...state, at: { row, col } }, grid);
}

/** The same, with its cursor in the grid and on screen. */
export function shown(state: CopyState, grid: Grid): CopyState {
  const { height } = state;
  const row = Math.min(Math.max(state.at.row, 0), grid.rows - 1);
  const col = Math.min(Math.max(state.at.col, 0), grid.cols - 1);
  const top = Math.min(Math.max(state.top, row - height + 1), row);
  return { ...state, at: { row, col }, top };
}

/** The cells of each row that are selected: from a column to the one before `to`. */
export interface Selected {
  row: number;
  from: number;
  to: number;
}

export function selectedCells(
  { at, from, kind }: CopyState,
  { cols }: Grid,
): Selected[] {
  if (!from) return [];
  const [begin, end] = isBefore(from, at) ? [from, at] : [at, from];
  const [left, right] = [
    Math.min(from.col, at.col),
    Math.max(from.col, at.col),
  ];
  const rows = Array.from(
    { length: end.row - begin.row + 1 },
    (_, index) => begin.row + index,
  );
  return rows.map((row) => {
    if (kind === "line") return { row, from: 0, to: cols };
    if (kind === "block") return { row, from: left, to: right + 1 };
    return {
      row,
      from: row === begin.row ? begin.col : 0,
      to: row === end.row ? end.col + 1 : cols,
    };
  });
}

/** What is selected as text: lines as they were printed, without blanks behind them. */
export function selectedText(state: CopyState, grid: Grid): string {
  let text = "";
  selectedCells(state, grid).forEach(({ row, from, to }, index) => {
    const piece = grid.cells(row).slice(from, to).join("");
    const goesOn = state.kind !== "block" && grid.wrapped(row);
    if (index > 0) text = goesOn ? text : `${text.trimEnd()}\n`;
    text += piece;
  });
  // Blanks at the ends of lines are the terminal's.
  return text.replace(/[^\S\n]+$/gm, "");
}

/** What a person is told about where they are. */
export function statusOf(state: CopyState, grid: Grid): string {
  const { search, at, from, kind } = state;
  if (search.typing) return `${search.step === 1 ? "/" : "?"}${search.text}`;
  if (search.missing) return `“${search.text}” is nowhere here`;
  const line = printedLine(grid, at.row);
  const what = from
    ? `selects by ${kind === "char" ? "characters" : kind === "line" ? "lines" : "a block"}, y copies`
    : "v V Ctrl+V select, / finds, q leaves";
  return `Copy mode · row ${at.row + 1} of ${grid.rows} · ${what}${line.text.trim() === "" ? " · empty" : ""}`;
}
