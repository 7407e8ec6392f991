import { expect, test } from "vitest";
import type { RepositoryView, WorktreeView } from "../bindings";
import { badgeOf, placeOfDirectory } from "./repositories";

function worktree(path: string, change: Partial<WorktreeView> = {}) {
  return {
    path,
    name: path.split("/").pop() ?? "",
    branch: null,
    main: false,
    present: true,
    agent: null,
    changed_files: 0,
    conflicts: 0,
    would_conflict: 0,
    worst: null,
    ...change,
  };
}

function repository(...paths: string[]): RepositoryView {
  return {
    repository: `${paths[0]}/.git`,
    root: paths[0] ?? "",
    name: "shop",
    added: false,
    state: { state: "looking" },
    worktrees: paths.map((path) => worktree(path)),
  };
}

test("a directory belongs to the innermost worktree around it", () => {
  const all = [repository("/w/shop", "/w/shop/trees/one", "/w/shop-two")];
  const at = (directory: string) =>
    placeOfDirectory(all, directory)?.worktree.path ?? null;
  expect(at("/w/shop")).toBe("/w/shop");
  expect(at("/w/shop/src")).toBe("/w/shop");
  expect(at("/w/shop/trees/one/src")).toBe("/w/shop/trees/one");
  expect(at("/w/shop-two/a")).toBe("/w/shop-two");
  expect(at("/w/shop-three")).toBeNull();
  expect(at("/w")).toBeNull();
});

test("a badge says how many and how bad, and nothing when there is nothing", () => {
  expect(badgeOf(worktree("/w"))).toBeNull();
  expect(
    badgeOf(
      worktree("/w", { conflicts: 3, would_conflict: 1, worst: "same_line" }),
    ),
  ).toEqual({
    count: 3,
    tone: "conflict",
    title: "3 conflicts with other worktrees, 1 without a clean merge",
  });
  expect(
    badgeOf(worktree("/w", { conflicts: 1, worst: "adjacent_line" })),
  ).toMatchObject({ count: 1, tone: "near" });
});
