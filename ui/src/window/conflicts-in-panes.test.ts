import { beforeEach, expect, test } from "vitest";
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
  const needs = needsOf([
    said("a", { since: 7 }),
    said("b"),
    said("c", { would_conflict: false }),
    said("d", { right: side("/w/three") }),
  ]);
  expect(
    needs.map(({ title, detail, since }) => [title, detail, since]),
  ).toEqual([
    ["one and two", "No clean merge of 2 files", 5],
    ["one and three", "No clean merge of d", 5],
  ]);
});
