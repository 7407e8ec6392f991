import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ThemeColours } from "../bindings";
import { contrast, isDark, laid } from "./colours";
import { terminalTheme } from "./terminal-themes";
import { tokensOf } from "./theme-tokens";
import { builtInThemes } from "./themes";

const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");

function tokensIn(selector: string): Record<string, string> {
  const from = css.indexOf(`${selector} {`);
  const block = css.slice(from, css.indexOf("}", from));
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6,8});/g)].map((found) => [
      found[1] ?? "",
      found[2] ?? "",
    ]),
  );
}

const dark = tokensIn(":root");
const light = { ...dark, ...tokensIn(':root[data-theme="light"]') };

/** Every token as it is while a theme is worn. */
function worn(theme: ThemeColours): Record<string, string> {
  const base = isDark(theme.background) ? dark : light;
  return { ...base, ...tokensOf(theme) };
}

/** Colours that no person would choose: grey on grey, everything alike, loud on loud. */
const odd: ThemeColours[] = [
  ["#777777", "#777777", "#777777"],
  ["#808080", "#ffffff", "#808080"],
  ["#757575", "#000000", "#00ff00"],
  ["#ff0000", "#00ff00", "#0000ff"],
  ["#0000ff", "#ffff00", "#ff00ff"],
  ["#00ff00", "#ffffff", "#ffff00"],
  ["#000000", "#000000", "#000000"],
  ["#ffffff", "#ffffff", "#ffffff"],
  ["#b58900", "#fdf6e3", "#b58900"],
].map(([background = "", foreground = "", colour = ""]) => ({
  name: `odd: ${foreground} and ${colour} on ${background}`,
  foreground,
  background,
  cursor: null,
  cursor_text: null,
  selection: null,
  ansi: Array.from({ length: 16 }, () => colour),
}));

const GROUNDS = ["ground", "pane", "raised"];
const LAYERS = ["", "hover", "selected"];
const TEXTS = [
  "text",
  "text-dim",
  "text-faint",
  "accent",
  "working",
  "needs",
  "done",
  "failed",
];

describe.each(
  [...builtInThemes, ...odd].map((theme) => [theme.name, worn(theme)] as const),
)("the window in %s", (_name, tokens) => {
  const colour = (token: string) => tokens[token] ?? "";
  const ground = (base: string, layer: string) =>
    layer === "" ? colour(base) : laid(colour(layer), colour(base));

  test("every text can be read on every ground, selected rows included", () => {
    const poor = GROUNDS.flatMap((base) =>
      LAYERS.flatMap((layer) =>
        TEXTS.map((text) => ({
          what: `${text} on ${[base, layer].filter(Boolean).join(" with ")}`,
          ratio: contrast(colour(text), ground(base, layer)),
        })),
      ),
    ).filter(({ ratio }) => ratio < 4.5);
    expect(poor).toEqual([]);
  });

  test("what is written on filled buttons can be read", () => {
    for (const filled of ["accent-ground", "danger-ground"])
      expect(
        contrast(colour("accent-text"), colour(filled)),
        filled,
      ).toBeGreaterThanOrEqual(4.5);
  });

  test("the edges of what can be typed into or pressed are seen", () => {
    for (const base of GROUNDS)
      expect(
        contrast(laid(colour("control-line"), colour(base)), colour(base)),
        base,
      ).toBeGreaterThanOrEqual(3);
  });
});

describe.each(
  builtInThemes.map((theme) => [theme.name, theme] as const),
)("a terminal in %s", (_name, theme) => {
  test("every colour but black can be read, on selected text as well as on the background", () => {
    const { background, foreground, ansi } = theme;
    const read = [foreground, ...ansi.slice(isDark(background) ? 1 : 0)];
    const poor = read.filter((one) => contrast(one, background) < 4.5);
    expect(poor).toEqual([]);
    const { selectionBackground } = terminalTheme(theme);
    expect(contrast(foreground, selectionBackground)).toBeGreaterThanOrEqual(
      4.5,
    );
  });

  test("it is complete, and told once", () => {
    expect(theme.ansi).toHaveLength(16);
    expect(terminalTheme(theme)).toBe(terminalTheme(theme));
  });
});

test("no two themes have one name", () => {
  const names = builtInThemes.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
