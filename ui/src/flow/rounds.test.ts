import { expect, test } from "vitest";
import { recordings } from "../twin/recordings";
import { chainsOf } from "./chains";
import { layOut } from "./layout";
import { roundMarks, roundOf, roundsOfAttempts, roundWords } from "./rounds";
import { modelOf, type RunModel, withChange } from "./run-model";
import { frameWords } from "./words";

const green = recordings.get("until-green");
if (!green) throw new Error("no recording of rounds");

/** The run after so many lines of its script. */
function after(take: number, moments?: number): RunModel {
  const { opened, moments: all } = green?.takes[take] ?? {};
  if (!green || !opened || !all) throw new Error("no such take");
  return all
    .slice(0, moments)
    .reduce(
      (model, { change }) => withChange(model, change),
      modelOf(opened, green.graph),
    );
}

function told(model: RunModel) {
  const node = model.graph.nodes.find((one) => one.id === "green");
  const step = model.steps.green;
  if (!node || !step) throw new Error("no such step");
  return [
    roundOf(step),
    roundWords(node, step),
    roundMarks(node, step).join(" "),
  ];
}

test("a step that repeats says in which round it is, and how the ones before were", () => {
  expect(told(after(0, 0))).toEqual([
    1,
    "round 1 of 5",
    "now ahead ahead ahead ahead",
  ]);
  const second = after(1);
  expect(told(second)).toEqual([
    2,
    "round 2 of 5",
    "missed now ahead ahead ahead",
  ]);
  expect(frameWords(second, { kind: "rounds", name: "green" })).toBe(
    "round 2 of 5",
  );
  expect(told(after(0))).toEqual([
    3,
    "done in round 3",
    "missed missed done ahead ahead",
  ]);
});

test("an attempt is known by its round", () => {
  expect([...roundsOfAttempts(after(0), "test")]).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
  expect([...roundsOfAttempts(after(1), "fix")]).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(roundsOfAttempts(after(0), "green").size).toBe(0);
});

test("rounds stand in a frame of their own with the way back in it, and are no chain", () => {
  const { graph } = green;
  expect(chainsOf(graph)).toEqual([]);
  const layout = layOut({ graph, chains: [] });
  const [frame] = layout.frames;
  if (!frame) throw new Error("no frame");
  expect(frame).toMatchObject({ kind: "rounds", name: "green" });
  const { x, y, width, height } = frame.box;
  for (const id of ["fix", "test", "green"]) {
    const box = layout.nodes[id];
    expect(
      box &&
        box.x > x &&
        box.x + box.width < x + width &&
        box.y > y &&
        box.y + box.height < y + height,
    ).toBe(true);
  }
  const back = layout.edges.find((edge) => edge.kind === "repeat");
  expect(back).toMatchObject({ from: "green", to: "fix" });
  expect(back?.points.every((point) => point.x < x + width)).toBe(true);
});
