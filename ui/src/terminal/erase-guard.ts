import type { Terminal } from "@xterm/xterm";

/**
 * Keeps one sequence away from xterm.js: to erase everything up to the last cell of the last row throws inside of
 * its parser (6.0), which then takes no more bytes. Nothing is erased then, until the program draws again.
 */
export function guardErase(terminal: Terminal): void {
  terminal.parser.registerCsiHandler({ final: "J" }, (params) => {
    const buffer = terminal.buffer.active;
    return (
      params[0] === 1 &&
      buffer.cursorX + 1 >= terminal.cols &&
      buffer.cursorY + 1 >= terminal.rows &&
      buffer.length <= buffer.cursorY + 1
    );
  });
}
