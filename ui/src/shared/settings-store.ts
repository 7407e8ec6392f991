import { create } from "zustand";
import { backend } from "../backend/backend";
import type { HostState, Platform, Settings, ThemeColours } from "../bindings";
import { setKeys, useCommands } from "./commands";
import { keyProblems } from "./key-problems";
import { notify, withdraw } from "./notices";
import { isDarkTheme, missingThemes, themeInForce } from "./themes";

/** The settings in force: Rust sends every field; only in the person's file may one be left out. */
export type AppliedSettings = Required<Settings>;

interface SettingsState {
  /** `null` until they were read. */
  settings: AppliedSettings | null;
  platform: Platform | null;
  host: HostState;
  /** What the system prefers; matters while `theme` is `system`. */
  systemDark: boolean;
  /** How much larger than the setting the panes' font is, for this window. */
  zoom: number;
}

export const useSettings = create<SettingsState>(() => ({
  settings: null,
  platform: null,
  host: { state: "up" },
  systemDark: true,
  zoom: 0,
}));

/** Whether what is on screen is dark or light. */
export type Scheme = "dark" | "light";

type LookState = Pick<SettingsState, "settings" | "systemDark">;

/** The theme in force: the same object as long as it is. */
export function themeOf({ settings, systemDark }: LookState): ThemeColours {
  return themeInForce(settings, systemDark);
}

export function useTheme(): ThemeColours {
  return useSettings(themeOf);
}

export function schemeOf(state: LookState): Scheme {
  return isDarkTheme(themeOf(state)) ? "dark" : "light";
}

export function useScheme(): Scheme {
  return useSettings(schemeOf);
}

/** How small and how large everything in the window can be, in percent. */
export const zoomRange = { least: 50, most: 300 };

/** The font size at which everything has the size that it was drawn for. */
const USUAL_FONT = 13;

/** The size of the panes' font in pixels, with the window's own zoom. */
export function fontSizeOf(
  state: Pick<SettingsState, "settings" | "zoom">,
): number {
  const size = (state.settings?.font_size ?? USUAL_FONT) + state.zoom;
  return Math.min(Math.max(size, 6), 72);
}

/** How much larger than usual texts are that are read and written, other than those of the frame. */
function textScaleOf(state: Pick<SettingsState, "settings" | "zoom">): number {
  return fontSizeOf(state) / USUAL_FONT;
}

export function useTextScale(): number {
  return useSettings(textScaleOf);
}

export function zoomBy(step: number | null): void {
  useSettings.setState((state) => ({
    zoom: step === null ? 0 : Math.min(Math.max(state.zoom + step, -8), 40),
  }));
}

/** What notices are about: they leave when their reason does. */
const SETTINGS = "settings";
const HOST = "host";
const KEYS = "keys";
const THEMES = "themes";

/** Tells what is wrong with the keys that the person wrote, whenever they or the commands change. */
function followKeys(): () => void {
  let told: object | null = null;
  const tell = async () => {
    const { commands, keys } = useCommands.getState();
    // Before there are commands, every id would be unknown.
    if (told === keys || commands.length === 0) return;
    told = keys;
    if (keyProblems(commands, keys).length === 0) return withdraw(KEYS);
    const read = await backend.settingsSheet();
    // They were mended, or written anew, while we asked where they are written.
    if (told !== keys) return;
    const lines = read.status === "ok" ? read.data.keys.lines : {};
    const problems = keyProblems(useCommands.getState().commands, keys, lines);
    const text = `keys.json\n${problems.join("\n")}`;
    notify("warning", text, undefined, KEYS);
  };
  void tell();
  const stop = useCommands.subscribe(() => void tell());
  return () => {
    told = null;
    stop();
  };
}

/** The theme as it was, where nothing of it has changed: what is drawn from it need not be drawn again. */
function kept(theme: ThemeColours, before: ThemeColours[]): ThemeColours {
  const same = before.find(({ name }) => name === theme.name);
  return same && JSON.stringify(same) === JSON.stringify(theme) ? same : theme;
}

function tellMissingThemes(settings: Settings): void {
  const missing = missingThemes(settings);
  if (missing.length === 0) withdraw(THEMES);
  else
    notify(
      "warning",
      `There is no theme called ${missing.map((name) => `“${name}”`).join(" or ")}; the usual one is shown.`,
      undefined,
      THEMES,
    );
}

/** Reads settings and what the platform is, and follows both. */
export async function startSettings(): Promise<() => void> {
  const applied = (settings: Settings) => {
    const before = useSettings.getState().settings?.themes ?? [];
    const themes = (settings.themes ?? []).map((theme) => kept(theme, before));
    useSettings.setState({
      settings: { ...settings, themes } as AppliedSettings,
    });
    tellMissingThemes(settings);
    setKeys(settings.keys as Record<string, string | null>);
  };
  const stops = [
    backend.onSettingsChanged((news) => {
      if (news.outcome === "applied") {
        withdraw(SETTINGS);
        applied(news.settings);
      } else notify("error", news.message, undefined, SETTINGS);
    }),
    backend.onHostChanged((host) => {
      useSettings.setState({ host });
      if (host.state === "up") withdraw(HOST);
      if (host.state === "restarted")
        notify("warning", host.message, undefined, HOST);
      if (host.state === "down") notify("error", host.message, undefined, HOST);
    }),
    followSystemScheme(),
    followColours(),
    followKeys(),
  ];
  const [settings, platform, notices] = await Promise.all([
    backend.loadSettings(),
    backend.platform(),
    backend.startupNotices(),
  ]);
  if (notices.status === "ok") {
    const { about_settings, others } = notices.data;
    if (about_settings.length > 0)
      notify("error", about_settings.join("\n"), undefined, SETTINGS);
    for (const notice of others) notify("warning", notice);
  }
  if (settings.status === "ok") applied(settings.data);
  else notify("error", settings.error.message, undefined, SETTINGS);
  if (platform.status === "ok")
    useSettings.setState({ platform: platform.data });
  return () => {
    for (const stop of stops) stop();
  };
}

/** Tells the backend the colours that programs see, now, whenever they change, and to a host that is new. */
function followColours(): () => void {
  let told: object | null = null;
  const tell = () => {
    const state = useSettings.getState();
    const theme = themeOf(state);
    if (!state.settings || told === theme) return;
    told = theme;
    const at = (place: number) => parts(theme.ansi[place] ?? theme.foreground);
    void backend.setColours({
      foreground: parts(theme.foreground),
      background: parts(theme.background),
      cursor: parts(theme.cursor ?? theme.foreground),
      palette: [
        at(0),
        at(1),
        at(2),
        at(3),
        at(4),
        at(5),
        at(6),
        at(7),
        at(8),
        at(9),
        at(10),
        at(11),
        at(12),
        at(13),
        at(14),
        at(15),
      ],
    });
  };
  const stopHost = backend.onHostChanged((host) => {
    if (host.state !== "restarted") return;
    told = null;
    tell();
  });
  const stopStore = useSettings.subscribe(tell);
  return () => {
    stopHost();
    stopStore();
  };
}

/** Red, green and blue of `#rrggbb`. */
function parts(colour: string): [number, number, number] {
  const at = (start: number) =>
    Number.parseInt(colour.slice(start, start + 2), 16);
  return [at(1), at(3), at(5)];
}

function followSystemScheme(): () => void {
  if (typeof window.matchMedia !== "function") return () => {};
  const query = window.matchMedia("(prefers-color-scheme: dark)");
  const changed = () => useSettings.setState({ systemDark: query.matches });
  changed();
  query.addEventListener("change", changed);
  return () => query.removeEventListener("change", changed);
}
