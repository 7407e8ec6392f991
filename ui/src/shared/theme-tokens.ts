import type { ThemeColours } from "../bindings";
import {
  contrast,
  type Hex,
  isDark,
  laid,
  mixed,
  readableOn,
  sheer,
} from "./colours";
import { usualThemes } from "./themes";

/** The colours of the window by their names in `tokens.css`, without the two dashes. */
export type Tokens = Record<string, Hex>;

/** Text can be read from here on, and an edge be seen from there. */
const READ = 4.5;
const SEEN = 3;

/** What things lie on, and what is laid over that where the pointer is or something is selected. */
interface Grounds {
  ground: Hex;
  pane: Hex;
  raised: Hex;
  hover: Hex;
  selected: Hex;
}

function groundsOf(theme: ThemeColours, strength: number): Grounds {
  const { background, foreground } = theme;
  const dark = isDark(background);
  const blue = theme.ansi[4] ?? foreground;
  return {
    ground: mixed(background, foreground, (dark ? 0.035 : 0.05) * strength),
    pane: background,
    raised: mixed(background, foreground, (dark ? 0.075 : 0) * strength),
    hover: sheer(dark ? "#ffffff" : "#000000", 0.05 * strength),
    selected: sheer(blue, (dark ? 0.15 : 0.12) * strength),
  };
}

/** All that text may be read on. */
function allGrounds({ ground, pane, raised, hover, selected }: Grounds): Hex[] {
  return [ground, pane, raised].flatMap((base) => [
    base,
    laid(hover, base),
    laid(selected, base),
  ]);
}

/** The window's colours that go with a terminal's, whatever those are: text can be read on every ground. */
function derived(theme: ThemeColours): Tokens {
  const { background, foreground, ansi } = theme;
  const dark = isDark(background);
  const extreme = dark ? "#ffffff" : "#000000";
  // Where a background is neither dark nor light, what lies beside it comes closer until everything can be read.
  const grounds =
    [1, 0.7, 0.4, 0.2]
      .map((strength) => groundsOf(theme, strength))
      .find((some) =>
        allGrounds(some).every((one) => contrast(extreme, one) >= READ),
      ) ?? groundsOf(theme, 0);
  const read = (colour: Hex, on = allGrounds(grounds), least = READ) =>
    readableOn(colour, on, extreme, least);
  const at = (place: number) => ansi[place] ?? foreground;
  const [red, green, yellow, blue] = [at(1), at(2), at(3), at(4)];
  const filled = (colour: Hex) =>
    readableOn(colour, ["#ffffff"], "#000000", READ);
  const mark = (share: number) =>
    mixed(dark ? "#000000" : "#ffffff", yellow, share);
  return {
    ...grounds,
    line: sheer(extreme, 0.08),
    "line-strong": sheer(extreme, 0.15),
    "control-line": read(
      mixed(foreground, background, 0.6),
      [grounds.ground, grounds.pane, grounds.raised],
      SEEN,
    ),
    text: read(foreground),
    "text-dim": read(mixed(foreground, background, 0.28)),
    "text-faint": read(mixed(foreground, background, 0.36)),
    accent: read(blue),
    "accent-ground": filled(blue),
    "accent-text": "#ffffff",
    working: read(blue),
    needs: read(yellow),
    done: read(green),
    failed: read(red),
    "danger-ground": filled(red),
    match: sheer(yellow, dark ? 0.3 : 0.5),
    "match-line": yellow,
    mark: mark(dark ? 0.36 : 0.4),
    "mark-current": mark(dark ? 0.6 : 0.75),
  };
}

/** What of `tokens.css` another theme than the usual two overrides. Pure. */
export function tokensOf(theme: ThemeColours): Tokens {
  const usual = theme === usualThemes.dark || theme === usualThemes.light;
  return usual ? {} : derived(theme);
}

let set: string[] = [];

/** Gives the window the colours of a theme. */
export function wearTheme(theme: ThemeColours, root: HTMLElement): void {
  root.dataset.theme = isDark(theme.background) ? "dark" : "light";
  for (const name of set) root.style.removeProperty(name);
  const tokens = Object.entries(tokensOf(theme));
  for (const [name, colour] of tokens)
    root.style.setProperty(`--${name}`, colour);
  set = tokens.map(([name]) => `--${name}`);
}
