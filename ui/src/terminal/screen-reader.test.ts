import { Terminal } from "@xterm/xterm";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ScreenReader } from "./screen-reader";

let terminal: Terminal;
let room: HTMLElement;
let reader: ScreenReader;

beforeEach(() => {
  terminal = new Terminal({ cols: 20, rows: 5, allowProposedApi: true });
  room = document.createElement("div");
  document.body.append(room);
  terminal.open(room);
  reader = new ScreenReader(terminal, room);
});
afterEach(() => {
  reader.dispose();
  terminal.dispose();
  room.remove();
});

const region = () => room.querySelector('[role="log"]');

const write = (text: string) =>
  new Promise<void>((done) => terminal.write(text, done));

const told = (text: string) =>
  vi.waitFor(() => expect(region()?.textContent).toBe(text));

test("lines are told as they come, a wrapped one as one, the prompt behind them", async () => {
  await write("$ make\r\nbuilding a very long target\r\n\r\n$ ");
  await told("$ make\nbuilding a very long target\n$");
  expect(region()).toHaveAttribute("aria-live", "polite");
});

test("a row that is drawn again is told once", async () => {
  await write("$ make\r\n$ ");
  await told("$ make\n$");
  await write("\r$ ls\r$ ls");
  await write("\r\na.rs\r\n");
  await told("$ ls\na.rs");
});

test("a prompt that comes late is told by itself, and not what is typed behind it", async () => {
  await write("$ make\r\nbuilt\r\n");
  await told("$ make\nbuilt");
  await write("$ ");
  await told("$");
  await write("ls");
  await write("\r\na.rs\r\n");
  await told("$ ls\na.rs");
});

test("of a flood the last lines are told", async () => {
  const rows = Array.from({ length: 50 }, (_, index) => `row ${index}\r\n`);
  await write(rows.join(""));
  await vi.waitFor(() => expect(region()?.textContent).toContain("row 49"));
  expect(region()?.textContent).toMatch(/^30 lines before\nrow 30\n/);
});

test("what a view begins with is not told", async () => {
  await write("old\r\nolder\r\n");
  reader.skip();
  await write("new\r\n");
  await told("new");
});

test("xterm's own region says nothing, and its rows can be read", async () => {
  await write("hello");
  expect(room.querySelector(".live-region")).toHaveAttribute(
    "aria-live",
    "off",
  );
  expect(room.querySelector(".xterm-accessibility-tree")).not.toBeNull();
});
