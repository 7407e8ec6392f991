import headless from "@xterm/headless";
import { expect, test } from "vitest";
import type { PlacedImage } from "../bindings";
import { partOf, tileRuns, withoutTiles } from "./image-tiles";

const tile = (number: number) => String.fromCodePoint(0x10_0000 + number);
const of = (image: number, text: string) =>
  `\x1b[8;38;2;0;${image >> 8};${image & 255}m${text}\x1b[m`;

async function runsOf(text: string) {
  const terminal = new headless.Terminal({
    cols: 12,
    rows: 1,
    allowProposedApi: true,
  });
  await new Promise<void>((done) => terminal.write(text, done));
  const { active } = terminal.buffer;
  const line = active.getLine(0);
  if (!line) throw new Error("there is a row");
  // The headless terminal's cells are those of the one in the page.
  return tileRuns(line as never, 12, active.getNullCell() as never);
}

test("tiles that stand side by side in an image are drawn at once", async () => {
  expect(
    await runsOf(
      `ab${of(300, tile(4) + tile(5))}c${of(300, tile(7) + tile(9))}${of(2, tile(10))}`,
    ),
  ).toEqual([
    { image: 300, tile: 4, column: 2, length: 2 },
    { image: 300, tile: 7, column: 5, length: 1 },
    { image: 300, tile: 9, column: 6, length: 1 },
    { image: 2, tile: 10, column: 7, length: 1 },
  ]);
});

test("a character of that plane that is shown is text", async () => {
  expect(await runsOf(`${tile(1)}\x1b[8m${tile(1)}`)).toEqual([]);
});

const placed: PlacedImage = {
  media_type: "image/png",
  data: "",
  source: { x: 10, y: 20, width: 250, height: 150 },
  cols: 3,
  width: 2500,
  height: 1500,
};

test("a tile is the part of the image that lies over it", () => {
  const run = { image: 1, column: 0 };
  expect(partOf(placed, { ...run, tile: 0, length: 1 })).toEqual({
    ...{ x: 10, y: 20, width: 100, height: 100 },
    ...{ across: 1, down: 1 },
  });
  // The last column and the last row are half full.
  expect(partOf(placed, { ...run, tile: 4, length: 2 })).toEqual({
    ...{ x: 110, y: 120, width: 150, height: 50 },
    ...{ across: 1.5, down: 0.5 },
  });
  expect(partOf(placed, { ...run, tile: 6, length: 1 }).down).toBe(0);
});

test("text has a blank for each tile", () => {
  expect(withoutTiles(`a${tile(0)}${tile(65_000)}b`)).toBe("a  b");
});
