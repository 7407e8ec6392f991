import { beforeEach, expect, test } from "vitest";
import { keyOf } from "../conflicts/conflict-store";
import { together } from "../conflicts/together";
import { freshBackend } from "../test-support";
import { side, verdict } from "../twin/example-conflicts";
import { needsOf } from "./conflicts-in-panes";

beforeEach(() => {
  freshBackend();
});

const said = (path: string, change: Parameters<typeof verdict>[0] = {}) => ({
  repository: "/w/shop/.git",
  verdict: verdict({ path, since: 5, ...change }),
});

test("two worktrees whose files don't merge are one thing that needs the person", () => {
  const needs = needsOf(
    together(
      [
        said("a", { since: 7 }),
        said("b"),
        said("c", { would_conflict: false }),
        said("d", { right: side("/w/three") }),
      ],
      {},
    ),
  );
  expect(
    needs.map(({ title, detail, since }) => [title, detail, since]),
  ).toEqual([
    ["one and two", "No clean merge of 2 files", 5],
    ["one and three", "No clean merge of d", 5],
  ]);
});

test("many worktrees at the same lines are one thing that needs the person", () => {
  const crowd = [
    said("log"),
    said("log", { right: side("/w/three"), since: 2 }),
    said("b"),
  ];
  const { path, overlaps: lines, severity } = crowd[0]?.verdict ?? verdict();
  const group = {
    path,
    lines,
    severity,
    would_conflict: true,
    quiet: false,
    note: null,
    worktrees: ["/w/one", "/w/two", "/w/three"],
    verdicts: crowd.slice(0, 2).map((one) => keyOf(one.verdict)),
    since: 2,
  };
  const needs = needsOf(together(crowd, { "/w/shop/.git": [group] }));
  expect(
    needs.map(({ title, detail, since }) => [title, detail, since]),
  ).toEqual([
    ["3 worktrees", "No clean merge of log", 2],
    ["one and two", "No clean merge of b", 5],
  ]);
});
