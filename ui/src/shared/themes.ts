import type { Settings, ThemeColours } from "../bindings";
import { isDark } from "./colours";

/** The themes that come with Switchyard: the usual two first, then the dark ones and the light ones. */
export const builtInThemes: ThemeColours[] = [
  {
    name: "Switchyard dark",
    foreground: "#d6d9e0",
    background: "#101216",
    cursor: "#e8eaf0",
    cursor_text: "#101216",
    selection: "#2a3e5d",
    ansi: [
      "#3b404a",
      "#f07178",
      "#8fce7e",
      "#e5c07b",
      "#79aef5",
      "#c99bf0",
      "#6fc9d1",
      "#c8ccd4",
      "#868d9b",
      "#ff8f92",
      "#aee39c",
      "#f2d592",
      "#9dc6ff",
      "#dcb8fb",
      "#92e2e8",
      "#f4f5f8",
    ],
  },
  {
    name: "Switchyard light",
    foreground: "#24292f",
    background: "#ffffff",
    cursor: "#24292f",
    cursor_text: "#ffffff",
    selection: "#b5d3fb",
    ansi: [
      "#24292f",
      "#c4272f",
      "#1a7f37",
      "#8a5a00",
      "#0b5fcc",
      "#8236c4",
      "#0f7080",
      "#5f6772",
      "#66707c",
      "#a8121c",
      "#116329",
      "#704700",
      "#0a4fa8",
      "#6b24a8",
      "#0a5a68",
      "#424a53",
    ],
  },
  {
    name: "Harbour",
    foreground: "#eae4d7",
    background: "#151e2f",
    cursor: "#f7c15f",
    cursor_text: "#151e2f",
    selection: "#2e445f",
    ansi: [
      "#293345",
      "#ef898d",
      "#7fbe71",
      "#d2a242",
      "#6eaff7",
      "#cc91de",
      "#09c2c7",
      "#cfcac0",
      "#8793a8",
      "#feaaac",
      "#a2d496",
      "#e5be77",
      "#99c8ff",
      "#e0b0ee",
      "#6cd8db",
      "#f8f5ee",
    ],
  },
  {
    name: "Pine",
    foreground: "#dfe3d5",
    background: "#0f1e18",
    cursor: "#b9e092",
    cursor_text: "#0f1e18",
    selection: "#234539",
    ansi: [
      "#22352c",
      "#ec928b",
      "#79c289",
      "#c4ad57",
      "#61b9ea",
      "#d594cf",
      "#49c4b7",
      "#c6cdc0",
      "#82988e",
      "#ffb5ae",
      "#9edcaa",
      "#deca82",
      "#8ed5fe",
      "#eeb4e8",
      "#7ddfd3",
      "#f0f3e8",
    ],
  },
  {
    name: "Ember",
    foreground: "#ecdfd0",
    background: "#201511",
    cursor: "#fea668",
    cursor_text: "#201511",
    selection: "#533527",
    ansi: [
      "#3b2c26",
      "#f38e81",
      "#97bd63",
      "#dca249",
      "#64b6f8",
      "#e98cb9",
      "#1fc7bf",
      "#d3c9bd",
      "#a18e81",
      "#ffb5ab",
      "#b8d790",
      "#f1c17f",
      "#9cd1fe",
      "#fdb0d4",
      "#74e0d9",
      "#f8f1e7",
    ],
  },
  {
    name: "Dusk",
    foreground: "#e6e2f0",
    background: "#20182f",
    cursor: "#fca8e0",
    cursor_text: "#20182f",
    selection: "#493864",
    ansi: [
      "#372d49",
      "#f3899e",
      "#62c689",
      "#d4a73e",
      "#87acfe",
      "#d790db",
      "#13c4d4",
      "#cfcbd9",
      "#998fad",
      "#ffadbb",
      "#8edca9",
      "#e7c275",
      "#aec7fd",
      "#eab0ed",
      "#69dbe8",
      "#f6f4fb",
    ],
  },
  {
    name: "Slate",
    foreground: "#dbdee2",
    background: "#24272a",
    cursor: "#d9dfe5",
    cursor_text: "#24272a",
    selection: "#454e58",
    ansi: [
      "#3c4045",
      "#dd9e9d",
      "#94be94",
      "#c7ae7a",
      "#8db5e0",
      "#c3a3d2",
      "#75c0c4",
      "#cbced2",
      "#999fa6",
      "#f2bab9",
      "#b1d6b1",
      "#dec89a",
      "#abcff4",
      "#dbbee8",
      "#98d8db",
      "#f4f5f7",
    ],
  },
  {
    name: "High contrast, dark",
    foreground: "#ffffff",
    background: "#000000",
    cursor: "#ffffff",
    cursor_text: "#000000",
    selection: "#21539c",
    ansi: [
      "#3a3a3a",
      "#ffaba3",
      "#7cdf81",
      "#e5c226",
      "#96c9fe",
      "#eda4fe",
      "#1ddee7",
      "#e8e8e8",
      "#b7b7b7",
      "#fed2cd",
      "#b0f2b1",
      "#f5de87",
      "#c6e1ff",
      "#f6ceff",
      "#7af4fb",
      "#ffffff",
    ],
  },
  {
    name: "Paper",
    foreground: "#3a2d24",
    background: "#f8f3e6",
    cursor: "#8e3510",
    cursor_text: "#f8f3e6",
    selection: "#e3d2b0",
    ansi: [
      "#3d332b",
      "#a04038",
      "#357426",
      "#865900",
      "#2863ab",
      "#8b4486",
      "#0f7079",
      "#746a60",
      "#73675a",
      "#822c27",
      "#225c13",
      "#694501",
      "#154d8c",
      "#70306c",
      "#005860",
      "#564b42",
    ],
  },
  {
    name: "Morning",
    foreground: "#242f3d",
    background: "#f4f9fd",
    cursor: "#1762b6",
    cursor_text: "#f4f9fd",
    selection: "#bddcf7",
    ansi: [
      "#242f3d",
      "#a73d40",
      "#137b33",
      "#855e05",
      "#2a65b4",
      "#84499c",
      "#097285",
      "#64707d",
      "#5f6d7d",
      "#89292e",
      "#056124",
      "#684a06",
      "#174e95",
      "#6a3580",
      "#065a69",
      "#445160",
    ],
  },
  {
    name: "Meadow",
    foreground: "#233226",
    background: "#f0f6e6",
    cursor: "#286f2f",
    cursor_text: "#f0f6e6",
    selection: "#c7ddb3",
    ansi: [
      "#28372b",
      "#994138",
      "#237236",
      "#765d00",
      "#09659f",
      "#88437b",
      "#0f6e6e",
      "#606d60",
      "#5c6b5c",
      "#7b2d26",
      "#0f5a24",
      "#5c4803",
      "#024e7d",
      "#6d2f62",
      "#005656",
      "#435243",
    ],
  },
  {
    name: "High contrast, light",
    foreground: "#000000",
    background: "#ffffff",
    cursor: "#000000",
    cursor_text: "#ffffff",
    selection: "#a4d8fe",
    ansi: [
      "#000000",
      "#901114",
      "#085e02",
      "#694501",
      "#1545a2",
      "#712482",
      "#025763",
      "#484848",
      "#484848",
      "#6f0006",
      "#024500",
      "#4d3100",
      "#08307f",
      "#561363",
      "#064048",
      "#222222",
    ],
  },
];

