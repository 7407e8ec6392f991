import { expect, test } from "vitest";
import { countInWords } from "./ConflictsItem";

test.each([
  [0, 0, "No conflicts"],
  [1, 0, "1 conflict"],
  [32, 1, "32 conflicts, 1 close"],
  [0, 2, "2 close"],
])("%d that stop a merge and %d that do not are %j", (stops, merge, words) => {
  expect(countInWords(stops, merge)).toBe(words);
});
