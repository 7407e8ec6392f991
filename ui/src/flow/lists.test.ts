import { expect, test } from "vitest";
import { recordings } from "../twin/recordings";
import { itemsOf, itemText, listWords, stepOfFile } from "./lists";
import { modelOf, type RunModel, withChange } from "./run-model";

const parts = recordings.get("each-part");
if (!parts) throw new Error("no recording of a list");

/** The run after so many lines of its script. */
function after(take: number, moments?: number): RunModel {
  const { opened, moments: all } = parts?.takes[take] ?? {};
  if (!parts || !opened || !all) throw new Error("no such take");
  return all
    .slice(0, moments)
    .reduce(
      (model, { change }) => withChange(model, change),
      modelOf(opened, parts.graph),
    );
}

function words(model: RunModel): string | null {
  const node = model.graph.nodes.find((one) => one.id === "look");
  return node ? listWords(model, node) : null;
}

test("a step with a list says how many of its items came to what", () => {
  expect(words(after(0, 0))).toBeNull();
  expect(words(after(1))).toBe("0 of 3 done");
  expect(words(after(0, 4))).toBe("3 of 3 done, 1 failed");
  expect(words(after(0))).toBe("3 of 3 done");
});

test("items are steps of the run that the picture does not have", () => {
  const model = after(1);
  expect(itemsOf(model, "look").map((item) => item.id)).toEqual([
    "look.1",
    "look.2",
    "look.3",
  ]);
  expect(itemsOf(model, "look").map(itemText)).toEqual([
    "docs",
    "src",
    "tests",
  ]);
  expect(model.order.slice(-3)).toEqual(["look.1", "look.2", "look.3"]);
  expect(model.graph.nodes.map((node) => node.id)).toEqual([
    "list",
    "look",
    "sum",
  ]);
  expect([stepOfFile("look.2"), stepOfFile("sum")]).toEqual(["look", "sum"]);
});
