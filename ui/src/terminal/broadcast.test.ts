import { beforeEach, expect, test } from "vitest";
import { freshBackend, paneInfo } from "../test-support";
import {
  alsoTo,
  endBroadcast,
  followBroadcast,
  useBroadcast,
} from "./broadcast";
import { toggleBroadcast } from "./broadcast-commands";
import { usePanes } from "./pane-store";

beforeEach(() => {
  freshBackend();
  endBroadcast();
  const panes = {
    1: paneInfo({ id: 1 }),
    2: paneInfo({ id: 2 }),
    3: paneInfo({ id: 3 }),
  };
  usePanes.setState({ panes });
});

test("what is typed into one of the panes goes to the others, and to no further one", () => {
  expect(alsoTo(1, "ls\r")).toEqual([]);
  toggleBroadcast(1);
  toggleBroadcast(2);
  expect(alsoTo(1, "ls\r")).toEqual([2]);
  expect(alsoTo(2, "\x1b[A")).toEqual([1]);
  expect(alsoTo(3, "ls\r")).toEqual([]);
  toggleBroadcast(2);
  expect(alsoTo(1, "ls\r")).toEqual([]);
});

test.each([
  "\x1b[I",
  "\x1b[O",
  "\x1b[M abc",
  "\x1b[<0;3;4M",
  "\x1b[<0;3;4m",
])("what a terminal reports by itself (%j) goes nowhere else", (report) => {
  toggleBroadcast(1);
  toggleBroadcast(2);
  expect(alsoTo(1, report)).toEqual([]);
});

test("a pane that is gone is typed into no more", () => {
  const stop = followBroadcast();
  toggleBroadcast(1);
  toggleBroadcast(2);
  usePanes.setState(({ panes: { 2: _, ...panes } }) => ({ panes }));
  expect(useBroadcast.getState().panes).toEqual([1]);
  stop();
});
