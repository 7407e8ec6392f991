import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { Match } from "../bindings";
import { useWindowState } from "../shared/window-state";
import { freshBackend, opened } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { FindBar } from "./FindBar";
import { openSearch, placeState } from "./search-store";

let twin: MemoryBackend;
let pane: number;

beforeEach(async () => {
  twin = freshBackend();
  pane = (await opened(twin)).id;
  twin.print(pane, "one error\r\ntwo\r\nthree Error\r\n");
});

function show(onMatch: (match: Match) => void = () => {}) {
  const place = `pane-${pane}` as const;
  const onClose = vi.fn();
  render(<FindBar place={place} onMatch={onMatch} onClose={onClose} />);
  return { place, onClose };
}

async function type(text: string) {
  const { place, onClose } = show();
  openSearch(place);
  const input = await screen.findByTestId("find-input");
  if (text !== "") await userEvent.type(input, text);
  return { place, onClose };
}

test("it counts matches as one types, and Enter walks them from the newest", async () => {
  const lines: number[] = [];
  const { place } = show((match) => lines.push(match.line));
  openSearch(place);
  const input = await screen.findByTestId("find-input");
  await userEvent.type(input, "error");
  await waitFor(() =>
    expect(screen.getByTestId("find-count")).toHaveTextContent("2 matches"),
  );
  await userEvent.type(input, "{Enter}");
  expect(screen.getByTestId("find-count")).toHaveTextContent("1 of 2");
  await userEvent.type(input, "{Enter}{Enter}");
  expect(lines).toEqual([2, 0, 2]);
  await userEvent.type(input, "{Shift>}{Enter}{/Shift}");
  expect(lines.at(-1)).toBe(0);
});

test("a pattern that is wrong is said below the box, with a mark where", async () => {
  await type("ab(?=c)");
  await userEvent.click(screen.getByTestId("find-input-regex"));
  const error = await screen.findByRole("alert");
  expect(error).toHaveTextContent("look-around is not supported");
  expect(error.querySelector("pre")?.textContent).toBe("ab(?=c)\n  ^");
  expect(screen.getByTestId("find-input")).toBeInvalid();
});

test("the toggles change what is found", async () => {
  await type("error");
  const count = screen.getByTestId("find-count");
  await waitFor(() => expect(count).toHaveTextContent("2 matches"));
  await userEvent.click(screen.getByTestId("find-input-case"));
  await waitFor(() => expect(count).toHaveTextContent("1 match"));
  await userEvent.click(screen.getByTestId("find-input-word"));
  await waitFor(() => expect(count).toHaveTextContent("1 match"));
});

test("the next keystroke cancels the search that runs", async () => {
  const search = twin.search;
  twin.search = (id, request, onProgress) =>
    request.pattern === "e"
      ? new Promise(() => {})
      : search(id, request, onProgress);
  const cancel = vi.fn(twin.cancelSearch);
  twin.cancelSearch = cancel;
  const { place } = await type("e");
  await waitFor(() => expect(placeState(place).search.status).toBe("running"));
  await userEvent.type(screen.getByTestId("find-input"), "rror");
  await waitFor(() =>
    expect(screen.getByTestId("find-count")).toHaveTextContent("2 matches"),
  );
  expect(cancel).toHaveBeenCalled();
});

test("Escape closes it, and the pattern is remembered", async () => {
  const { onClose, place } = await type("error");
  await userEvent.keyboard("{Escape}");
  expect(onClose).toHaveBeenCalled();
  expect(screen.queryByTestId("find-bar")).toBeNull();
  expect(placeState(place).search.status).toBe("idle");
  expect(twin.state.window.searches).toEqual(["error"]);
});

test("arrow up recalls earlier patterns, as a shell does", async () => {
  useWindowState.setState({ searches: ["newest", "older"] });
  await type("");
  const input = screen.getByTestId("find-input");
  input.focus();
  await userEvent.keyboard("{ArrowUp}{ArrowUp}");
  expect(input).toHaveValue("older");
  await userEvent.keyboard("{ArrowDown}");
  expect(input).toHaveValue("newest");
});
