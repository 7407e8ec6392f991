import { expect, test } from "vitest";
import {
  type CopyKey,
  type CopyState,
  enterCopyMode,
  press,
  selectedText,
  statusOf,
} from "./copy-mode";
import type { Grid } from "./grid";

/** Rows of 12 cells; one that ends in `\` goes on in the next. `＿` stands behind a wide character. */
function grid(...rows: string[]): Grid {
  const plain = rows.map((row) => row.replace(/\\$/, ""));
  return {
    rows: rows.length,
    cols: 12,
    cells: (row) =>
      [...(plain[row] ?? "").padEnd(12)]
        .slice(0, 12)
        .map((char) => (char === "＿" ? "" : char)),
    wrapped: (row) => rows[row - 1]?.endsWith("\\") ?? false,
  };
}

/** `<C-v>` with Ctrl, `<Enter>` by name, everything else a key each. */
function keys(text: string): CopyKey[] {
  return [...text.matchAll(/<(?:(C)-)?([^>]+)>|(.)/gs)].map(
    ([, ctrl, name, char]) => ({
      key: name ?? char ?? "",
      ctrl: ctrl !== undefined,
    }),
  );
}

interface Came {
  at: string;
  copy?: string | undefined;
  left: boolean;
  state: CopyState;
}

/** What comes of pressing keys with the cursor in a cell, on a screen of four rows. */
function after(on: Grid, [row, col]: [number, number], text: string): Came {
  let state = enterCopyMode({ row, col }, Math.max(0, row - 3), 4);
  for (const key of keys(text)) {
    const step = press(state, on, key);
    state = step.state;
    if (step.leave)
      return { at: at(state), copy: step.copy, left: true, state };
  }
  return { at: at(state), left: false, state };
}

const at = ({ at: { row, col }, top }: CopyState) =>
  `${row}:${col} from ${top}`;

const LINES = grid(
  "cargo test a", // 0
  "",
  "  src/a.rs:3",
  "日＿本＿ go",
  "wrapped here\\",
  " and there",
  "",
  "end.",
);

test.each([
  ["h", "0:3 from 0"],
  ["3l", "0:7 from 0"],
  ["w", "0:6 from 0"],
  ["ww", "0:11 from 0"],
  ["www", "2:2 from 0"],
  ["e", "0:9 from 0"],
  ["b", "0:0 from 0"],
  ["$", "0:11 from 0"],
  ["0", "0:0 from 0"],
  ["j", "1:4 from 0"],
  ["10j", "7:4 from 4"],
  ["G", "7:4 from 4"],
  ["Ggg", "0:0 from 0"],
  ["2j^", "2:2 from 0"],
  ["}", "1:0 from 0"],
  ["}}", "6:0 from 3"],
  ["}}{", "1:0 from 1"],
  ["L", "3:4 from 0"],
  ["M", "1:4 from 0"],
  ["<PageDown>", "4:4 from 1"],
  ["<C-d>", "2:4 from 0"],
  ["<C-f><C-b>", "0:4 from 0"],
  ["<ArrowDown><ArrowRight><End>", "1:0 from 0"],
  ["k", "0:4 from 0"],
  ["99999999l", "0:11 from 0"],
])("from the middle of the first row, %s leads to %s", (text, place) => {
  expect(after(LINES, [0, 4], text).at).toBe(place);
});

test.each([
  ["vey", "test"],
  ["vjy", "test a\n"],
  ["Vjy", "cargo test a\n"],
  ["Y", "cargo test a"],
  ["ovvy", ""],
  ["v<Escape>y", ""],
])("from the second word, %s copies %j", (text, copy) => {
  const came = after(LINES, [0, 6], text);
  expect([came.left, came.copy]).toEqual([true, copy]);
});

test("a wrapped line is copied as the one that was printed, a block as it is seen", () => {
  expect(after(LINES, [4, 0], "Vjy").copy).toBe("wrapped here and there");
  expect(after(LINES, [4, 0], "<C-v>j2ly").copy).toBe("wra\n an");
  expect(after(LINES, [3, 0], "v4ly").copy).toBe("日本");
});

test("a selection grows from either end", () => {
  expect(after(LINES, [0, 6], "vlohh<Enter>").copy).toBe("o te");
});

test("what is found is gone to, round the end, and what is nowhere is said", () => {
  expect(after(LINES, [0, 0], "/a<Enter>").at).toBe("0:1 from 0");
  expect(after(LINES, [0, 0], "/a<Enter>nn").at).toBe("2:6 from 0");
  expect(after(LINES, [0, 1], "/here<Enter>").at).toBe("4:8 from 1");
  expect(after(LINES, [0, 1], "/here<Enter>N").at).toBe("5:6 from 2");
  expect(after(LINES, [7, 0], "?CARGO<Escape>/cargo<Enter>").at).toBe(
    "0:0 from 0",
  );
  const missing = after(LINES, [2, 2], "/nowhere<Enter>");
  expect(missing.at).toBe("2:2 from 0");
  expect(statusOf(missing.state, LINES)).toContain("“nowhere” is nowhere here");
  const large = after(LINES, [2, 2], "/Cargo<Enter>");
  expect(statusOf(large.state, LINES)).toContain("nowhere");
});

test("while a text is typed, its letters move nothing", () => {
  const typing = after(LINES, [0, 4], "/hjq<Backspace>");
  expect(typing.at).toBe("0:4 from 0");
  expect(statusOf(typing.state, LINES)).toBe("/hj");
});

test("q leaves, Escape lets go of a selection first", () => {
  expect(after(LINES, [0, 0], "v<Escape>").left).toBe(false);
  expect(after(LINES, [0, 0], "v<Escape><Escape>").left).toBe(true);
  expect(after(LINES, [0, 0], "q").copy).toBeUndefined();
});

test("no row and no text is too little to move on", () => {
  const empty = grid("");
  for (const key of [
    "w",
    "b",
    "e",
    "}",
    "{",
    "G",
    "gg",
    "n",
    "/x<Enter>",
    "$",
    "M",
  ])
    expect(after(empty, [0, 0], key).left).toBe(false);
  expect(selectedText(enterCopyMode({ row: 0, col: 0 }, 0, 1), empty)).toBe("");
});
