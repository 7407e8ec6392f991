import { expect, test } from "vitest";
import type { Grid } from "./grid";
import { foundIn, hintsIn, labels } from "./quick-hints";

const found = (text: string) =>
  foundIn(text).map(({ kind, from, to }) => `${kind} ${text.slice(from, to)}`);

test.each([
  ["see https://a.example/b?c=1#d.", ["link https://a.example/b?c=1#d"]],
  ["(http://a.example/x_(y))", ["link http://a.example/x_(y)"]],
  [" --> src/a.rs:3:14", ["path src/a.rs:3:14"]],
  ["modified: notes.md, 3.14", ["path notes.md"]],
  ["9fceb02d0ae598e9 and 9fceb02", ["hash 9fceb02d0ae598e9", "hash 9fceb02"]],
  ["deadbeef feedface added", []],
  [
    "listening on 127.0.0.1:8080, 10.0.0.0/8",
    ["address 127.0.0.1:8080", "address 10.0.0.0/8"],
  ],
  [
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    ["uuid 3f2504e0-4f89-11d3-9a0c-0305e82c3301"],
  ],
  ["Mail to you@home.example please", ["mail you@home.example"]],
  ["pid 48213 of 12", ["number 48213"]],
  ["4096 Nov 28  2023 on port 8080", ["number 4096", "number 8080"]],
  ["~/work/a", ["path ~/work/a"]],
  ["nothing to see", []],
])("%j has %j", (text, wanted) => {
  expect(found(text)).toEqual(wanted);
});

test.each([
  1, 26, 27, 60, 200, 676,
])("of %i labels none begins another", (count) => {
  const all = labels(count);
  expect(new Set(all).size).toBe(count);
  const within = all.filter((one) =>
    all.some((other) => other !== one && other.startsWith(one)),
  );
  expect(within).toEqual([]);
});

test("the same text has one label, the nearest to the end the first one", () => {
  const rows = ["src/a.rs:1", "src/b.rs:2 s", "rc/c.rs", "src/a.rs:1"];
  const on: Grid = {
    rows: rows.length,
    cols: 12,
    cells: (row) => [...(rows[row] ?? "").padEnd(12)],
    wrapped: (row) => row === 2,
  };
  expect(
    hintsIn(on, 0, 4).map(
      ({ text, label, at }) => `${at.row} ${label} ${text}`,
    ),
  ).toEqual([
    "3 a src/a.rs:1",
    "1 s src/c.rs",
    "1 d src/b.rs:2",
    "0 a src/a.rs:1",
  ]);
  // What begins above the screen is not on it.
  expect(hintsIn(on, 2, 2).map(({ text }) => text)).toEqual(["src/a.rs:1"]);
});

test("a hostile line costs no more than it is long", () => {
  const begun = performance.now();
  foundIn(`${"a@".repeat(20_000)}${"0".repeat(40_000)}${"a:".repeat(20_000)}`);
  expect(performance.now() - begun).toBeLessThan(5_000);
});
