import { expect, test } from "vitest";
import { writeQueue } from "./write-queue";

test("what is typed while a piece is under way travels together, in order", async () => {
  const sent: string[] = [];
  const arrivals: (() => void)[] = [];
  const write = writeQueue((data) => {
    sent.push(data);
    return new Promise<void>((arrive) => arrivals.push(arrive));
  });
  write("a");
  write("b");
  write("c");
  expect(sent).toEqual(["a"]);
  arrivals[0]?.();
  await Promise.resolve();
  await Promise.resolve();
  expect(sent).toEqual(["a", "bc"]);
});
