import { openPalette } from "../palette/Palette";
import { openSwitcher } from "../palette/Switcher";
import type { Command } from "../shared/commands";
import { goToNextNeed } from "../shared/needs-you";
import { cyclePlace, goToPlace } from "../shared/places";
import { changeFrame } from "../shared/window-state";
import { askForFolder } from "../workspace/FolderDialog";
import { showTour } from "../workspace/Tour";
import { toggleSidebar, useWorkspace } from "../workspace/workspace-store";

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
      id: "switcher.open",
      title: "Go to anything by name…",
      group,
      key: "Ctrl+Shift+L",
      run: openSwitcher,
    },
    {
      id: "needs.next",
      title: "Go to who needs you",
      group,
      key: "Ctrl+Shift+A",
      run: goToNextNeed,
    },
    {
      id: "window.tour",
      title: "Show the tour of the first start again",
      group,
      run: showTour,
    },
    {
      id: "workspace.sidebar",
      title: "Show or hide the sidebar",
      group,
      key: "Ctrl+Shift+B",
      run: toggleSidebar,
    },
    {
      id: "focus.next",
      title: "Go to the next part of the window",
      group,
      key: "F6",
      run: () => cyclePlace(1),
    },
    {
      id: "focus.previous",
      title: "Go to the previous part of the window",
      group,
      key: "Shift+F6",
      run: () => cyclePlace(-1),
    },
    {
      id: "focus.sidebar",
      title: "Go to the sidebar",
      group,
      key: "Ctrl+Shift+S",
      run: () => {
        changeFrame(() => ({ sidebar: true }));
        requestAnimationFrame(() => goToPlace("sidebar"));
      },
    },
    {
      id: "focus.dock",
      title: "Go to the tab in front",
      group,
      run: () => void goToPlace("centre"),
    },
    {
      id: "focus.aside",
      title: "Go to the right side",
      group,
      enabled: () => useWorkspace.getState().aside !== null,
      run: () => void goToPlace("aside"),
    },
    {
      id: "focus.status",
      title: "Go to the status bar",
      group,
      run: () => void goToPlace("status"),
    },
    {
      id: "workspace.open_folder",
      title: "Open a folder…",
      group,
      key: "Ctrl+Shift+K",
      run: askForFolder,
    },
  ];
}
