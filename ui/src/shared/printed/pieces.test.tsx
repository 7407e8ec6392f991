import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { type Span, styleFlags } from "../../bindings";
import { PrintedLine } from "./PrintedLine";
import { clip, look, occurrences, pieces } from "./pieces";

const range = (start: number, end: number) => ({ start, end });

/** A line as it is cut: matches in angle brackets, the colour of styled text before it. */
function cut(
  text: string,
  spans: Span[],
  ranges: { start: number; end: number }[],
): string[] {
  return pieces(text, spans, ranges).map(({ text, style, hit }) => {
    const shown =
      style?.fg === undefined ? text : `${String(style.fg)}:${text}`;
    return hit === null ? shown : `<${shown}>`;
  });
}

test("a line is cut at its matches, and what is drawn is always the line", () => {
  expect(cut("abcdef", [], [range(1, 3), range(2, 4), range(5, 99)])).toEqual([
    "a",
    "<bc>",
    "<d>",
    "e",
    "<f>",
  ]);
});

test("what is found is marked across the borders of colours", () => {
  const spans = [
    { length: 2, style: {} },
    { length: 2, style: { fg: 1 } },
    { length: 6, style: {} },
  ];
  expect(cut("abcdef abc", spans, occurrences("abcdef abc", "BC"))).toEqual([
    "a",
    "<b>",
    "<1:c>",
    "1:d",
    "ef a",
    "<bc>",
  ]);
});

test("spans that are too many or too few change nothing in the text", () => {
  const red = { fg: 1 };
  expect(cut("abc", [{ length: 1, style: red }], [])).toEqual(["1:a", "bc"]);
  expect(cut("abc", [{ length: 9, style: red }], [])).toEqual(["1:abc"]);
  expect(cut("abc", [{ length: 0, style: red }], [range(1, 1)])).toEqual([
    "abc",
  ]);
  expect(cut("", [{ length: 3, style: red }], [range(0, 2)])).toEqual([]);
});

test("a line without an end is clipped around its first match", () => {
  const long = `${"x".repeat(500)}needle${"y".repeat(5000)}`;
  const clipped = clip(long, [range(500, 506)]);
  const first = clipped.ranges[0];
  expect(clipped.text.slice(first?.start, first?.end)).toBe("needle");
  expect(clipped.text.length).toBeLessThan(700);
});

test.each([
  [{ fg: 1 }, { color: "var(--c1)" }],
  [{ bg: 15 }, { background: "var(--c15)" }],
  [{ fg: 196 }, { color: "rgb(255 0 0)" }],
  [{ fg: 244 }, { color: "rgb(128 128 128)" }],
  [{ fg: [1, 2, 3] }, { color: "rgb(1 2 3)" }],
  [
    { fg: 2, flags: styleFlags.inverse },
    { color: "var(--pane)", background: "var(--c2)" },
  ],
  [
    { flags: styleFlags.inverse },
    { color: "var(--pane)", background: "var(--text)" },
  ],
  [
    { flags: styleFlags.undercurl, underline: 1 },
    { className: "undercurl", textDecorationColor: "var(--c1)" },
  ],
  [
    { flags: styleFlags.bold | styleFlags.italic },
    { className: "bold italic" },
  ],
  [{}, {}],
] as const)("%j looks like %j", (style, looks) => {
  const { className, ...rest } = look(style as Parameters<typeof look>[0]);
  expect({ ...rest, ...(className && { className }) }).toEqual(looks);
});

test("what a program printed is text, and nothing else", () => {
  const text = "<b>&amp;</b>";
  const { container } = render(
    <PrintedLine text={text} ranges={[range(0, 3)]} current={0} />,
  );
  expect(container.textContent).toBe(text);
  expect(container.querySelector("b")).toBeNull();
  expect(container.querySelector("mark.current")?.textContent).toBe("<b>");
});
