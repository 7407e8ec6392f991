import { backend } from "../backend/backend";
import type { MenuItem } from "./ContextMenu";
import { reportFailure } from "./notices";

/** Offers to put a text on the clipboard. */
export function copying(title: string, text: string): MenuItem {
  const copy = async () =>
    void reportFailure(await backend.writeClipboard(text));
  return { title, run: () => void copy() };
}
