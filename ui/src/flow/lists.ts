import type { GraphNode, StepState, StepView } from "../bindings";
import { isBad, isTerminal, type RunModel } from "./run-model";

/** The step of the file that a step of a run is of: `review` of `review.3`, else itself. */
export function stepOfFile(id: string): string {
  const dot = id.indexOf(".");
  return dot < 0 ? id : id.slice(0, dot);
}

/** The items of a step that is done for each of a list, in their order. */
export function itemsOf(model: RunModel, id: string): StepView[] {
  const { items } = model.steps[id] ?? {};
  return Array.from(
    { length: items ?? 0 },
    (_, index) => model.steps[`${id}.${index + 1}`],
  ).filter((step) => step !== undefined);
}

/** How many items came to what; `null` when the list is not known. */
export function listWords(model: RunModel, node: GraphNode): string | null {
  if (!node.foreach || model.steps[node.id]?.items == null) return null;
  const items = itemsOf(model, node.id);
  const states: StepState[] = items.map((item) => item.state);
  const done = states.filter(isTerminal).length;
  const bad = states.filter(isBad).length;
  const asks = states.filter((state) => state === "awaiting_approval").length;
  return [
    `${done} of ${states.length} done`,
    bad > 0 && `${bad} failed`,
    asks > 0 && `${asks} need you`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** What an item is, in a line. */
export function itemText({ item }: StepView): string {
  return typeof item === "string" ? item : JSON.stringify(item ?? null);
}
