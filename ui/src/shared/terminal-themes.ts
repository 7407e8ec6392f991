/** Whether what is on screen is dark or light. */
export type Scheme = "dark" | "light";

/** The sixteen colours and what goes with them. Each reads on its background with a contrast of at least 4.5. */
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

export const terminalThemes: Record<Scheme, TerminalTheme> = {
  dark: {
    foreground: "#d6d9e0",
    background: "#101216",
    cursor: "#e8eaf0",
    cursorAccent: "#101216",
    selectionBackground: "#3a5a8c99",
    selectionInactiveBackground: "#3a424f99",
    scrollbarSliderBackground: "#8b93a333",
    scrollbarSliderHoverBackground: "#8b93a355",
    scrollbarSliderActiveBackground: "#8b93a377",
    overviewRulerBorder: "#00000000",
    black: "#3b404a",
    red: "#f07178",
    green: "#8fce7e",
    yellow: "#e5c07b",
    blue: "#79aef5",
    magenta: "#c99bf0",
    cyan: "#6fc9d1",
    white: "#c8ccd4",
    brightBlack: "#868d9b",
    brightRed: "#ff8f92",
    brightGreen: "#aee39c",
    brightYellow: "#f2d592",
    brightBlue: "#9dc6ff",
    brightMagenta: "#dcb8fb",
    brightCyan: "#92e2e8",
    brightWhite: "#f4f5f8",
  },
  light: {
    foreground: "#24292f",
    background: "#ffffff",
    cursor: "#24292f",
    cursorAccent: "#ffffff",
    selectionBackground: "#b5d3fb",
    selectionInactiveBackground: "#dde3ea",
    scrollbarSliderBackground: "#6b728033",
    scrollbarSliderHoverBackground: "#6b728055",
    scrollbarSliderActiveBackground: "#6b728077",
    overviewRulerBorder: "#00000000",
    black: "#24292f",
    red: "#c4272f",
    green: "#1a7f37",
    yellow: "#8a5a00",
    blue: "#0b5fcc",
    magenta: "#8236c4",
    cyan: "#0f7080",
    white: "#5f6772",
    brightBlack: "#66707c",
    brightRed: "#a8121c",
    brightGreen: "#116329",
    brightYellow: "#704700",
    brightBlue: "#0a4fa8",
    brightMagenta: "#6b24a8",
    brightCyan: "#0a5a68",
    brightWhite: "#424a53",
  },
};
