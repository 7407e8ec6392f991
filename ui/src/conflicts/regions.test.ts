import { expect, test } from "vitest";
import { details, hunk, side, verdict } from "../twin/example-conflicts";
import { matrixRows } from "./matrix";
import {
  aligned,
  differing,
  type Line,
  mergedPieces,
  regions,
} from "./regions";

test("what shares a stretch of the merge base stands side by side", () => {
  const left = [
    hunk(1, [" a", "-b", "+B", " c"]),
    hunk(40, [" x", "-y", "+Y"], false),
  ];
  const right = [hunk(3, ["-c", "+C", " d"]), hunk(90, ["-z", "+Z"], false)];
  const found = regions(left, right).map(({ left, right, meets, from }) => [
    from,
    left.length,
    right.length,
    meets,
  ]);
  expect(found).toEqual([
    [1, 1, 1, true],
    [40, 1, 0, false],
    [90, 0, 1, false],
  ]);
});

test("the same line of the merge base is in the same row on both sides", () => {
  const drawn = (line: Line | null | undefined) =>
    line
      ? `${line.number ?? ""}${{ same: " ", removed: "-", added: "+" }[line.change]}${line.parts.map(({ text }) => text).join("")}`
      : "";
  const table = (left: Parameters<typeof regions>[0], right: typeof left) =>
    regions(left, right).map((region) => {
      const rows = aligned(region);
      return rows.left
        .map((line, row) => `${drawn(line)}|${drawn(rows.right[row])}`)
        .join("\n");
    });
  // A line that one side adds moves nothing on the other one; what one side shows around its change, both have.
  expect(
    table(
      [hunk(1, [" a", "+new", "-b", "+B", " c"])],
      [hunk(2, [" b", "-c", "-d", "+C", " e"])],
    ),
  ).toEqual([
    [
      "1 a|1 a",
      "2+new|",
      "2-b|2 b",
      "3+B|",
      "4 c|3-c",
      "5 d|4-d",
      "|3+C",
      "6 e|4 e",
    ].join("\n"),
  ]);
  // A side that did nothing here has the lines of the merge base.
  expect(table([], [hunk(7, [" a", "-b", "+B"])])).toEqual([
    " a|7 a\n b|8-b\n|8+B",
  ]);
  const long = hunk(
    1,
    Array.from({ length: 500 }, (_, line) => `+${line}`),
  );
  expect(aligned(regions([long], [])[0] as never)).toMatchObject({ more: 100 });
});

test("what differs in a line is told from what stayed, line by line", () => {
  const marked = (rows: string[]) =>
    differing(hunk(1, rows).rows).map((parts) =>
      parts.map(({ text, differs }) => (differs ? `[${text}]` : text)).join(""),
    );
  expect(
    marked([
      " let a = 1;",
      "-let total = items.len();",
      "-let rest = 0;",
      "+let total = cart.items.len();",
      "+let rest = 10;",
    ]),
  ).toEqual([
    "let a = 1;",
    "let total = items.len();",
    "let rest = 0;",
    "let total = [cart.]items.len();",
    "let rest = [1]0;",
  ]);
  // Nothing is made of lines that have little in common, or that nothing stands against.
  expect(marked(["-abc", "+xyz", "+c"])).toEqual(["abc", "xyz", "c"]);
  expect(marked(["-} else {", "+return 7;"])).toEqual([
    "} else {",
    "return 7;",
  ]);
  expect(marked(["-say 🚂 now", "+say 🚃 now"])).toEqual([
    "say [🚂] now",
    "say [🚃] now",
  ]);
});

test("the preview shows what is around a conflict, and whose lines they are", () => {
  const far = Array.from({ length: 20 }, (_, index) => `far ${index}`).join(
    "\n",
  );
  const text = `${far}\n${details().merged ?? ""}`;
  const [skipped, near] = mergedPieces(text);
  expect(skipped).toEqual({ kind: "skipped", count: 18 });
  const parts = near?.kind === "lines" ? near.rows.map(({ part }) => part) : [];
  expect(parts).toEqual([
    "both",
    "both",
    "both",
    "both",
    "marker",
    "left",
    "marker",
    "right",
    "marker",
    "both",
    "both",
  ]);
  expect(mergedPieces(text, true)).toHaveLength(1);
});

test("a line of equals signs outside of a conflict is a line", () => {
  const [only] = mergedPieces("Title\n=======\ntext\n", true);
  expect(
    only?.kind === "lines" && only.rows.every(({ part }) => part === "both"),
  ).toBe(true);
});

test("files are listed by what their worktrees make of each other", () => {
  const entry = (path: string, worktree: string) => ({
    path,
    worktree,
    agent: null,
    base: "b",
    change: { kind: "modify" as const },
    ranges: [],
    status: "applied" as const,
    since: 0,
  });
  const picture = {
    entries: [
      entry("alone", "/w/one"),
      entry("apart", "/w/one"),
      entry("apart", "/w/two"),
      entry("worse", "/w/one"),
      entry("worse", "/w/two"),
    ],
    verdicts: [
      verdict({ path: "worse", left: side("/w/one"), right: side("/w/two") }),
      verdict({
        path: "apart",
        severity: "different_area",
        would_conflict: false,
      }),
    ],
  };
  const paths = (rows: { path: string }[]) => rows.map(({ path }) => path);
  expect(paths(matrixRows(picture))).toEqual(["worse", "apart", "alone"]);
  expect(paths(matrixRows(picture, "", true))).toEqual(["worse", "apart"]);
  expect(paths(matrixRows(picture, "ALO"))).toEqual(["alone"]);
});
