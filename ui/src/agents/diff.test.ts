import { expect, it } from "vitest";
import { diffLines, unifiedLines } from "./diff";

const drawn = (lines: { kind: string; text: string }[] | null) =>
  lines?.map(({ kind, text }) => `${kind} ${text}`.trim());

it("shows what changed with a little around it", () => {
  const before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
  expect(drawn(diffLines(before, before.replace("6", "six\nmore")))).toEqual([
    "same 3",
    "same 4",
    "same 5",
    "removed 6",
    "added six",
    "added more",
    "same 7",
    "same 8",
    "same 9",
  ]);
});

it("leaves out what lies between two changes", () => {
  const lines = Array.from({ length: 30 }, (_, n) => `${n}`);
  const after = lines.map((line) =>
    line === "2" || line === "27" ? "x" : line,
  );
  const shown = diffLines(lines.join("\n"), after.join("\n"));
  expect(shown.filter((line) => line.kind === "gap")).toHaveLength(1);
  expect(shown.length).toBeLessThan(18);
});

it("shows a new file as added and an emptied one as removed", () => {
  expect(drawn(diffLines("", "a\nb\n"))).toEqual(["added a", "added b"]);
  expect(drawn(diffLines("a\n", ""))).toEqual(["removed a"]);
});

it("is quick with large texts that have nothing in common", () => {
  const a = Array.from({ length: 5_000 }, (_, n) => `a${n}`).join("\n");
  const b = Array.from({ length: 5_000 }, (_, n) => `b${n}`).join("\n");
  expect(diffLines(a, b)).toHaveLength(10_000);
});

it("tells two small changes far apart in a large text", () => {
  const lines = Array.from({ length: 5_000 }, (_, n) => `${n}`);
  const after = ["first", ...lines.slice(1, -1), "last"];
  expect(drawn(diffLines(lines.join("\n"), after.join("\n")))).toEqual([
    "removed 0",
    "added first",
    "same 1",
    "same 2",
    "same 3",
    "gap",
    "same 4996",
    "same 4997",
    "same 4998",
    "removed 4999",
    "added last",
  ]);
});

it("reads a unified diff, and leaves other text alone", () => {
  expect(
    drawn(
      unifiedLines("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n"),
    ),
  ).toEqual(["gap @@ -1,2 +1,2 @@", "same same", "removed old", "added new"]);
  expect(unifiedLines("- a list\n- of things")).toBeNull();
});
