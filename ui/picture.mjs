// What a window shows of what it is told: one case a line on the input, its pictures on a line of the output. Run by
// crates/terminal/tests/drawn.rs, which compares them with what the backend has.
import { createInterface } from "node:readline";
import headless from "@xterm/headless";
import { runnerImport } from "vite";

const { module } = await runnerImport("./src/terminal/drawn-terminal.ts", {
  logLevel: "error",
});

function color(cell, of) {
  if (cell[`is${of}Default`]()) return "-";
  const value = cell[`get${of}Color`]();
  return cell[`is${of}RGB`]()
    ? `#${value.toString(16).padStart(6, "0")}`
    : `${value}`;
}

function look(cell) {
  const flags = [
    cell.isBold() && "b",
    cell.isDim() && "d",
    cell.isItalic() && "i",
    cell.isInverse() && "r",
    cell.isInvisible() && "h",
    cell.isStrikethrough() && "s",
    cell.isUnderline() && "u",
  ].filter(Boolean);
  return `${color(cell, "Fg")}/${color(cell, "Bg")}/${flags.join("")}`;
}

/** As `Face` has it: see crates/terminal/src/screen/face.rs. */
function rowOf(line, cols) {
  const plain = "-/-/";
  let [text, now, kept] = ["", plain, 0];
  for (let x = 0; x < cols; x++) {
    const cell = line.getCell(x);
    if (cell.getWidth() === 0) continue;
    const style = look(cell);
    const chars = cell.getChars() || " ";
    if (style !== now) text += `{${style}}`;
    now = style;
    text += chars;
    if (cell.getWidth() === 2) text += "»";
    if (style !== plain || chars !== " ") kept = text.length;
  }
  return `${line.isWrapped ? "+" : " "}${text.slice(0, kept)}`;
}

function rowsOf(buffer, from, to, cols) {
  return Array.from({ length: to - from }, (_, at) =>
    rowOf(buffer.getLine(from + at), cols),
  );
}

function picture(terminal, keys, isLast) {
  const { normal, active } = terminal.buffer;
  const { modes, cols } = terminal;
  return {
    above: isLast ? rowsOf(normal, 0, normal.baseY, cols) : [],
    screen: rowsOf(active, active.baseY, active.length, cols),
    cursor: [active.cursorY, Math.min(active.cursorX, cols - 1)],
    full_screen: active.type === "alternate",
    modes: [
      modes.applicationCursorKeysMode,
      modes.applicationKeypadMode,
      modes.bracketedPasteMode,
      modes.sendFocusMode,
      modes.mouseTrackingMode,
      keys.kitty,
      keys.otherKeys,
    ].join(),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { frames } = JSON.parse(line);
  const terminal = new headless.Terminal({
    ...module.drawnOptions,
    allowProposedApi: true,
    scrollback: 10_000,
  });
  module.drawAsTold(terminal);
  const keys = module.toldKeys(terminal);
  const pictures = [];
  for (const [at, { size, bytes }] of frames.entries()) {
    if (size) {
      terminal.resize(...size);
      terminal.write(module.EMPTY);
    }
    await new Promise((done) => {
      terminal.write(Buffer.from(bytes, "base64"), done);
    });
    // What is above the screen is long, and only adds up.
    pictures.push(picture(terminal, keys, at >= frames.length - 2));
  }
  process.stdout.write(`${JSON.stringify(pictures)}\n`);
  terminal.dispose();
}
