import { expect, test } from "vitest";
import type { CommandMark } from "../bindings";
import {
  blockAt,
  blockOf,
  endOf,
  howItWent,
  inOneLine,
  shareText,
  walkFrom,
  withOutput,
} from "./blocks";

function mark(prompt: number, change: Partial<CommandMark> = {}): CommandMark {
  return {
    prompt,
    command: `command ${prompt}`,
    output_from: prompt + 1,
    output_to: prompt + 5,
    output_rest: 0,
    cwd: "/home/you/src",
    exit: 0,
    started_at: 1_000,
    ended_at: 3_100,
    ...change,
  };
}

const atPrompt = (prompt: number) =>
  mark(prompt, {
    command: null,
    output_from: null,
    output_to: null,
    exit: null,
    started_at: null,
    ended_at: null,
  });

/** Two commands, an empty line at the prompt, one more, and a prompt that waits. */
const MARKS = [mark(3), mark(8), atPrompt(13), mark(14), atPrompt(19)];

test.each([
  [0, null],
  [3, 0],
  [7, 0],
  [8, 1],
  [12, 1],
  [13, null],
  [18, 3],
  [19, null],
  [500, null],
])("line %i belongs to the command %j", (line, index) => {
  expect(blockAt(MARKS, line)).toBe(index);
});

test("a command is found by its prompt alone, and ends where the next prompt is", () => {
  expect(blockOf(MARKS, 8)).toBe(1);
  expect(blockOf(MARKS, 9)).toBeNull();
  expect(endOf(MARKS, 1)).toBe(13);
  const runs = mark(20, { output_to: null, ended_at: null });
  expect(endOf([runs], 0)).toBeNull();
  expect(endOf([mark(20)], 0)).toBe(25);
});

test("walking goes from command to command, past prompts where nothing ran", () => {
  const to = (current: number | null, top: number, step: 1 | -1) =>
    walkFrom(MARKS, current, top, step)?.prompt ?? null;
  expect(to(14, 0, -1)).toBe(8);
  expect(to(8, 0, -1)).toBe(3);
  expect(to(3, 0, -1)).toBeNull();
  expect(to(8, 0, 1)).toBe(14);
  expect(to(14, 0, 1)).toBeNull();
  expect(to(null, 10, -1)).toBe(8);
  expect(to(null, 10, 1)).toBe(14);
});

test("how a command went is said in words", () => {
  expect(howItWent(mark(0))).toBe("ok after 2.1 s");
  expect(howItWent(mark(0, { exit: 2, ended_at: 62_000 }))).toBe(
    "exit status 2 after 1m 01s",
  );
  expect(howItWent(mark(0, { exit: null }))).toBe("ended after 2.1 s");
  expect(howItWent(mark(0, { exit: null, ended_at: null }))).toBe("runs");
  expect(howItWent(atPrompt(0))).toBe("");
});

test("a command is one short line where it stands among other words", () => {
  expect(inOneLine("make test")).toBe("make test");
  expect(inOneLine("for a in b\ndo c; done")).toBe("for a in b …");
  expect(inOneLine("x".repeat(80))).toBe(`${"x".repeat(60)}…`);
  expect(inOneLine(null)).toBe("a command");
});

test("what is shared says where a command ran, how it went and how long it took", () => {
  const output = {
    mark: mark(0, { command: "make test", exit: 2 }),
    text: "one\ntwo\n\n",
    cut: false,
  };
  expect(withOutput(output)).toBe("$ make test\none\ntwo");
  const [body, facts] = shareText(output, "/home/you").split("\n\n");
  expect(body).toBe("$ make test\none\ntwo");
  expect(facts).toMatch(
    /^\[exit status 2 after 2\.1 s · in ~\/src · .*19[67]\d.*\]$/,
  );
  expect(shareText({ ...output, cut: true }, "")).toContain(
    "not all of its output is kept",
  );
});
