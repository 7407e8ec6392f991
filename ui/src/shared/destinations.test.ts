import { beforeEach, expect, test } from "vitest";
import { byVisit, type Destination, useVisited, visit } from "./destinations";

beforeEach(() => useVisited.setState({ visited: [] }));

const destination = (key: string): Destination => ({
  key,
  kind: "Pane",
  title: key,
  detail: "",
  open() {},
});

const order = (here: string | null) =>
  byVisit(
    ["a", "b", "c", "d"].map(destination),
    useVisited.getState().visited,
    here,
  )
    .map(({ key }) => key)
    .join("");

test("where one was last comes first, where one is comes last", () => {
  expect(order(null)).toBe("abcd");
  for (const key of ["c", "a", "c", "b"]) visit(key);
  expect(order("b")).toBe("cadb");
  expect(order("d")).toBe("bcad");
});
