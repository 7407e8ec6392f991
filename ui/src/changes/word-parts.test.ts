import { expect, test } from "vitest";
import { diffRows } from "./diff-rows";
import { partners, wordParts } from "./word-parts";

const drawn = (line: string, other: string) =>
  wordParts(line, other)
    ?.map(({ text, differs }) => (differs ? `[${text}]` : text))
    .join("") ?? null;

test.each([
  ["let limit = 20;", "let limit = 10;", "let limit = [20];"],
  ["a b c", "a c", "a [b ]c"],
  // What only the other one has leaves nothing to mark.
  ["a c", "a b c", "a c"],
  ["something else", "let limit = 10;", null],
  ["x".repeat(1000), "x", null],
])("%j beside %j", (line, other, wanted) => {
  expect(drawn(line, other)).toBe(wanted);
});

test("lines stand in the place of others where as many came as went", () => {
  const rows = diffRows(
    [
      {
        old_start: 1,
        old_lines: 5,
        new_start: 1,
        new_lines: 4,
        heading: "",
        text: ["-a", "-b", "+A", "+B", " same", "-c", "-d", "+e"].join("\n"),
      },
    ],
    null,
    new Set(),
  );
  expect([...partners(rows)]).toEqual([
    [0, 2],
    [2, 0],
    [1, 3],
    [3, 1],
  ]);
});
