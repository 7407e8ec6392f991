import { expect, it } from "vitest";
import { pastPrompts, type Walk, walked } from "./past-prompts";
import { applyStep, emptyTimeline } from "./timeline";

it("knows what was said, newest first and each once in a row", () => {
  const said = (text: string) => ({ event: "prompt" as const, text });
  const { rows } = applyStep(emptyTimeline, {
    step: "more",
    events: [
      said("one"),
      { event: "text", text: "yes" },
      said("two"),
      said("two"),
      said("one"),
    ],
  });
  expect(pastPrompts(rows)).toEqual(["one", "two", "one"]);
});

it("goes back to its end, and forth to what was being written", () => {
  const past = ["newest", "older"];
  let walk: Walk | null = null;
  const seen: string[] = [];
  let text = "half a th";
  for (const back of [true, true, true, false, false, false]) {
    const next: Walk | null = walked(past, walk, text, back);
    if (next) {
      walk = next;
      text = next.text;
    }
    seen.push(next ? text : "no further");
  }
  expect(seen).toEqual([
    "newest",
    "older",
    "no further",
    "newest",
    "half a th",
    "no further",
  ]);
});

it("begins anew from what was made of a former prompt", () => {
  const past = ["newest", "older"];
  const walk = walked(past, null, "", true);
  expect(walked(past, walk, "newest, changed", true)).toEqual({
    at: 0,
    text: "newest",
    kept: "newest, changed",
  });
});
