import { beforeEach, expect, test, vi } from "vitest";
import { freshBackend } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { followFlowFiles, namesakes } from "./flow-places";
import { useFlows } from "./flow-store";

test("flows of one name are told apart by where they are", () => {
  const files = [
    { name: "ci", path: "/home/you/app/flows/ci.flow.yaml" },
    { name: "ci", path: "/home/you/app/.trees/fix/flows/ci.flow.yaml" },
    { name: "ci", path: "/home/you/app/.trees/docs/flows/ci.flow.yaml" },
    { name: "alone", path: "/home/you/app/flows/alone.flow.yaml" },
    { name: "twice", path: "/a/one.flow.yaml" },
    { name: "twice", path: "/a/two.flow.yaml" },
  ];
  expect([...namesakes(files).values()]).toEqual([
    "app",
    ".trees/fix",
    ".trees/docs",
    "one.flow.yaml",
    "two.flow.yaml",
  ]);
});

let twin: MemoryBackend;
beforeEach(() => {
  twin = freshBackend({});
});

test("flows are looked for in the directories that the window gets to know after its start", async () => {
  const asked: string[][] = [];
  twin.flowFiles = async (directories) => {
    asked.push(directories);
    const path = "/work/flows/ci.flow.yaml";
    const found = { path, name: "ci", description: null, problem: null };
    const data = directories.includes("/work") ? [found] : [];
    return { status: "ok", data };
  };
  let directories: string[] = [];
  let changed = () => {};
  const stop = followFlowFiles(
    () => directories,
    (listener) => {
      changed = listener;
      return () => {};
    },
  );
  await vi.waitFor(() => expect(useFlows.getState().searched).toBe(false));
  directories = ["/work", "/else"];
  changed();
  changed();
  await expect
    .poll(() => useFlows.getState().files.map(({ name }) => name))
    .toEqual(["ci"]);
  expect(useFlows.getState().searched).toBe(true);
  // Another order is no other place.
  directories = ["/else", "/work"];
  changed();
  window.dispatchEvent(new Event("focus"));
  await expect.poll(() => asked).toHaveLength(3);
  stop();
  window.dispatchEvent(new Event("focus"));
  expect(asked).toEqual([[], ["/work", "/else"], ["/else", "/work"]]);
});

test("an answer that comes late does not take the place of a newer one", async () => {
  const answers: ((name: string) => void)[] = [];
  twin.flowFiles = () =>
    new Promise((resolve) => {
      answers.push((name) =>
        resolve({
          status: "ok",
          data: [{ path: `/${name}`, name, description: null, problem: null }],
        }),
      );
    });
  const stop = followFlowFiles(
    () => ["/work"],
    () => () => {},
  );
  window.dispatchEvent(new Event("focus"));
  answers[1]?.("newer");
  answers[0]?.("older");
  await expect.poll(() => useFlows.getState().files[0]?.name).toBe("newer");
  await Promise.resolve();
  expect(useFlows.getState().files[0]?.name).toBe("newer");
  stop();
});
