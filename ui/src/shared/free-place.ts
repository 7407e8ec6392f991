/** A place on the page, in pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const STEP = 8;

/**
 * Where a box of that size covers none of `taken`: as near to the lower right corner of `within` as it can be, and rather
 * higher than further left. Where it covers something everywhere, in that corner.
 */
export function freePlace(
  { width, height }: Pick<Box, "width" | "height">,
  within: Box,
  taken: Box[],
): { left: number; top: number } {
  const right = within.left + within.width - width;
  const bottom = within.top + within.height - height;
  for (let left = right; left >= within.left; left -= width / 2)
    for (let top = bottom; top >= within.top; top -= STEP)
      if (!taken.some((box) => cover({ left, top, width, height }, box)))
        return { left, top };
  return { left: right, top: bottom };
}

/** Whether two boxes have a pixel in common. */
export function cover(one: Box, other: Box): boolean {
  return (
    one.left < other.left + other.width &&
    other.left < one.left + one.width &&
    one.top < other.top + other.height &&
    other.top < one.top + one.height
  );
}
