import { expect, test } from "vitest";
import { side, verdict } from "../twin/example-conflicts";
import {
  applyConflicts,
  type ConflictsState,
  fromList,
  globOf,
  grouped,
  keyOf,
  lines,
  message,
  nameOf,
  noConflicts,
  sentence,
} from "./conflict-store";
import { quietings, tomorrow, wishInWords } from "./quieting";

const REPOSITORY = "/w/shop/.git";

function news(event: Parameters<typeof tell>[1]) {
  return tell(noConflicts, event);
}

function tell(
  state: ConflictsState,
  event: Extract<
    Parameters<typeof applyConflicts>[1],
    { happened: "news" }
  >["news"]["event"],
) {
  return applyConflicts(state, {
    happened: "news",
    news: { repository: REPOSITORY, event },
  });
}

test("a verdict comes, changes and goes", () => {
  const first = news({ event: "verdict", verdict: verdict() });
  const name = nameOf(keyOf(verdict()));
  // Which others it goes with is asked.
  expect(first.stale).toBe(true);
  expect(Object.keys(first.state.verdicts[REPOSITORY] ?? {})).toEqual([name]);
  const second = tell(first.state, {
    event: "verdict",
    verdict: verdict({ severity: "adjacent_line", would_conflict: false }),
  });
  expect(second.state.verdicts[REPOSITORY]?.[name]?.severity).toBe(
    "adjacent_line",
  );
  expect(second.state.changes[name]).toBe(2);
  const third = tell(second.state, {
    event: "resolved",
    key: keyOf(verdict()),
  });
  expect(third.state.verdicts[REPOSITORY]).toEqual({});
  expect(third.state.changes[name]).toBe(3);
});

test("what an event does not say is asked anew", () => {
  expect(applyConflicts(noConflicts, { happened: "lagged" }).stale).toBe(true);
  expect(news({ event: "worktrees" }).stale).toBe(true);
  expect(news({ event: "contents", key: keyOf(verdict()) }).stale).toBe(true);
});

test("a failed merge comes before near lines, the newest first, the quiet apart", () => {
  const state = fromList(noConflicts, [
    {
      repository: REPOSITORY,
      groups: [],
      quiets: [],
      notes: [],
      verdicts: [
        verdict({
          path: "near",
          severity: "adjacent_line",
          would_conflict: false,
        }),
        verdict({ path: "same", would_conflict: false }),
        verdict({ path: "stops-near", severity: "adjacent_line", since: 1 }),
        verdict({ path: "stops-old", since: 1 }),
        verdict({ path: "stops-new", since: 2 }),
        verdict({
          path: "apart",
          severity: "different_area",
          would_conflict: false,
        }),
        verdict({ path: "hushed", quiet: true }),
      ],
    },
  ]);
  const paths = (said: { verdict: { path: string } }[]) =>
    said.map(({ verdict }) => verdict.path);
  const { warnings, apart, quiet } = grouped(state.verdicts);
  expect(paths(warnings)).toEqual([
    "stops-new",
    "stops-old",
    "stops-near",
    "same",
    "near",
  ]);
  expect(paths(apart)).toEqual(["apart"]);
  expect(paths(quiet)).toEqual(["hushed"]);
});

test("lines are said as people count them", () => {
  expect(lines([{ start: 4, end: 5 }])).toBe("line 4");
  expect(
    lines([
      { start: 4, end: 8 },
      { start: 12, end: 13 },
    ]),
  ).toBe("lines 4–7, 12");
  expect(lines([{ start: 3, end: 3 }])).toBe("the place before line 3");
});

test("what breaks merges, and may not work", () => {
  const note =
    "one changes the parameters of `open` (src/store.rs line 7), which two uses in line 31";
  const breaks = verdict({
    severity: "breaks",
    would_conflict: false,
    overlaps: [],
    note,
  });
  expect(sentence(breaks)).toBe(
    "one changes the parameters of `open` (src/store.rs line 7), which two uses in line 31; a merge would go through, and may not work.",
  );
  const near = verdict({ severity: "adjacent_line", would_conflict: false });
  const { warnings } = grouped({ [REPOSITORY]: { near, breaks } });
  expect(warnings.map(({ verdict }) => verdict.severity)).toEqual([
    "breaks",
    "adjacent_line",
  ]);
});

test("a verdict is one sentence", () => {
  expect(sentence(verdict())).toBe(
    "Both change lines 41–44; a merge would stop here.",
  );
  expect(
    sentence(verdict({ severity: "adjacent_line", would_conflict: false })),
  ).toBe("Their changes are 1 to 5 lines apart; a merge would go through.");
  expect(
    sentence(verdict({ note: "deleted on one side, changed on the other" })),
  ).toBe("Deleted on one side, changed on the other; a merge would stop here.");
});

test("the prepared message is one line, and names who, where and what", () => {
  const text = message(
    verdict({ right: side("/w/two", { agent: "codex", branch: "feature" }) }),
    "left",
  );
  expect(text).not.toMatch(/[\r\n]/);
  expect(text).toContain("codex in the worktree /w/two on branch feature");
  expect(text).toContain("lines 41–44");
  expect(text).toContain("/w/two/src/parse.rs");
});

test("a path is a glob that matches it alone", () => {
  expect(globOf("src/[id]/{a}?*.ts")).toBe("src/[[]id[]]/[{]a[}][?][*].ts");
});

test("being quiet is offered for the file, the pair, the directory and the kind of file", () => {
  const ways = quietings(verdict());
  expect(ways.map(({ label }) => label)).toEqual([
    "Snooze for an hour",
    "Snooze until tomorrow",
    "Acknowledge",
    "Mute one with two",
    "Mute one",
    "Mute two",
    "Mute src/**",
    "Mute **/*.rs",
  ]);
  expect(ways[0]?.quiet(1_000)).toEqual({
    about: { glob: "src/parse.rs", left: "/w/one", right: "/w/two" },
    until: { until: "time", at: 3_601_000 },
  });
  const acknowledged = ways[2]?.quiet(0);
  expect(acknowledged && wishInWords(acknowledged)).toBe(
    "src/parse.rs between one and two, until it gets worse",
  );
  const morning = new Date(tomorrow(new Date(2026, 1, 28, 23, 59).getTime()));
  expect([morning.getDate(), morning.getHours()]).toEqual([1, 8]);
});
