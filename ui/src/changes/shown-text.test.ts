import { expect, test } from "vitest";
import { shownText } from "./shown-text";

test.each([
  ["plain\ttext", "plain\ttext"],
  ["\u001b[2Jx", "␛[2Jx"],
  ["if (\u202eadmin) {", "if ([U+202E]admin) {"],
  ["a\u200bb", "a[U+200B]b"],
  ["del\u007f", "del␡"],
])("%j is drawn as %j", (line, text) => {
  expect(shownText(line)).toEqual({ text, more: 0, carriage: false });
});

test("a carriage return at the end is said, one in the middle is drawn", () => {
  expect(shownText("a\rb\r")).toEqual({
    text: "a␍b",
    more: 0,
    carriage: true,
  });
});

test("a line of a million characters is cut", () => {
  const { text, more } = shownText("x".repeat(1_000_000));
  expect(text).toHaveLength(2000);
  expect(more).toBe(998_000);
});
