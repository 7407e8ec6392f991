import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { takeTurn } from "./turns";

let taken: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "requestAnimationFrame"] });
  taken = [];
});

afterEach(() => {
  vi.useRealTimers();
});

/** Asks for a turn that takes so long. */
function ask(name: string, ms: number, first = false): () => void {
  return takeTurn(
    () => {
      taken.push(name);
      vi.advanceTimersByTime(ms);
    },
    () => first,
  );
}

const askedFor = () => Promise.resolve();

test("what is first goes before what was asked for earlier", async () => {
  ask("one", 1);
  ask("two", 1);
  ask("in front", 1, true);
  await askedFor();
  expect(taken).toEqual(["in front", "one", "two"]);
});

test("a frame takes what fits into it, and one turn in any case", async () => {
  for (const name of ["one", "two", "three", "four"]) ask(name, 8);
  await askedFor();
  expect(taken).toEqual(["one", "two"]);
  vi.advanceTimersToNextFrame();
  expect(taken).toEqual(["one", "two", "three", "four"]);

  ask("long", 200);
  ask("longer", 200);
  await askedFor();
  expect(taken.slice(4)).toEqual(["long"]);
  vi.advanceTimersToNextFrame();
  expect(taken.slice(4)).toEqual(["long", "longer"]);
});

test("a turn that is taken back never comes", async () => {
  const takeBack = ask("one", 1);
  ask("two", 1);
  takeBack();
  await askedFor();
  expect(taken).toEqual(["two"]);

  // Nobody is left.
  ask("three", 1)();
  await askedFor();
  ask("four", 1);
  await askedFor();
  expect(taken).toEqual(["two", "four"]);
});
