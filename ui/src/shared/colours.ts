/** A colour as `#rrggbb`, or `#rrggbbaa` where something shows through. */
export type Hex = string;

/** Red, green, blue from 0 to 255, and how much of it there is from 0 to 1. */
type Parts = [number, number, number, number];

function parts(hex: Hex): Parts {
  const at = (start: number) =>
    Number.parseInt(hex.slice(start, start + 2) || "ff", 16);
  return [at(1), at(3), at(5), at(7) / 255];
}

function written(red: number, green: number, blue: number): Hex {
  const two = (part: number) =>
    Math.round(Math.min(Math.max(part, 0), 255))
      .toString(16)
      .padStart(2, "0");
  return `#${two(red)}${two(green)}${two(blue)}`;
}

/** Between two opaque colours: `one` at 0, `other` at 1. */
export function mixed(one: Hex, other: Hex, share: number): Hex {
  const [a, b] = [parts(one), parts(other)];
  const at = (index: 0 | 1 | 2) => a[index] * (1 - share) + b[index] * share;
  return written(at(0), at(1), at(2));
}

/** The same colour, of which only a share is there. */
export function sheer(colour: Hex, share: number): Hex {
  const alpha = Math.round(Math.min(Math.max(share, 0), 1) * 255);
  return `${colour.slice(0, 7)}${alpha.toString(16).padStart(2, "0")}`;
}

/** What is seen where `over` is laid on an opaque colour. */
export function laid(over: Hex, under: Hex): Hex {
  const [, , , alpha] = parts(over);
  return mixed(under, over, alpha);
}

/** As the guidelines for accessible content define it. */
function luminance(colour: Hex): number {
  const [red, green, blue] = parts(colour);
  const linear = (channel: number) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

/** From 1 (the same) to 21 (black on white). */
export function contrast(one: Hex, other: Hex): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** Whether white stands out more on it than black. */
export function isDark(colour: Hex): boolean {
  return contrast(colour, "#ffffff") > contrast(colour, "#000000");
}

/** The first on the way from a colour to `extreme` that stands out by `least` on each of the grounds. */
export function readableOn(
  colour: Hex,
  grounds: Hex[],
  extreme: Hex,
  least: number,
): Hex {
  const STEPS = 40;
  for (let step = 0; step < STEPS; step++) {
    const candidate = mixed(colour, extreme, step / STEPS);
    if (grounds.every((ground) => contrast(candidate, ground) >= least))
      return candidate;
  }
  return extreme;
}
