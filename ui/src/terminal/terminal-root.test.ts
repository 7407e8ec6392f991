import { expect, test } from "vitest";
import { addTerminalRoot } from "./terminal-root";

test("whoever gives the keys back to what had them gives them to the terminal", () => {
  const { root, room } = addTerminalRoot(document.body);
  const keys = room.appendChild(document.createElement("textarea"));
  const other = document.body.appendChild(document.createElement("button"));
  keys.focus();
  const had = document.activeElement as HTMLElement;
  expect(had).toBe(root);
  other.focus();
  had.focus();
  expect(root.shadowRoot?.activeElement).toBe(keys);
});
