import { expect, test } from "vitest";
import { AnsiLines, textOf } from "./ansi";
import { marked } from "./OutputView";

function read(...pieces: string[]): string[] {
  const lines = new AnsiLines();
  for (const piece of pieces) lines.push(piece);
  return lines.lines.map((line) =>
    line
      .map((span) => (span.look ? `[${span.look}]${span.text}` : span.text))
      .join("|"),
  );
}

test.each([
  ["plain", ["plain"]],
  ["\x1b[31mred\x1b[0m and not", ["[fg-1]red| and not"]],
  ["\x1b[1;32mok\x1b[22m still", ["[fg-2 bold]ok|[fg-2] still"]],
  ["\x1b[32mon\nand on\x1b[0m\n", ["[fg-2]on", "[fg-2]and on"]],
  ["10%\r50%\r100%\nend", ["100%", "end"]],
  ["a\r\nb\r\n", ["a", "b"]],
  ["\x1b]0;title\x07text", ["text"]],
  ["\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ on", ["link| on"]],
  ["\x1b[2K\x1b[1Aup", ["up"]],
  ["\x1b[7mback\x1b[0m", ["[inverse]back"]],
  ["\x1b[38;5;196mx\x1b[38;5;4my", ["x|[fg-4]y"]],
  ["<b>&amp;</b>", ["<b>&amp;</b>"]],
])("%j is read as it would be seen", (text, lines) => {
  expect(read(text)).toEqual(lines);
});

test("a line that arrives in pieces is one line, in its colours", () => {
  expect(read("\x1b[31mfi", "rst\nse", "cond\x1b[0m", " end")).toEqual([
    "[fg-1]first",
    "[fg-1]second| end",
  ]);
});

test("colours beyond the palette are kept", () => {
  const lines = new AnsiLines();
  lines.push("\x1b[38;2;255;0;16mx");
  expect(lines.lines[0]?.[0]?.color).toBe("#ff0010");
});

test("what is found is cut out of the spans, across their borders", () => {
  const lines = new AnsiLines();
  lines.push("ab\x1b[31mcd\x1b[0mef abc");
  const cut = marked(lines.lines[0] ?? [], "bc");
  expect(cut.map((span) => (span.hit ? `<${span.text}>` : span.text))).toEqual([
    "a",
    "<b>",
    "<c>",
    "d",
    "ef a",
    "<bc>",
  ]);
  expect(cut.map(({ text }) => text).join("")).toBe(
    textOf(lines.lines[0] ?? []),
  );
});
