// @vitest-environment jsdom
import { Terminal } from "@xterm/xterm";
import { expect, it } from "vitest";
import { guardErase } from "./erase-guard";

it("takes bytes after everything up to the last cell was to be erased", async () => {
  const terminal = new Terminal({ cols: 20, rows: 4, allowProposedApi: true });
  guardErase(terminal);
  await new Promise<void>((done) => {
    terminal.write("\x1b[4;20Hx\x1b[1J\x1b[1;1Hstill there", done);
  });
  expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe(
    "still there",
  );
  terminal.dispose();
});
