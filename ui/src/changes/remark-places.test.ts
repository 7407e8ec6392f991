import { expect, test } from "vitest";
import type { Remark, RemarkedLines } from "../bindings";
import type { DiffLine, DiffRow, Fold } from "./diff-rows";
import {
  chosen,
  lineBeside,
  linesAt,
  placed,
  placeOf,
  selectionOf,
} from "./remark-places";
import { promptOf, whereOf } from "./remarks";

/** Rows of lines as git writes them; `@` stands for lines that are folded, with the number of the next one. */
function rowsOf(...texts: string[]): DiffRow[] {
  let [old, now] = [1, 1];
  return texts.map((text): DiffRow => {
    if (text.startsWith("@")) {
      const count = Number(text.slice(1)) - now;
      const fold: Fold = {
        kind: "fold",
        from: now,
        count,
        heading: "",
        hunk: 0,
      };
      old += count;
      now += count;
      return fold;
    }
    const sign = text.charAt(0);
    const change = sign === "+" ? "added" : sign === "-" ? "removed" : "same";
    const line: DiffLine = {
      kind: "line",
      change,
      old: change === "added" ? null : old++,
      new: change === "removed" ? null : now++,
      text: text.slice(1),
      open: false,
    };
    return line;
  });
}

const about = (change: Partial<RemarkedLines> = {}): RemarkedLines => ({
  path: "a.rs",
  side: "new",
  first: 2,
  lines: ["two", "three"],
  ...change,
});

test("of lines that were and lines that are, those that are are meant, up to what is folded", () => {
  const rows = rowsOf(" one", "-old", "+two", "+three", "@20", " twenty");
  const at = (from: number, to: number) => linesAt(rows, "a.rs", { from, to });
  expect(at(1, 3)).toEqual(about());
  expect(at(1, 1)).toEqual(about({ side: "old", lines: ["old"] }));
  expect(at(2, 5)).toEqual(about());
  expect(at(4, 4)).toBeNull();
});

test("a remark stays with its lines, wherever they are by now", () => {
  const place = (...texts: string[]) => placeOf(rowsOf(...texts), about());
  expect(place(" one", "+two", "+three")).toEqual({ from: 1, to: 2 });
  // Lines came above; one that is gone stands in between; they are committed.
  expect(place("+a", "+b", " one", "-x", "+two", "-y", "+three")).toEqual({
    from: 4,
    to: 6,
  });
  expect(place(" one", " two", " three")).toEqual({ from: 1, to: 2 });
  // Of two places that say the same, the nearer one.
  expect(place(" two", " three", " x", " two", " three")).toEqual({
    from: 0,
    to: 1,
  });
});

test("when its lines are others, it is nowhere", () => {
  const place = (...texts: string[]) => placeOf(rowsOf(...texts), about());
  expect(place(" one", "+two", "+3")).toBeNull();
  expect(place(" one", "+two", "+between", "+three")).toBeNull();
  expect(place(" one", "+two")).toBeNull();
  expect(place(" one", "-two", "-three")).toBeNull();
  expect(place("+two", "@9", "+three")).toBeNull();
});

test("what stands where is told, and what stands nowhere as well", () => {
  const remark = (id: number, lines: string[]): Remark => ({
    id,
    about: about({ lines }),
    text: "Why?",
    sent: null,
    answered_ms: null,
  });
  const [one, two, gone] = [
    remark(1, ["two"]),
    remark(2, ["one", "two"]),
    remark(3, ["2"]),
  ];
  const told = placed(rowsOf(" one", "+two"), [one, two, gone]);
  expect([...told.at]).toEqual([[1, [one, two]]]);
  expect(told.elsewhere).toEqual([gone]);
});

test("what is chosen is so either way, until one of its ends says something else", () => {
  const rows = rowsOf(" one", "+two", "@9", " nine");
  const selection = selectionOf(rows, 3, 1);
  expect(chosen(rows, selection)).toEqual({ from: 1, to: 3 });
  expect(chosen(rowsOf(" one", "+2", "@9", " nine"), selection)).toBeNull();
  expect(selectionOf(rows, 2, 1)).toBeNull();
  expect([lineBeside(rows, 1, 1), lineBeside(rows, 0, -1)]).toEqual([3, null]);
});

test("what is sent has the file, the lines, what they say, and the remark", () => {
  const one: Remark = {
    id: 1,
    about: about(),
    text: "Why not one?",
    sent: null,
    answered_ms: null,
  };
  const lines = Array.from({ length: 25 }, (_, at) => String(at));
  const old = about({ path: "b.rs", side: "old", first: 7, lines });
  expect(promptOf([one])).toBe(
    [
      "A remark on what changed in this worktree. Change the lines, or say why not.",
      "",
      "a.rs, lines 2-3:",
      "> two",
      "> three",
      "Why not one?",
    ].join("\n"),
  );
  const both = promptOf([one, { ...one, id: 2, about: old }]);
  expect(both).toMatch(/^2 remarks on what changed/);
  expect(both).toContain("b.rs, lines 7-31, as it was:\n> 0\n");
  expect(both).toContain("> 19\n> … 5 more lines\nWhy not one?");
  expect(whereOf(about({ lines: ["x"] }))).toBe("line 2");
});
