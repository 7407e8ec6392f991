import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

/** Red, green, blue, and how much of it there is. */
type Colour = [number, number, number, number];

const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");

function tokensOf(selector: string): Record<string, string> {
  const from = css.indexOf(`${selector} {`);
  const block = css.slice(from, css.indexOf("}", from));
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6,8});/g)].map((found) => [
      found[1] ?? "",
      found[2] ?? "",
    ]),
  );
}

const dark = tokensOf(":root");
const schemes = {
  dark,
  light: { ...dark, ...tokensOf(':root[data-theme="light"]') },
};

function parsed(hex: string): Colour {
  const at = (start: number) =>
    Number.parseInt(hex.slice(start, start + 2) || "ff", 16);
  return [at(1), at(3), at(5), at(7) / 255];
}

/** What is seen where `over` is laid on `under`. */
function laid([r, g, b, alpha]: Colour, under: Colour): Colour {
  const mix = (top: number, bottom: number) =>
    top * alpha + bottom * (1 - alpha);
  return [mix(r, under[0]), mix(g, under[1]), mix(b, under[2]), 1];
}

/** As the guidelines for accessible content define it. */
function luminance([r, g, b]: Colour): number {
  const linear = (channel: number) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

function contrast(one: Colour, other: Colour): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

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

describe.each(Object.entries(schemes))("%s", (_name, tokens) => {
  const colour = (token: string) => parsed(tokens[token] ?? "");
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
