/** The stop that is `by` further than the current one, no further than the ends; from nowhere, the first or the last. */
export function stopAfter(
  stops: number[],
  current: number | null,
  by: number,
): number | undefined {
  const at = current === null ? -1 : stops.indexOf(current);
  if (at < 0) return by > 0 ? stops[0] : stops.at(-1);
  return stops[Math.min(Math.max(at + by, 0), stops.length - 1)];
}

/** How far each key walks. */
const STRIDES: Record<string, number> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 15,
  PageUp: -15,
  Home: -1e9,
  End: 1e9,
};

/** How far a key walks through results; `undefined` when it does not. */
export function strideOf(key: string): number | undefined {
  return STRIDES[key];
}
