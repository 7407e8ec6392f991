import type { IBufferCell, IBufferLine } from "@xterm/xterm";
import type { PlacedImage } from "../bindings";

/**
 * Images come in cells: each that an image covers has a tile of it, a character of the last private plane, hidden, with the
 * number of the image for a colour (`screen/tiles.rs`).
 */
const FIRST = 0x10_0000;

const TILES = /[\u{100000}-\u{10ffff}]/gu;

/** Neighbouring tiles of one row of one image. */
export interface TileRun {
  image: number;
  /** The number of the first of them. */
  tile: number;
  /** The column that it is in. */
  column: number;
  length: number;
}

/** The tiles in a row of cells; `cell` is room for one of them. */
export function tileRuns(
  line: IBufferLine,
  cols: number,
  cell: IBufferCell,
): TileRun[] {
  const runs: TileRun[] = [];
  for (let column = 0; column < cols; column++) {
    const found = line.getCell(column, cell);
    if (!found || found.getCode() < FIRST) continue;
    if (!found.isInvisible() || !found.isFgRGB()) continue;
    const image = found.getFgColor();
    const tile = found.getCode() - FIRST;
    const last = runs.at(-1);
    if (
      last &&
      last.image === image &&
      last.column + last.length === column &&
      last.tile + last.length === tile
    )
      last.length++;
    else runs.push({ image, tile, column, length: 1 });
  }
  return runs;
}

/** Which part of an image is drawn over which part of a row: the source in pixels, the target in cells from the run's first. */
export function partOf(
  { source, cols, ...size }: PlacedImage,
  { tile, length }: TileRun,
) {
  const width = size.width / 1000;
  const height = size.height / 1000;
  const left = tile % cols;
  const top = Math.floor(tile / cols);
  // Of the last column and of the last row the image may fill a part.
  const across = Math.max(Math.min(length, cols - left, width - left), 0);
  const down = Math.max(Math.min(1, height - top), 0);
  return {
    x: source.x + (left / width) * source.width,
    y: source.y + (top / height) * source.height,
    width: (across / width) * source.width,
    height: (down / height) * source.height,
    across,
    down,
  };
}

/** A text with a blank for each tile, as the pane itself has it. */
export function withoutTiles(text: string): string {
  return text.replace(TILES, " ");
}
