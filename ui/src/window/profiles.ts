import type { Profile } from "../bindings";
import { openPicker } from "../palette/Picker";
import { openText } from "../settings/open-text";
import { readSheet, useSheet } from "../settings/sheet-store";
import type { Command } from "../shared/commands";
import type { Destination } from "../shared/destinations";
import { useSettings } from "../shared/settings-store";
import { newTerminal } from "../terminal/pane-life";

/** Panes of a kind, as the settings name them. */

/** What one should know of a profile in order to choose it. */
function inWords({ program, args = [], cwd }: Profile): string {
  const runs = [program ?? "your shell", ...args].join(" ");
  return cwd ? `${runs}, in ${cwd}` : runs;
}

function choices(profiles: Record<string, Profile | undefined>): Destination[] {
  return Object.entries(profiles).map(([name, profile]) => ({
    key: `profile-${name}`,
    kind: "Profile",
    title: name,
    detail: inWords(profile ?? {}),
    open: () => void newTerminal("tab", { profile: name }),
  }));
}

/** The profiles, for the switcher. */
export function useProfileDestinations(): Destination[] {
  const profiles = useSettings(({ settings }) => settings?.profiles);
  return choices(profiles ?? {});
}

/** Asks for a profile, and opens a pane of it. */
function chooseProfile(): void {
  openPicker({
    label: "New terminal of a profile",
    placeholder: "Which profile?",
    empty: "No profile is called that.",
    choices: [
      ...choices(useSettings.getState().settings?.profiles ?? {}),
      {
        key: "profiles-edit",
        kind: "Settings",
        title: "Write profiles",
        detail:
          "settings.json: names, and for each a program, a directory, a theme, an icon",
        open: () => void editProfiles(),
      },
    ],
  });
}

/** Opens the text of the settings where the profiles are. */
export async function editProfiles(): Promise<void> {
  await readSheet();
  const line = useSheet.getState().sheet?.file.lines.profiles ?? null;
  openText("settings", line);
}

export function profileCommands(): Command[] {
  return [
    {
      id: "pane.new_profile",
      title: "New terminal of a profile…",
      group: "Panes",
      run: chooseProfile,
    },
  ];
}
