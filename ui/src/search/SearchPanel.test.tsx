import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { freshBackend, opened } from "../test-support";
import type { MemoryBackend } from "../twin/memory-backend";
import { transcript } from "../twin/memory-transcripts";
import { SearchPanel } from "./SearchPanel";
import { openSearch } from "./search-store";

let twin: MemoryBackend;

beforeEach(async () => {
  twin = freshBackend();
  const first = await opened(twin, { name: "first" });
  twin.print(first.id, "needle in one\r\n");
  const second = await opened(twin, { name: "second" });
  twin.print(second.id, "<b>needle</b> in two\r\n");
  await twin.closePane(second.id);
  // jsdom has no layout: the list sees a window of this height.
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(600);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(400);
});

function show(onSaid = vi.fn()) {
  const onMatch = vi.fn();
  render(
    <SearchPanel
      labelOf={(pane) => ({
        title: `pane ${pane}`,
        detail: "",
        closed: pane === 2,
      })}
      onMatch={onMatch}
      onSaid={onSaid}
      onClose={() => {}}
    />,
  );
  return onMatch;
}

test("it finds in every pane, closed ones too, and says how much", async () => {
  show();
  openSearch("panel");
  await userEvent.type(screen.getByTestId("search-input"), "needle");
  await waitFor(() =>
    expect(screen.getByTestId("search-count")).toHaveTextContent(
      "2 matches in 2 panes",
    ),
  );
  expect(screen.getByText("closed")).toBeInTheDocument();
});

test("what programs printed is text, never markup", async () => {
  show();
  openSearch("panel", { pattern: "needle" });
  const results = await screen.findAllByTestId(/^search-result-/);
  expect(results.at(-1)).toHaveTextContent("<b>needle</b> in two");
  expect(document.querySelector(".search-results b")).toBeNull();
});

test("arrow keys walk the results and Enter goes there", async () => {
  const onMatch = show();
  openSearch("panel", { pattern: "needle" });
  await screen.findAllByTestId(/^search-result-/);
  const input = screen.getByTestId("search-input");
  input.focus();
  await userEvent.keyboard("{ArrowDown}");
  expect(screen.getByTestId("search-results")).toHaveFocus();
  await userEvent.keyboard("{ArrowDown}{Enter}");
  expect(onMatch).toHaveBeenCalledWith(
    expect.objectContaining({ pane: 2 }),
    true,
  );
  await userEvent.keyboard("{ArrowUp}{Enter}");
  expect(onMatch).toHaveBeenLastCalledWith(
    expect.objectContaining({ pane: 1 }),
    true,
  );
});

test("the scope narrows what is searched", async () => {
  show();
  openSearch("panel", { pattern: "needle" });
  const count = screen.getByTestId("search-count");
  await waitFor(() => expect(count).toHaveTextContent("in 2 panes"));
  await userEvent.selectOptions(screen.getByTestId("search-scope"), "closed");
  await waitFor(() => expect(count).toHaveTextContent("1 match in 1 pane"));
});

test("nothing found is said", async () => {
  show();
  openSearch("panel", { pattern: "no such text" });
  expect(
    await screen.findByText("Nothing that was printed or said matches."),
  ).toBeInTheDocument();
});

test("what agents wrote down comes below, and Enter goes to it as to any result", async () => {
  const said = ["mend the shop", "the needle was <b>bent</b>"];
  twin.transcripts.push(transcript("one", said));
  const onSaid = vi.fn();
  show(onSaid);
  openSearch("panel", { pattern: "needle" });
  const count = screen.getByTestId("search-count");
  await waitFor(() =>
    expect(count).toHaveTextContent("3 matches in 2 panes and 1 conversation"),
  );
  expect(screen.getByText("mend the shop")).toBeInTheDocument();
  screen.getByTestId("search-results").focus();
  await userEvent.keyboard("{ArrowDown}{End}{Enter}");
  expect(onSaid).toHaveBeenCalledWith(
    expect.objectContaining({ message: "1.0", content: said[1] }),
  );

  const scope = screen.getByTestId("search-scope");
  await userEvent.selectOptions(scope, "conversations");
  await waitFor(() =>
    expect(count).toHaveTextContent("1 match in 1 conversation"),
  );
  await userEvent.selectOptions(scope, "all");
  await waitFor(() => expect(count).toHaveTextContent("2 matches in 2 panes"));
});

test("a conversation folds as a pane does", async () => {
  twin.transcripts.push(transcript("one", ["a needle", "no"]));
  show();
  openSearch("panel", { pattern: "needle", scope: "conversations" });
  await screen.findByTestId("search-result-0");
  await userEvent.click(screen.getByRole("button", { name: /a needle/ }));
  expect(screen.queryByTestId("search-result-0")).not.toBeInTheDocument();
});
