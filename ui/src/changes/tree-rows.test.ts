import { expect, test } from "vitest";
import { fileChange } from "../twin/example-changes";
import { stepTo } from "./FileTree";
import { type TreeRow, treeRows } from "./tree-rows";

/** Rows as a person would draw them. */
function drawn(rows: TreeRow[]): string[] {
  return rows.map((row) => {
    if (row.kind === "section") return `[${row.view} ${row.files.length}]`;
    const indent = "  ".repeat(row.depth);
    const name = row.kind === "directory" ? `${row.name}/` : row.name;
    return `${indent}${name}`;
  });
}

const views = [
  {
    view: "staged" as const,
    files: ["src/a/b/deep.rs", "src/a/b/other.rs", "README.md", "src.rs"].map(
      (path) => fileChange(path),
    ),
  },
  { view: "untracked" as const, files: [] },
  {
    view: "committed" as const,
    files: [fileChange("new.rs", { from: "src/old.rs", kind: "renamed" })],
  },
];

test("directories come first, with nothing in between in one row; a view without files is none", () => {
  expect(drawn(treeRows(views, "", new Set()))).toEqual([
    "[staged 4]",
    "src/a/b/",
    "  deep.rs",
    "  other.rs",
    "README.md",
    "src.rs",
    "[committed 1]",
    "new.rs",
  ]);
});

test("the filter looks at both paths, whatever their letters", () => {
  expect(drawn(treeRows(views, "OLD", new Set()))).toEqual([
    "[committed 1]",
    "new.rs",
  ]);
});

test("what is folded keeps its counts", () => {
  const [first, second] = treeRows(views, "", new Set());
  if (first?.kind !== "section" || second?.kind !== "directory")
    throw new Error("they are there");
  const rows = treeRows(views, "", new Set([second.key]));
  expect(drawn(rows).slice(0, 3)).toEqual([
    "[staged 4]",
    "src/a/b/",
    "README.md",
  ]);
  expect(rows[1]).toMatchObject({ added: 4, removed: 2, open: false });
});

test.each([
  ["ArrowDown", 0, 1],
  ["ArrowUp", 0, 0],
  ["End", 0, 7],
  ["Home", 5, 0],
  // Into what is open, and out to what it is in.
  ["ArrowRight", 1, 2],
  ["ArrowLeft", 3, 1],
  ["ArrowLeft", 4, 0],
  // Left folds what is open, which is no step.
  ["ArrowLeft", 1, null],
  ["x", 1, null],
] as const)("%s leads from row %i to %j", (key, at, to) => {
  expect(stepTo(treeRows(views, "", new Set()), at, key)).toBe(to);
});

test("ten thousand files are rows at once", () => {
  const files = Array.from({ length: 10_000 }, (_, at) =>
    fileChange(`src/part-${at % 100}/file-${at}.rs`),
  );
  const rows = treeRows([{ view: "whole", files }], "", new Set());
  expect(rows).toHaveLength(10_000 + 100 + 1 + 1);
});
