import { openPicker } from "../palette/Picker";
import { openText } from "../settings/open-text";
import { readSheet, useSheet } from "../settings/sheet-store";
import type { Command } from "../shared/commands";
import { useSettings } from "../shared/settings-store";
import { pasteText } from "../terminal/clipboard";
import { withHost } from "../terminal/hosts";
import { activePane } from "../terminal/pane-tabs";

/** Texts that a person keeps under names, put into a pane by choosing one. */

function chooseSnippet(): void {
  const pane = activePane();
  if (pane === null) return;
  const snippets = useSettings.getState().settings?.snippets ?? {};
  openPicker({
    label: "Put a snippet into the pane",
    placeholder: "Which snippet?",
    empty: "No snippet is called that.",
    choices: [
      ...Object.entries(snippets).map(([name, text = ""]) => ({
        key: `snippet-${name}`,
        kind: "Snippet",
        title: name,
        detail: text.split("\n", 1)[0] ?? "",
        open: () => {
          withHost(pane, (host) => host.focus());
          pasteText(pane, text);
        },
      })),
      {
        key: "snippets-edit",
        kind: "Settings",
        title: "Write snippets",
        detail: "settings.json: names, and a text for each",
        open: () => void editSnippets(),
      },
    ],
  });
}

async function editSnippets(): Promise<void> {
  await readSheet();
  const line = useSheet.getState().sheet?.file.lines.snippets ?? null;
  openText("settings", line);
}

export function snippetCommands(): Command[] {
  return [
    {
      id: "pane.snippet",
      title: "Put a snippet into the pane…",
      group: "Panes",
      enabled: () => activePane() !== null,
      run: chooseSnippet,
    },
  ];
}
