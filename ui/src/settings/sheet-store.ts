import { create } from "zustand";
import { backend } from "../backend/backend";
import type {
  Setting,
  SettingChange,
  SettingsFile,
  SettingsSheet,
  SettingValue,
} from "../bindings";
import { notify } from "../shared/notices";
import {
  type AppliedSettings,
  useSettings,
  zoomRange,
} from "../shared/settings-store";

/** The zoom of a window of which nothing was said. */
const DRAWN = 100;

/** The three pages of the settings. */
export type Page = "settings" | "keys" | "themes";

interface SheetState {
  /** `null` until it was read. */
  sheet: SettingsSheet | null;
  /** Why it could not be read. */
  problem: string | null;
  /** What was refused last, by setting; it leaves with the next change of that setting. */
  refused: Record<string, string>;
  page: Page;
  /** What is looked for. */
  query: string;
}

export const emptySheet: SheetState = {
  sheet: null,
  problem: null,
  refused: {},
  page: "settings",
  query: "",
};

export const useSheet = create<SheetState>(() => emptySheet);

export async function readSheet(): Promise<void> {
  const read = await backend.settingsSheet();
  useSheet.setState(
    read.status === "ok"
      ? { sheet: read.data, problem: null }
      : { problem: read.error.message },
  );
}

/** Reads the sheet, and again whenever a file of the settings was saved. */
export function followSheet(): () => void {
  void readSheet();
  return backend.onSettingsChanged(() => void readSheet());
}

/** Sets a setting, or a command's key. Why that was refused stands at it. */
export async function change(
  file: SettingsFile,
  name: string,
  value: SettingValue,
): Promise<boolean> {
  return apply(file, name, { to: "value", value });
}

/** Takes a setting, or a command's key, out of its file. */
export function backToDefault(
  file: SettingsFile,
  name: string,
): Promise<boolean> {
  return apply(file, name, { to: "default" });
}

/** What is changed one after the other: nothing else says in which order changes arrive. */
let before: Promise<unknown> = Promise.resolve();

function apply(
  file: SettingsFile,
  name: string,
  to: SettingChange,
): Promise<boolean> {
  const done = before.then(() => applyNow(file, name, to));
  before = done;
  return done;
}

async function applyNow(
  file: SettingsFile,
  name: string,
  to: SettingChange,
): Promise<boolean> {
  const changed = await backend.changeSetting(file, name, to);
  const { [name]: _, ...others } = useSheet.getState().refused;
  useSheet.setState({
    refused:
      changed.status === "ok"
        ? others
        : { ...others, [name]: changed.error.message },
  });
  await readSheet();
  return changed.status === "ok";
}

/** What a setting is right now. Pure. */
export function settingOf(
  settings: AppliedSettings,
  { name, default: usual }: Pick<Setting, "name" | "default">,
): SettingValue {
  let value: unknown = settings;
  for (const step of name.split("."))
    value = (value as Record<string, unknown> | undefined)?.[step];
  return value === undefined ? usual : (value as SettingValue);
}

/** How a setting stands. */
export interface Row {
  setting: Setting;
  /** The line of the file that sets it; `null` when none does. */
  line: number | null;
  /** What is wrong with it in the file, or with what was tried last. */
  mistake: string | null;
}

/** The settings that a search finds, under their headings. Pure. */
export function groupsOf(
  { sheet, query, refused }: Pick<SheetState, "sheet" | "query" | "refused">,
  changedOnly: boolean,
): [string, Row[]][] {
  const groups = new Map<string, Row[]>();
  for (const setting of sheet?.settings ?? []) {
    const { name, title, group, about } = setting;
    const line = sheet?.file.lines[name] ?? null;
    if (changedOnly && line === null) continue;
    if (!finds(query, `${name} ${title} ${group} ${about}`)) continue;
    const wrong = sheet?.file.mistakes.find(({ field }) => field === name);
    const mistake = refused[name] ?? wrong?.what ?? null;
    groups.set(group, [
      ...(groups.get(group) ?? []),
      { setting, line, mistake },
    ]);
  }
  return [...groups];
}

/** Whether every word of a search occurs. */
export function finds(query: string, text: string): boolean {
  const within = text.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => within.includes(word));
}

/** The zoom that was asked for last, until it is in force: a key that is pressed meanwhile goes on from there. */
let zoomAsked: number | null = null;
useSettings.subscribe(({ settings }) => {
  if (settings?.window_zoom === zoomAsked) zoomAsked = null;
});

/** Makes everything in the window larger or smaller, and keeps it so; `null`: as it was drawn. */
export function zoomWindow(step: number | null): void {
  const now =
    zoomAsked ?? useSettings.getState().settings?.window_zoom ?? DRAWN;
  const wanted = step === null ? DRAWN : now + step;
  const { least, most } = zoomRange;
  const next = Math.min(Math.max(wanted, least), most);
  if (next === now) return;
  zoomAsked = next;
  void change("settings", "window_zoom", next).then((done) => {
    if (done) return;
    zoomAsked = null;
    const refused = useSheet.getState().refused.window_zoom;
    if (refused) notify("error", refused);
  });
}
