// @vitest-environment jsdom
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { Terminal } from "@xterm/xterm";
import { describe, expect, it } from "vitest";

/**
 * What real programs wrote, played into xterm.js. The backend's emulator is held to the same files
 * (`crates/terminal/tests/recordings.rs`), so the two make the same picture of the same bytes.
 */
const dir = join(import.meta.dirname, "../../../tests/recordings");

interface ScreenText {
  rows: string[];
  cursor_row: number;
  cursor_col: number;
  cursor_waits: boolean;
  full_screen: boolean;
}

async function played(bytes: Uint8Array): Promise<ScreenText> {
  const terminal = new Terminal({
    cols: 80,
    rows: 24,
    allowProposedApi: true,
    scrollOnEraseInDisplay: true,
  });
  terminal.loadAddon(new UnicodeGraphemesAddon());
  await new Promise<void>((done) => {
    terminal.write(bytes, done);
  });
  const buffer = terminal.buffer.active;
  const rows = Array.from(
    { length: terminal.rows },
    (_, row) =>
      buffer
        .getLine(buffer.baseY + row)
        ?.translateToString(true)
        .trimEnd() ?? "",
  );
  const screen = {
    rows,
    cursor_row: buffer.cursorY,
    cursor_col: Math.min(buffer.cursorX, terminal.cols - 1),
    cursor_waits: buffer.cursorX >= terminal.cols,
    full_screen: buffer.type === "alternate",
  };
  terminal.dispose();
  return screen;
}

describe("recordings", () => {
  const names = readdirSync(dir)
    .filter((name) => name.endsWith(".bytes"))
    .map((name) => name.slice(0, -".bytes".length));

  it.each(names)("%s gives the screen that is written down", async (name) => {
    const screen = JSON.parse(
      readFileSync(join(dir, `${name}.screen.json`), "utf8"),
    ) as ScreenText;
    expect(
      await played(new Uint8Array(readFileSync(join(dir, `${name}.bytes`)))),
    ).toEqual(screen);
  });
});
