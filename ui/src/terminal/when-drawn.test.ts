import { afterEach, expect, test, vi } from "vitest";
import { whenDrawn } from "./when-drawn";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("it is told behind the next frame, once", async () => {
  let frame: FrameRequestCallback = () => {};
  vi.spyOn(window, "requestAnimationFrame").mockImplementation((asked) => {
    frame = asked;
    return 1;
  });
  let told = 0;
  const drawn = new Promise<void>((resolve) =>
    whenDrawn(() => {
      told++;
      resolve();
    }),
  );
  expect(told).toBe(0);
  frame(0);
  // Within the frame nothing is drawn yet.
  expect(told).toBe(0);
  await drawn;
  expect(told).toBe(1);
});

test("a page that nobody sees does not keep anybody waiting", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.spyOn(window, "requestAnimationFrame").mockReturnValue(1);
  let told = 0;
  whenDrawn(() => told++);
  vi.advanceTimersByTime(249);
  expect(told).toBe(0);
  vi.advanceTimersByTime(1);
  expect(told).toBe(1);
});
