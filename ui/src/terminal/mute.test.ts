import { Terminal } from "@xterm/headless";
import type { IParser } from "@xterm/xterm";
import { expect, test } from "vitest";
import { muteView } from "./mute";

/** What a terminal answers to `bytes`. */
async function answers(bytes: string, mute: boolean): Promise<string[]> {
  const terminal = new Terminal({ allowProposedApi: true });
  if (mute) muteView(terminal.parser as unknown as IParser);
  const told: string[] = [];
  terminal.onData((data) => told.push(data));
  await new Promise<void>((done) => terminal.write(bytes, done));
  terminal.dispose();
  return told;
}

const questions: [string, string][] = [
  ["what it is (DA1)", "\x1b[c"],
  ["what it is (DA1, with a parameter)", "\x1b[0c"],
  ["its version (DA2)", "\x1b[>c"],
  ["its status (DSR)", "\x1b[5n"],
  ["where the cursor is (CPR)", "\x1b[6n"],
  ["where the cursor is (DECXCPR)", "\x1b[?6n"],
  ["a mode (DECRQM)", "\x1b[?2004$p"],
  ["an ANSI mode (DECRQM)", "\x1b[4$p"],
  ["a setting (DECRQSS)", '\x1bP$q"p\x1b\\'],
  ["its size in characters", "\x1b[18t"],
  ["its name (XTVERSION)", "\x1b[>0q"],
  ["the colour of the text", "\x1b]10;?\x07"],
  ["the colour of the background", "\x1b]11;?\x1b\\"],
  ["a colour of the palette", "\x1b]4;1;?\x07"],
];

test.each(
  questions,
)("a view says nothing when asked %s", async (_name, bytes) => {
  expect(await answers(bytes, true)).toEqual([]);
});

test("a terminal that is not muted would answer, so the questions are real ones", async () => {
  const silent: string[] = [];
  for (const [name, bytes] of questions)
    if ((await answers(bytes, false)).length === 0) silent.push(name);
  // The headless terminal has no window, no name and no colours.
  expect(silent).toEqual([
    "its size in characters",
    "its name (XTVERSION)",
    "the colour of the text",
    "the colour of the background",
    "a colour of the palette",
  ]);
});

test("what is no question still has its effect", async () => {
  const terminal = new Terminal({ allowProposedApi: true, cols: 20, rows: 4 });
  muteView(terminal.parser as unknown as IParser);
  await new Promise<void>((done) =>
    terminal.write("\x1b]11;#ffffff\x07\x1b[2;3Hhere\x1b[?2004h", done),
  );
  expect(terminal.buffer.active.getLine(1)?.translateToString(true)).toBe(
    "  here",
  );
  expect(terminal.modes.bracketedPasteMode).toBe(true);
  terminal.dispose();
});
