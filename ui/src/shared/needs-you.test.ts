import { beforeEach, expect, test, vi } from "vitest";
import { freshBackend } from "../test-support";
import {
  followNeeds,
  goToNextNeed,
  type Need,
  needsInOrder,
  setNeeds,
  useNeeds,
} from "./needs-you";

const need = (id: string, since: number, open = () => {}): Need => ({
  id,
  kind: "pane",
  title: id,
  since,
  open,
});

beforeEach(() => {
  freshBackend();
  useNeeds.setState({ sources: {}, visited: null });
});

test("who waits longest comes first, whatever feature it is from", () => {
  setNeeds("panes", [need("a", 30), need("b", 10)]);
  setNeeds("agents", [need("c", 20)]);
  const order = needsInOrder(useNeeds.getState().sources);
  expect(order.map((one) => one.key)).toEqual([
    "panes/b",
    "agents/c",
    "panes/a",
  ]);
});

test("one key goes from need to need, and begins anew after the last", () => {
  const opened: string[] = [];
  const open = (id: string) => () => opened.push(id) as unknown as undefined;
  setNeeds("panes", [need("a", 1, open("a")), need("b", 2, open("b"))]);
  goToNextNeed();
  goToNextNeed();
  goToNextNeed();
  expect(opened).toEqual(["a", "b", "a"]);
});

test("a need that was answered goes, and the others stay", () => {
  setNeeds("panes", [need("a", 1)]);
  setNeeds("agents", [need("b", 2)]);
  setNeeds("panes", []);
  const left = needsInOrder(useNeeds.getState().sources);
  expect(left.map((one) => one.id)).toEqual(["b"]);
});

test("what has not changed is not told again", () => {
  const heard = vi.fn();
  setNeeds("panes", [need("a", 1)]);
  const stop = useNeeds.subscribe(heard);
  setNeeds("panes", [need("a", 1)]);
  expect(heard).not.toHaveBeenCalled();
  stop();
});

test("a new need is told through the desktop once, while the window is not looked at", async () => {
  const twin = freshBackend();
  const told = vi.spyOn(twin, "notifyPerson");
  vi.spyOn(document, "hasFocus").mockReturnValue(false);
  const stop = followNeeds();
  setNeeds("panes", [need("a", 1)]);
  setNeeds("agents", [need("b", 2)]);
  expect(told.mock.calls).toEqual([
    ["a needs you", ""],
    ["b needs you", ""],
  ]);
  stop();
  vi.restoreAllMocks();
});
