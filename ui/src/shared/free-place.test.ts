import { expect, test } from "vitest";
import { type Box, freePlace } from "./free-place";

const page: Box = { left: 0, top: 0, width: 1000, height: 600 };
const size = { width: 200, height: 100 };

test("what is in nobody's way lies in the lower right corner", () => {
  expect(freePlace(size, page, [])).toEqual({ left: 800, top: 500 });
});

test("it lies over what it would cover", () => {
  const button = { left: 900, top: 560, width: 60, height: 30 };
  expect(freePlace(size, page, [button])).toEqual({ left: 800, top: 460 });
});

test("where a whole side is taken, it lies further left", () => {
  const column = { left: 950, top: 0, width: 20, height: 600 };
  expect(freePlace(size, page, [column])).toEqual({ left: 700, top: 500 });
});

test("where everything is taken, it lies in the corner", () => {
  expect(freePlace(size, page, [page])).toEqual({ left: 800, top: 500 });
});
