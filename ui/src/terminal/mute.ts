import type { IDisposable, IParser } from "@xterm/xterm";

const swallow = () => true;

/** OSC colours: a question is swallowed, a change goes on to xterm. */
function swallowQuestions(data: string): boolean {
  return data.split(";").some((part) => part.trim() === "?");
}

/**
 * Makes a view mute: only the backend's emulator answers what a program asks the terminal. With two answers, the second
 * would arrive as if somebody had typed it.
 */
export function muteView(parser: IParser): IDisposable {
  const handlers = [
    // DA1, DA2, DA3
    parser.registerCsiHandler({ final: "c" }, swallow),
    parser.registerCsiHandler({ prefix: ">", final: "c" }, swallow),
    parser.registerCsiHandler({ prefix: "=", final: "c" }, swallow),
    // DSR: status and cursor position
    parser.registerCsiHandler({ final: "n" }, swallow),
    parser.registerCsiHandler({ prefix: "?", final: "n" }, swallow),
    // DECRQM
    parser.registerCsiHandler({ intermediates: "$", final: "p" }, swallow),
    parser.registerCsiHandler(
      { prefix: "?", intermediates: "$", final: "p" },
      swallow,
    ),
    // Sizes of the window, titles back, moving the window
    parser.registerCsiHandler({ final: "t" }, swallow),
    // DECREQTPARM, XTVERSION, the kitty keyboard's question
    parser.registerCsiHandler({ final: "x" }, swallow),
    parser.registerCsiHandler({ prefix: ">", final: "q" }, swallow),
    parser.registerCsiHandler({ prefix: "?", final: "u" }, swallow),
    // DECRQSS, XTGETTCAP
    parser.registerDcsHandler({ intermediates: "$", final: "q" }, swallow),
    parser.registerDcsHandler({ intermediates: "+", final: "q" }, swallow),
    // Colours of the palette, the text, the background, the cursor, the selection
    ...[4, 10, 11, 12, 17, 19].map((ident) =>
      parser.registerOscHandler(ident, swallowQuestions),
    ),
    // The clipboard is the backend's to decide.
    parser.registerOscHandler(52, swallow),
  ];
  return {
    dispose() {
      for (const handler of handlers) handler.dispose();
    },
  };
}
