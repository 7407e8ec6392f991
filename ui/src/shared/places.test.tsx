import { act, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cyclePlace, enterPlace, goToPlace, keepFocus } from "./places";

let stop = () => {};
let entered = 0;

beforeEach(() => {
  entered = 0;
  stop = keepFocus(() => {
    entered++;
    screen.getByText("terminal").focus();
    return true;
  });
});
afterEach(() => stop());

function Row({ name }: { name: string }) {
  const [there, setThere] = useState(true);
  if (!there) return null;
  return (
    <button type="button" onClick={() => setThere(false)}>
      {name}
    </button>
  );
}

function Window({ aside = false }: { aside?: boolean }) {
  return (
    <>
      <nav data-place="sidebar">
        <Row name="one" />
        <Row name="two" />
        <Row name="three" />
      </nav>
      <main data-place="centre">
        <button type="button">terminal</button>
      </main>
      {aside && (
        <aside data-place="aside">
          <button type="button">close</button>
          <button type="button" data-entry>
            approve
          </button>
        </aside>
      )}
      <footer data-place="status">
        <button type="button">commands</button>
      </footer>
    </>
  );
}

const focused = () => document.activeElement?.textContent;

test("one key goes round the parts of the window that are shown, and each remembers where the keys were", () => {
  const { rerender } = render(<Window />);
  goToPlace("centre");
  const round = [];
  for (let i = 0; i < 3; i++) {
    cyclePlace(1);
    round.push(focused());
  }
  expect(round).toEqual(["commands", "one", "terminal"]);
  screen.getByText("two").focus();
  cyclePlace(1);
  cyclePlace(-1);
  expect(focused()).toBe("two");
  rerender(<Window aside />);
  cyclePlace(1);
  cyclePlace(1);
  expect(focused()).toBe("approve");
});

test("when a row goes that had the keys, the next one has them; when all are gone, the dock", async () => {
  render(<Window />);
  const two = screen.getByText("two");
  two.focus();
  act(() => two.click());
  await waitFor(() => expect(focused()).toBe("three"));
  for (const name of ["three", "one"]) {
    const row = screen.getByText(name);
    row.focus();
    act(() => row.click());
  }
  await waitFor(() => expect(focused()).toBe("terminal"));
});

test("a place that goes gives the keys to the dock", async () => {
  const { rerender } = render(<Window aside />);
  screen.getByText("close").focus();
  rerender(<Window />);
  await waitFor(() => expect(focused()).toBe("terminal"));
  expect(entered).toBe(1);
});

test("what is asked gets the keys once it is there", async () => {
  const { rerender } = render(<Window />);
  goToPlace("centre");
  enterPlace("aside");
  expect(focused()).toBe("terminal");
  rerender(<Window aside />);
  await waitFor(() => expect(focused()).toBe("approve"));
});

test("a dialog that closes leaves the keys to what had them before", async () => {
  render(<Window />);
  screen.getByText("two").focus();
  const dialog = (
    <div role="dialog">
      <button type="button">cancel</button>
    </div>
  );
  const opened = render(dialog);
  screen.getByText("cancel").focus();
  opened.unmount();
  await waitFor(() => expect(focused()).toBe("two"));
});

test("a click beside everything takes the keys, whatever changes then", async () => {
  const { rerender } = render(<Window aside />);
  screen.getByText("two").focus();
  screen.getByText("two").blur();
  rerender(<Window />);
  await act(() => new Promise(requestAnimationFrame));
  await act(() => new Promise(requestAnimationFrame));
  expect(document.activeElement).toBe(document.body);
});