/** What is in force where the settings name no theme that there is. */
export const usualThemes = {
  dark: named(builtInThemes, "Switchyard dark"),
  light: named(builtInThemes, "Switchyard light"),
};

function named(themes: ThemeColours[], name: string): ThemeColours {
  const found = themes.find((theme) => theme.name === name);
  if (!found) throw new Error(`no theme is called ${name}`);
  return found;
}

/** What of the settings decides how things look. */
type LookSettings = Pick<
  Settings,
  "theme" | "dark_theme" | "light_theme" | "themes"
>;

/** All that can be chosen; one of the person's own hides one of ours with the same name. */
export function themesOf(settings: Pick<Settings, "themes"> | null) {
  const own = settings?.themes ?? [];
  const hidden = new Set(own.map(({ name }) => name));
  return [...builtInThemes.filter(({ name }) => !hidden.has(name)), ...own];
}

/** A theme by its name in the gallery; `null` when there is none. The same object as long as the same theme is meant. */
export function themeNamed(
  settings: Pick<Settings, "themes"> | null,
  name: string | null,
): ThemeColours | null {
  const own = settings?.themes?.find((theme) => theme.name === name);
  return own ?? builtInThemes.find((theme) => theme.name === name) ?? null;
}

/** The theme in force. Pure; the same object as long as the same theme is meant. */
export function themeInForce(
  settings: LookSettings | null,
  systemDark: boolean,
): ThemeColours {
  const mode = settings?.theme ?? "system";
  const dark = mode === "system" ? systemDark : mode === "dark";
  const wanted = dark ? settings?.dark_theme : settings?.light_theme;
  const found = themeNamed(settings, wanted ?? null);
  return found ?? (dark ? usualThemes.dark : usualThemes.light);
}

/** The themes that the settings name and that there are not. */
export function missingThemes(settings: LookSettings): string[] {
  const known = new Set(themesOf(settings).map(({ name }) => name));
  const wanted = [settings.dark_theme, settings.light_theme];
  return wanted.filter(
    (name): name is string => name !== undefined && !known.has(name),
  );
}

/** Whether a theme is for the dark. */
export function isDarkTheme({ background }: ThemeColours): boolean {
  return isDark(background);
}
