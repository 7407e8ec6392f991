import { expect, test } from "vitest";
import { pasteBytes, pasteRisk, shellWord, showControls } from "./paste-guard";

test.each([
  ["one line", "ls -la", null],
  ["a tab", "a\tb", null],
  ["a newline at the end", "ls\n", { lines: 1, controls: 0 }],
  ["two lines", "a\nb", { lines: 2, controls: 0 }],
  ["lines of another system", "a\r\nb\r\n", { lines: 2, controls: 0 }],
  ["an escape", "a\x1b[31m", { lines: 1, controls: 1 }],
  ["an interrupt", "\x03rm", { lines: 1, controls: 1 }],
])("the risk of pasting %s", (_name, text, risk) => {
  expect(pasteRisk(text)).toEqual(risk);
});

test("control characters are shown, not drawn", () => {
  expect(showControls("a\x1b[31mb\x7fc\x9bd")).toBe("a␛[31mb␡c\\x9bd");
});

test("line ends are sent as the Enter key sends them", () => {
  expect(pasteBytes("a\nb\r\nc", false)).toBe("a\rb\rc");
});

test("a bracketed paste can't end its own brackets", () => {
  expect(pasteBytes("a\x1b[201~rm -rf\n", true)).toBe(
    "\x1b[200~arm -rf\r\x1b[201~",
  );
});

test("brackets that only appear once others are taken out are taken out too", () => {
  const sent = pasteBytes("\x1b[20\x1b[201~1~echo", true);
  expect(sent.slice(6, -6)).not.toContain("\x1b[201~");
});

test.each([
  ["/home/you/a-b_c.txt", "/home/you/a-b_c.txt"],
  ["/home/you/my file", "'/home/you/my file'"],
  ["it's; rm -rf $HOME", "'it'\\''s; rm -rf $HOME'"],
  ["", "''"],
])("the path `%s` is typed as %s", (path, word) => {
  expect(shellWord(path)).toBe(word);
});
