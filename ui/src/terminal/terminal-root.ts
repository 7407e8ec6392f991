import xtermCss from "@xterm/xterm/css/xterm.css?inline";
import terminalCss from "./terminal-root.css?inline";

const styles = new CSSStyleSheet();
styles.replaceSync(xtermCss + terminalCss);

/**
 * Adds a root to `holder`, and in it a room for one terminal, whose styles are its own.
 *
 * xterm writes style sheets beside its rows, and writes them anew with every change of size, font or theme. Among those
 * of the window, each of them would have the browser work out again how everything in the window looks.
 */
export function addTerminalRoot(holder: HTMLElement): {
  root: HTMLElement;
  room: HTMLElement;
} {
  const root = document.createElement("div");
  root.className = "terminal-root";
  const shadow = root.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = [styles];
  const room = document.createElement("div");
  room.className = "terminal-room";
  shadow.append(room);
  // Seen from the document it is the root that has the keys: a dialog that gives them back gives them to the root.
  root.focus = (options) =>
    room.querySelector<HTMLElement>("textarea")?.focus(options);
  holder.append(root);
  return { root, room };
}
