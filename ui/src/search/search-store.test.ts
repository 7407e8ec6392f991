import { expect, test } from "vitest";
import type { Match } from "../bindings";
import { lineMatch, saidHit } from "./match-support";
import { nameOfPane, resultRows } from "./result-rows";
import {
  begin,
  closedPlace,
  describeCount,
  emptyQuery,
  foundOf,
  noMatches,
  requestOf,
  sinceOf,
  stepFrom,
  takeAnswer,
  takeFailure,
  takeProgress,
  takeSaid,
} from "./search-store";

const answer = (matches: Match[], total = matches.length) => ({
  panes: {
    matches,
    total,
    panes: 1,
    truncated: false,
    reason: null,
    cursor: null,
  },
  conversations: null,
});

test("what was found before stays on screen until there is news", () => {
  let state = takeAnswer(begin(closedPlace, 1), 1, answer([lineMatch(1, 5)]));
  state = begin(state, 2);
  expect(describeCount(state, false)).toBe("1 match…");
  state = takeProgress(state, 2, { progress: "found", matches: [] });
  expect(describeCount(state, false)).toBe("Searching…");
});

test("news of an earlier search change nothing", () => {
  const state = begin(begin(closedPlace, 1), 2);
  expect(
    takeProgress(state, 1, { progress: "count", total: 9, panes: 1 }),
  ).toBe(state);
  expect(takeAnswer(state, 1, answer([lineMatch(1, 1)]))).toBe(state);
  expect(takeFailure(state, 1, "no", null)).toBe(state);
});

test("streamed matches add up, and the answer has them all", () => {
  let state = begin(closedPlace, 1);
  state = takeProgress(state, 1, {
    progress: "found",
    matches: [lineMatch(1, 1)],
  });
  state = takeProgress(state, 1, {
    progress: "count",
    total: 3480,
    panes: 7,
  });
  expect(describeCount(state, true)).toBe("3,480 matches in 7 panes…");
  state = takeAnswer(state, 1, answer([lineMatch(1, 1), lineMatch(1, 2)], 2));
  expect(describeCount({ ...state, current: 1 }, true)).toBe(
    "2 of 2 in 1 pane",
  );
});

test("going on behind the last match keeps the ones before and where one was", () => {
  let state = takeAnswer(begin(closedPlace, 1), 1, answer([lineMatch(1, 1)]));
  state = begin({ ...state, current: 0 }, 2);
  state = takeAnswer(state, 2, answer([lineMatch(1, 0)], 2), {
    ...noMatches,
    matches: [lineMatch(1, 1)],
  });
  expect(state.current).toBe(0);
  expect(describeCount(state, false)).toBe("1 of 2");
});

test("what was said comes behind the matches, and the current one stays it when more of these come", () => {
  let state = begin(closedPlace, 1);
  state = takeSaid(state, 1, [saidHit("a"), saidHit("b")]);
  state = { ...state, current: 1 };
  state = takeProgress(state, 1, {
    progress: "found",
    matches: [lineMatch(1, 1), lineMatch(1, 2)],
  });
  expect(state.current).toBe(3);
  const { matches, said } = foundOf(state.search);
  const rows = resultRows({ matches, said }, new Set());
  const told = rows.map((row) =>
    row.kind === "said" ? `said ${row.hit.message} ${row.index}` : row.kind,
  );
  expect(told).toEqual([
    "pane",
    "match",
    "match",
    "conversation",
    "said a 2",
    "said b 3",
  ]);
  const conversations = {
    hits: [saidHit("a"), saidHit("b")],
    total: 9,
    conversations: 4,
    truncated: true,
    reason: "two files were not read",
  };
  state = takeAnswer(state, 1, {
    ...answer([lineMatch(1, 1), lineMatch(1, 2)]),
    conversations,
  });
  expect(state.search).toMatchObject({ reason: "two files were not read" });
  expect(describeCount(state, true)).toBe(
    "4 of 11 in 1 pane and 4 conversations",
  );
});

test.each([
  [null, 3, 1, 0],
  [null, 3, -1, 2],
  [2, 3, 1, 0],
  [0, 3, -1, 2],
  [null, 0, 1, null],
] as const)("from match %s of %s, step %s leads to %s", (from, count, by, to) => {
  expect(stepFrom(from, count, by)).toBe(to);
});

test("results are grouped by pane, and a gap parts what does not touch", () => {
  const context = (id: number) => ({
    id,
    text: "",
    source: "ring" as const,
  });
  const matches = [
    {
      ...lineMatch(1, 9),
      context_before: [context(8)],
      context_after: [context(10)],
    },
    lineMatch(2, 3),
    { ...lineMatch(1, 7), context_before: [context(6)] },
    {
      ...lineMatch(1, 2),
      context_before: [context(1)],
      context_after: [context(3)],
    },
  ];
  const rows = resultRows({ matches, said: [] }, new Set([nameOfPane(2)]));
  expect(
    rows.map((row) =>
      row.kind === "match"
        ? `match ${row.match.line}`
        : row.kind === "context"
          ? `context ${row.line.id}`
          : row.kind === "pane"
            ? `pane ${row.pane}: ${row.count}`
            : "gap",
    ),
  ).toEqual([
    "pane 1: 3",
    "context 6",
    "match 7",
    "context 8",
    "match 9",
    "context 10",
    "gap",
    "context 1",
    "match 2",
    "context 3",
    "pane 2: 1",
  ]);
});

test("a time is the moment at which it began, and a folder chooses among panes", () => {
  const now = new Date(2026, 2, 1, 15, 30);
  const began = (when: Parameters<typeof sinceOf>[0]) => {
    const since = sinceOf(when, now);
    return since === null ? null : new Date(since).toString();
  };
  expect(began("any")).toBeNull();
  expect(began("minutes")).toBe(new Date(2026, 2, 1, 15, 20).toString());
  expect(began("hour")).toBe(new Date(2026, 2, 1, 14, 30).toString());
  expect(began("today")).toBe(new Date(2026, 2, 1).toString());
  const query = { ...emptyQuery, directory: "/work", when: "today" as const };
  expect(requestOf(query, now)).toMatchObject({
    since: new Date(2026, 2, 1).getTime(),
    directory: "/work",
  });
  // A pane that is named is searched wherever it works.
  expect(
    requestOf({ ...query, scope: "pane", pane: 3 }, now).directory,
  ).toBeNull();
});
