import { expect, test } from "vitest";
import { fullPath, rowsFor } from "./folder-rows";

const HOME = "/home/you";
const nothing = { problem: null, below: [], more: false };

test("a path is meant in full", () => {
  expect(fullPath(" ~/code ", HOME)).toBe("/home/you/code");
  expect(fullPath("~you", HOME)).toBe("~you");
});

test("while nothing is typed, what was opened before is offered", () => {
  expect(rowsFor("", HOME, ["/srv", "/home/you/api"], nothing)).toEqual([
    { kind: "recent", path: "/srv", typed: "/srv/", repository: false },
    {
      kind: "recent",
      path: "/home/you/api",
      typed: "~/api/",
      repository: false,
    },
  ]);
});

test("in a folder, what is there is offered, and the way back", () => {
  const below = [{ path: "/home/you/api/web", repository: true }];
  const look = { ...nothing, below };
  const rows = (typed: string) =>
    rowsFor(typed, HOME, ["/srv"], look).map(({ kind, typed }) => [
      kind,
      typed,
    ]);
  expect(rows("~/api/")).toEqual([
    ["up", "~/"],
    ["below", "~/api/web/"],
  ]);
  expect(rows("~/api/w")).toEqual([["below", "~/api/web/"]]);
  expect(rowsFor("/srv/", HOME, [], nothing)[0]?.typed).toBe("/");
  expect(rowsFor("/", HOME, [], nothing)).toEqual([]);
});
