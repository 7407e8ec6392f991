import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ContextMenu } from "./ContextMenu";

function menu() {
  const run = vi.fn();
  render(
    <ContextMenu
      items={(on) => {
        const { row } = (on as HTMLElement).dataset;
        return row === undefined
          ? []
          : [
              [{ title: `Open ${row}`, hint: "Enter", run: () => run(row) }],
              [false, null],
              [{ title: "Close", run }],
            ];
      }}
    >
      <ul>
        <li data-row="one">one</li>
        <li data-row="two">two</li>
        <li>nothing</li>
      </ul>
    </ContextMenu>,
  );
  return run;
}

test("the menu is of the element that it was asked for on, and a group without anything is none", async () => {
  const run = menu();
  fireEvent.contextMenu(screen.getByText("two"));
  const items = await screen.findAllByRole("menuitem");
  expect(items.map(({ textContent }) => textContent)).toEqual([
    "Open twoEnter",
    "Close",
  ]);
  expect(screen.getAllByRole("separator")).toHaveLength(1);
  await userEvent.keyboard("{ArrowDown}{Enter}");
  await vi.waitFor(() => expect(run).toHaveBeenCalledWith("two"));
});

test("where nothing is offered, no menu is shown", () => {
  menu();
  fireEvent.contextMenu(screen.getByText("nothing"));
  expect(screen.queryByRole("menu")).toBeNull();
});
