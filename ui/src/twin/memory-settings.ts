import type { Backend, Result } from "../backend/backend";
import type {
  Setting,
  Settings,
  SettingsSheet,
  SettingValue,
  ThemeColours,
} from "../bindings";
import { usualThemes } from "../shared/themes";

/** What of the backend is about settings one by one. */
type MemorySettings = Pick<
  Backend,
  | "settingsSheet"
  | "changeSetting"
  | "importThemes"
  | "removeTheme"
  | "monospaceFonts"
>;

const choices = (...values: string[]) => ({
  kind: "choice" as const,
  choices: values.map((value) => ({
    value,
    title: value.charAt(0).toUpperCase() + value.slice(1),
    about: `It is ${value}.`,
  })),
});
const number = (min: number, max: number, step = 1) => ({
  kind: "number" as const,
  ...{ whole: Number.isInteger(step), min, max, step },
});
const text = (optional = false) => ({ kind: "text" as const, optional });

const setting = (
  group: string,
  name: string,
  title: string,
  takes: Setting["takes"],
  usual: SettingValue,
): Setting => ({
  ...{ group, name, title, takes },
  about: `What \`${name}\` means.`,
  default: usual,
});

/** A few of the settings, of every kind. */
const SETTINGS: Setting[] = [
  setting(
    "Look",
    "theme",
    "Dark or light",
    choices("system", "dark", "light"),
    "system",
  ),
  setting("Look", "dark_theme", "Dark theme", text(), usualThemes.dark.name),
  setting("Look", "light_theme", "Light theme", text(), usualThemes.light.name),
  setting("Look", "window_zoom", "Window zoom", number(50, 300, 10), 100),
  setting("Text", "font_family", "Font family", text(), "monospace"),
  setting("Text", "font_size", "Font size", number(6, 72), 13),
  setting("Text", "line_height", "Line height", number(0.8, 2.5, 0.05), 1.15),
  setting("Terminal", "shell", "Shell", text(true), null),
  setting(
    "Copy and paste",
    "paste_guard",
    "Paste guard",
    { kind: "switch" },
    true,
  ),
  setting("History", "history.keep_days", "Days on disk", number(0, 3650), 30),
];

interface Room {
  settings: () => Settings;
  /** Puts changed settings in force, and tells of them. */
  apply: (settings: Partial<Settings>) => void;
  ok: <T>(data: T) => Promise<Result<T>>;
  refuse: <T>(message: string) => Promise<Result<T>>;
}

/** The twin's files of settings: a field per line, in the order in which they were set. */
export function memorySettings(room: Room): MemorySettings & {
  /** Makes a file say something about a field that is wrong, as a person's editor would. */
  spoil(file: "settings" | "keys", field: string, what: string): void;
} {
  const lines: Record<"settings" | "keys", string[]> = {
    settings: [],
    keys: [],
  };
  const mistakes: Record<
    "settings" | "keys",
    { field: string; what: string }[]
  > = { settings: [], keys: [] };
  const placed = (file: "settings" | "keys", name: string) =>
    lines[file].indexOf(name) + 2;
  const stands = (file: "settings" | "keys") => ({
    path: `/home/you/.config/switchyard/${file}.json`,
    broken: null,
    mistakes: mistakes[file].map((one) => ({
      ...one,
      line: placed(file, one.field),
    })),
    lines: Object.fromEntries(
      lines[file].map((name) => [name, placed(file, name)]),
    ),
  });
  const forget = (file: "settings" | "keys", name: string) => {
    lines[file] = lines[file].filter((one) => one !== name);
    mistakes[file] = mistakes[file].filter(({ field }) => field !== name);
  };

  function wrongWith(name: string, value: SettingValue): string | null {
    const known = SETTINGS.find((one) => one.name === name);
    if (!known) return `\`name\` is \`${name}\`, but there is no such setting`;
    const { takes } = known;
    if (takes.kind !== "number") return null;
    const { min = 0, max = 0 } = takes;
    const fits =
      typeof value === "number" && value >= (min ?? 0) && value <= (max ?? 0);
    return fits
      ? null
      : `\`${name}\` is ${JSON.stringify(value)}, but must be a whole number from ${min} to ${max}`;
  }

  function withField(name: string, value: SettingValue): Partial<Settings> {
    const [outer = "", inner] = name.split(".");
    if (inner === undefined) return { [outer]: value };
    const before = room.settings()[outer as "history"];
    return { [outer]: { ...before, [inner]: value } };
  }

  return {
    settingsSheet: () => {
      const sheet: SettingsSheet = {
        settings: SETTINGS,
        file: stands("settings"),
        keys: stands("keys"),
      };
      return room.ok(sheet);
    },
    changeSetting: (file, name, change) => {
      if (file === "keys") {
        const { [name]: _, ...others } = room.settings().keys ?? {};
        forget("keys", name);
        if (change.to === "value") lines.keys.push(name);
        room.apply({
          keys:
            change.to === "value"
              ? { ...others, [name]: change.value as string | null }
              : others,
        });
        return room.ok(null);
      }
      const known = SETTINGS.find((one) => one.name === name);
      if (change.to === "value") {
        const wrong = wrongWith(name, change.value);
        if (wrong !== null) return room.refuse(wrong);
      }
      forget("settings", name);
      if (change.to === "value") lines.settings.push(name);
      const value = change.to === "value" ? change.value : known?.default;
      room.apply(value === undefined ? {} : withField(name, value));
      return room.ok(null);
    },
    importThemes: (file, content) => {
      if (!content.includes("palette"))
        return room.refuse(`\`${file}\`: it is no theme`);
      const theme: ThemeColours = { ...usualThemes.dark, name: file };
      const others = room.settings().themes ?? [];
      room.apply({ themes: [...others, theme] });
      return room.ok([
        { name: file, path: `/themes/${file}.json`, replaced: false },
      ]);
    },
    removeTheme: (name) => {
      const themes = room.settings().themes ?? [];
      room.apply({ themes: themes.filter((one) => one.name !== name) });
      return room.ok(null);
    },
    monospaceFonts: () => room.ok(["DejaVu Sans Mono", "Iosevka"]),
    spoil: (file, field, what) => {
      forget(file, field);
      lines[file].push(field);
      mistakes[file].push({ field, what });
    },
  };
}
