import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Tooltips } from "./Tooltips";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function shownAfter(ms: number): string | undefined {
  act(() => void vi.advanceTimersByTime(ms));
  return screen.queryByRole("tooltip")?.textContent ?? undefined;
}

test("what a title says is shown when the pointer rests, and the browser does not show it, too", () => {
  render(
    <>
      <button type="button" title="Split right">
        <span>icon</span>
      </button>
      <p>nothing</p>
      <Tooltips />
    </>,
  );
  const button = screen.getByRole("button");
  fireEvent.pointerOver(screen.getByText("icon"));
  expect(shownAfter(400)).toBeUndefined();
  expect(shownAfter(100)).toBe("Split right");
  expect(button).toHaveAttribute("title", "");
  fireEvent.pointerOver(screen.getByText("nothing"));
  expect(shownAfter(0)).toBeUndefined();
  expect(button).toHaveAttribute("title", "Split right");
});

test("a press takes it away, and a title that was set meanwhile stays", () => {
  render(
    <>
      <button type="button" title="Zoom" />
      <Tooltips />
    </>,
  );
  const button = screen.getByRole("button");
  fireEvent.pointerOver(button);
  expect(shownAfter(500)).toBe("Zoom");
  button.title = "Unzoom";
  fireEvent.pointerDown(button);
  expect(shownAfter(0)).toBeUndefined();
  expect(button).toHaveAttribute("title", "Unzoom");
});
