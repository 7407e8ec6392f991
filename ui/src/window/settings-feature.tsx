import { lazy, Suspense } from "react";
import { openText, setOpener } from "../settings/open-text";
import {
  type Page,
  readSheet,
  useSheet,
  zoomWindow,
} from "../settings/sheet-store";
import type { Command } from "../shared/commands";
import type { Destination } from "../shared/destinations";
import { openPanel } from "../shared/dock/dock";
import { useInFront } from "../shared/dock/panel";
import type { Feature } from "../shared/feature";
import { openInEditor } from "../terminal/pane-life";

/** The kind of the panel of the settings. */
const SETTINGS = "settings";

// Opened now and then: its code is loaded when it is.
const SettingsPanel = lazy(async () => ({
  default: (await import("../settings/SettingsPanel")).SettingsPanel,
}));

function SettingsView() {
  const active = useInFront();
  return (
    <Suspense>
      <SettingsPanel active={active} />
    </Suspense>
  );
}

/** Brings a page of the settings forward, with what is looked for on it. */
function showSettings(page: Page, query = ""): void {
  useSheet.setState({ page, query });
  openPanel(
    { id: SETTINGS, kind: SETTINGS, title: "Settings", params: {} },
    "roomy",
  );
}

const STEP = 10;

function settingsCommands(): Command[] {
  const group = "Settings";
  const command = (
    id: string,
    title: string,
    run: () => void,
    key?: string,
  ): Command => ({ id, title, group, run, ...(key && { key }) });
  const text = (file: "settings" | "keys") => () =>
    void readSheet().then(() => openText(file));
  return [
    command(
      "settings.open",
      "Settings",
      () => showSettings("settings"),
      "Ctrl+,",
    ),
    command("settings.keys", "Keys of the commands", () =>
      showSettings("keys"),
    ),
    command("settings.themes", "Themes", () => showSettings("themes")),
    command("settings.text", "Open settings.json as text", text("settings")),
    command("settings.keys_text", "Open keys.json as text", text("keys")),
    command(
      "window.larger",
      "Everything larger",
      () => zoomWindow(STEP),
      "Ctrl+Alt+=",
    ),
    command(
      "window.smaller",
      "Everything smaller",
      () => zoomWindow(-STEP),
      "Ctrl+Alt+-",
    ),
    command(
      "window.usual_size",
      "Everything in its usual size",
      () => zoomWindow(null),
      "Ctrl+Alt+0",
    ),
  ];
}

function useSettingDestinations(): Destination[] {
  const settings = useSheet(({ sheet }) => sheet?.settings);
  return (settings ?? []).map(({ name, title, group }) => ({
    key: `setting-${name}`,
    kind: "Setting",
    title,
    detail: `${group} · ${name}`,
    open: () => showSettings("settings", name),
  }));
}

export const settingsFeature: Feature = {
  name: "settings",
  commands: settingsCommands(),
  views: { [SETTINGS]: { view: SettingsView } },
  useDestinations: useSettingDestinations,
  start: () => {
    setOpener((path, line) => void openInEditor({ path, line, column: null }));
    void readSheet();
    return () => {};
  },
};
