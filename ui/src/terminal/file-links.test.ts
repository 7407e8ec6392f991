import { Terminal } from "@xterm/xterm";
import { expect, test, vi } from "vitest";
import { freshBackend, opened } from "../test-support";
import { fileLinks } from "./file-links";
import { fileNamesIn } from "./file-names";

const named = (text: string) =>
  fileNamesIn(text).map(({ start, end, path, line, column }) => [
    text.slice(start, end),
    path,
    line,
    column,
  ]);

test.each([
  ["  --> src/main.rs:3:14", [["src/main.rs:3:14", "src/main.rs", 3, 14]]],
  ["a.ts(7,2): error", [["a.ts(7,2)", "a.ts", 7, 2]]],
  ['File "/a/b.py", line 9', [['/a/b.py", line 9', "/a/b.py", 9, null]]],
  ["Makefile:12: *** stop", [["Makefile:12", "Makefile", 12, null]]],
  ["see ./README.", [["./README", "./README", null, null]]],
  ["~/notes.md, and", [["~/notes.md", "~/notes.md", null, null]]],
  ["naïve/dateï.txt:1", [["naïve/dateï.txt:1", "naïve/dateï.txt", 1, null]]],
  ["words that name nothing", []],
  ["... -- ../..", []],
])("%s names %j", (text, names) => {
  expect(named(text)).toEqual(names);
});

test("a very long line is read in part, and soon", () => {
  const began = performance.now();
  expect(fileNamesIn("a/".repeat(1_000_000))).toHaveLength(1);
  expect(fileNamesIn("a.b ".repeat(1_000_000))).toHaveLength(32);
  expect(performance.now() - began).toBeLessThan(1_000);
});

test("what is there is a link to its place, over wrapped rows and wide characters", async () => {
  const twin = freshBackend();
  const { id } = await opened(twin, { cwd: "/home/you/api" });
  const finds = vi.spyOn(twin, "findFiles").mockResolvedValue({
    status: "ok",
    data: ["/home/you/api/src/a.rs", null],
  });
  const terminal = new Terminal({ cols: 10, rows: 4, allowProposedApi: true });
  await new Promise<void>((done) => terminal.write("漢 src/a.rs:3 b.rs", done));
  const provider = vi.spyOn(terminal, "registerLinkProvider");
  const hovered: (string | null)[] = [];
  const opens = vi.fn();
  fileLinks(terminal, id, {
    onLink: (target) => hovered.push(target),
    onOpen: opens,
  });
  const { provideLinks } = provider.mock.calls[0]?.[0] ?? {};
  const links = await new Promise((done) => provideLinks?.(2, done));
  expect(finds).toHaveBeenCalledWith(id, ["src/a.rs", "b.rs"]);
  expect(links).toMatchObject([
    {
      text: "src/a.rs:3",
      range: { start: { x: 4, y: 1 }, end: { x: 3, y: 2 } },
    },
  ]);
  const [link] = links as [
    { hover: () => void; activate: (e: object) => void },
  ];
  link.hover();
  expect(hovered).toEqual(["/home/you/api/src/a.rs:3"]);
  link.activate({ ctrlKey: false });
  expect(opens).not.toHaveBeenCalled();
  link.activate({ ctrlKey: true });
  expect(opens).toHaveBeenCalledWith({
    path: "/home/you/api/src/a.rs",
    line: 3,
    column: null,
  });
});
