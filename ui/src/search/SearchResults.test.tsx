import { render, screen } from "@testing-library/react";
import { createRef } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import type { Match } from "../bindings";
import { useSettings } from "../shared/settings-store";
import { freshBackend } from "../test-support";
import { resultRows } from "./result-rows";
import { SearchResults } from "./SearchResults";

beforeEach(() => {
  freshBackend();
  // jsdom has no layout: the list sees a window of this height.
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(600);
});

const match = (pane: number, line: number) =>
  ({
    pane,
    line,
    line_number: line,
    content: `line ${line}`,
    ranges: [],
    context_before: [],
    context_after: [],
  }) as unknown as Match;

const scroller = createRef<HTMLDivElement>();

function results(matches: Match[]) {
  return (
    <SearchResults
      rows={resultRows({ matches, said: [] }, new Set())}
      scroller={scroller}
      labelOf={() => ({ title: "", detail: "", closed: false })}
      onKeyDown={() => {}}
      onFold={() => {}}
      onGo={() => {}}
    />
  );
}

test("what is found later for a pane above does not move what is read", () => {
  const first = [match(1, 9), match(2, 8), match(2, 7)];
  const { rerender } = render(results(first));
  const list = screen.getByTestId("search-results");
  // Heading, line, heading: the line 8 of pane 2 is at the top, and a little of it is out of view.
  list.scrollTop = 30 + 20 + 30 + 5;
  rerender(results([...first, match(1, 6), match(1, 5)]));
  expect(list.scrollTop).toBe(30 + 20 + 30 + 5 + 2 * 20);
  // At the top one reads what comes first.
  list.scrollTop = 0;
  rerender(results(first));
  expect(list.scrollTop).toBe(0);
});

test("rows are as high as the text of the panes is large", () => {
  useSettings.setState({ zoom: 13 });
  render(results([match(1, 9)]));
  const rows = document.querySelectorAll<HTMLElement>(".printed-row");
  expect([...rows].map(({ style }) => style.height)).toEqual(["30px", "40px"]);
});
