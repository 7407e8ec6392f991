import type { ThemeColours } from "../bindings";
import { isDark, mixed, sheer } from "./colours";

/** The sixteen colours and what goes with them, as a terminal is told them. */
export interface TerminalTheme {
  foreground: string;
  background: string;
  cursor: string;
  cursorAccent: string;
  selectionBackground: string;
  selectionInactiveBackground: string;
  scrollbarSliderBackground: string;
  scrollbarSliderHoverBackground: string;
  scrollbarSliderActiveBackground: string;
  overviewRulerBorder: string;
  black: string;
  red: string;
  green: string;
  yellow: string;
  blue: string;
  magenta: string;
  cyan: string;
  white: string;
  brightBlack: string;
  brightRed: string;
  brightGreen: string;
  brightYellow: string;
  brightBlue: string;
  brightMagenta: string;
  brightCyan: string;
  brightWhite: string;
}

const made = new WeakMap<ThemeColours, TerminalTheme>();

/** What a terminal is told of a theme: the same object each time, so that a change is seen. */
export function terminalTheme(theme: ThemeColours): TerminalTheme {
  const known = made.get(theme);
  if (known) return known;
  const fresh = toldOf(theme);
  made.set(theme, fresh);
  return fresh;
}

function toldOf(theme: ThemeColours): TerminalTheme {
  const { foreground, background, ansi } = theme;
  const at = (place: number) => ansi[place] ?? foreground;
  const slider = mixed(foreground, background, 0.4);
  const selection =
    theme.selection ??
    mixed(background, at(4), isDark(background) ? 0.35 : 0.25);
  return {
    foreground,
    background,
    cursor: theme.cursor ?? foreground,
    cursorAccent: theme.cursor_text ?? background,
    selectionBackground: selection,
    selectionInactiveBackground: mixed(selection, background, 0.4),
    scrollbarSliderBackground: sheer(slider, 0.2),
    scrollbarSliderHoverBackground: sheer(slider, 0.33),
    scrollbarSliderActiveBackground: sheer(slider, 0.47),
    overviewRulerBorder: "#00000000",
    black: at(0),
    red: at(1),
    green: at(2),
    yellow: at(3),
    blue: at(4),
    magenta: at(5),
    cyan: at(6),
    white: at(7),
    brightBlack: at(8),
    brightRed: at(9),
    brightGreen: at(10),
    brightYellow: at(11),
    brightBlue: at(12),
    brightMagenta: at(13),
    brightCyan: at(14),
    brightWhite: at(15),
  };
}
