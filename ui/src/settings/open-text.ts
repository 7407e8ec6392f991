import type { SettingsFile } from "../bindings";
import { useSheet } from "./sheet-store";

/** Opens a file at a line in the person's editor; the window knows how. */
type Opener = (path: string, line: number | null) => void;

let opener: Opener = () => {};

export function setOpener(chosen: Opener): void {
  opener = chosen;
}

/** Opens the text of a file of the settings in the person's editor. */
export function openText(file: SettingsFile, line: number | null = null): void {
  const { sheet } = useSheet.getState();
  const text = file === "settings" ? sheet?.file : sheet?.keys;
  if (text) opener(text.path, line);
}
