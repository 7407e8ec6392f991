import { backend } from "../backend/backend";
import { openPalette } from "../palette/Palette";
import type { Command } from "../shared/commands";
import { goToNextNeed } from "../shared/needs-you";
import { notify, reportFailure } from "../shared/notices";
import { askForFolder } from "../workspace/FolderDialog";
import { toggleSidebar } from "../workspace/workspace-store";

/** What can be done with the window itself. */
export function windowCommands(): Command[] {
  const group = "Window";
  return [
    {
      id: "palette.open",
      title: "Commands",
      group,
      key: "Ctrl+Shift+P",
      run: openPalette,
    },
    {
      id: "needs.next",
      title: "Go to who needs you",
      group,
      key: "Ctrl+Shift+A",
      run: goToNextNeed,
    },
    {
      id: "workspace.sidebar",
      title: "Show or hide the sidebar",
      group,
      key: "Ctrl+Shift+B",
      run: toggleSidebar,
    },
    {
      id: "workspace.open_folder",
      title: "Open a folder…",
      group,
      key: "Ctrl+Shift+K",
      run: askForFolder,
    },
    {
      id: "settings.where",
      title: "Where the settings and the keys are",
      group,
      run: () => void showSettingsFiles(),
    },
  ];
}

/** The settings are text: says where, and opens a pane that edits them. */
async function showSettingsFiles(): Promise<void> {
  const files = await backend.settingsFiles();
  if (files.status === "error") {
    reportFailure(files);
    return;
  }
  const { settings, keys } = files.data;
  notify("warning", `Settings: ${settings}\nKeys: ${keys}`, {
    label: "Copy the path",
    run: () => void backend.writeClipboard(settings),
  });
}
