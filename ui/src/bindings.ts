// This file is generated from Rust; regenerated, never edited.

import { Channel, invoke as __TAURI_INVOKE } from "@tauri-apps/api/core";
import * as __TAURI_EVENT from "@tauri-apps/api/event";

/** Commands */
export const commands = {
  openPane: (request: OpenPane) => typedError<PaneInfo, Error>(__TAURI_INVOKE("open_pane", { request })),
  listPanes: () => typedError<PaneInfo[], Error>(__TAURI_INVOKE("list_panes")),
  closePane: (pane: PaneId) => typedError<null, Error>(__TAURI_INVOKE("close_pane", { pane })),
  renamePane: (pane: PaneId, name: string | null) => typedError<null, Error>(__TAURI_INVOKE("rename_pane", { pane, name })),
  resizePane: (pane: PaneId, size: PaneSize) => typedError<null, Error>(__TAURI_INVOKE("resize_pane", { pane, size })),
  writePane: (pane: PaneId, data: string) => typedError<null, Error>(__TAURI_INVOKE("write_pane", { pane, data })),
  seenPane: (pane: PaneId) => typedError<null, Error>(__TAURI_INVOKE("seen_pane", { pane })),
  attachPane: (pane: PaneId, options: ViewOptions, channel: Channel<ArrayBuffer>) =>
    typedError<number, Error>(__TAURI_INVOKE("attach_pane", { pane, options, channel })),
  ackPane: (attachment: number, bytes: number) => typedError<null, Error>(__TAURI_INVOKE("ack_pane", { attachment, bytes })),
  detachPane: (attachment: number) => typedError<null, Error>(__TAURI_INVOKE("detach_pane", { attachment })),
  readLines: (pane: PaneId, lines: ReadLines) => typedError<Line[], Error>(__TAURI_INVOKE("read_lines", { pane, lines })),
  paneMarks: (pane: PaneId) => typedError<CommandMark[], Error>(__TAURI_INVOKE("pane_marks", { pane })),
  closedPanes: () => typedError<ClosedPane[], Error>(__TAURI_INVOKE("closed_panes")),
  purgeHistory: (pane: PaneId | null) => typedError<null, Error>(__TAURI_INVOKE("purge_history", { pane })),
  search: (id: number, request: SearchRequest, channel: Channel<SearchProgress>) =>
    typedError<SearchAnswer, Error>(__TAURI_INVOKE("search", { id, request, channel })),
  cancelSearch: (id: number) => typedError<null, Error>(__TAURI_INVOKE("cancel_search", { id })),
  loadSession: () => typedError<string | null, Error>(__TAURI_INVOKE("load_session")),
  saveSession: (json: string) => typedError<null, Error>(__TAURI_INVOKE("save_session", { json })),
  loadSettings: () => typedError<Settings, Error>(__TAURI_INVOKE("load_settings")),
  settingsFiles: () => typedError<SettingsFiles, Error>(__TAURI_INVOKE("settings_files")),
  readClipboard: () => typedError<string, Error>(__TAURI_INVOKE("read_clipboard")),
  writeClipboard: (text: string) => typedError<null, Error>(__TAURI_INVOKE("write_clipboard", { text })),
  openLink: (url: string) => typedError<null, Error>(__TAURI_INVOKE("open_link", { url })),
  notifyPerson: (title: string, body: string) => typedError<null, Error>(__TAURI_INVOKE("notify_person", { title, body })),
  platform: () => typedError<Platform, Error>(__TAURI_INVOKE("platform")),
  saveText: (name: string, text: string) => typedError<string, Error>(__TAURI_INVOKE("save_text", { name, text })),
  promptOnScreen: () => typedError<null, Error>(__TAURI_INVOKE("prompt_on_screen")),
};

/** Events */
export const events = {
  paneHappened: makeEvent<PaneHappened>("pane-happened"),
  settingsChanged: makeEvent<SettingsChanged>("settings-changed"),
  hostChanged: makeEvent<HostChanged>("host-changed"),
};

/* Types */
export type Attention = "idle" | "working" | "needs_you" | "done" | "failed";
export type Case = "smart" | "ignore" | "match";
export type ClipboardWrites = "ask" | "deny";
export type ClosedPane = {
  id: PaneId;
  program: string[];
  role: PaneRole;
  cwd: string;
  title: string;
  name: string | null;
  command: string | null;
  opened_at: number;
  ended_at: number | null;
};
export type Code =
  | "bad_params"
  | "bad_id"
  | "bad_query"
  | "not_started"
  | "not_reading"
  | "host_down"
  | "host_version"
  | "store"
  | "bad_file"
  | "refused"
  | "failed";
export type CommandMark = {
  prompt: LineId;
  command: string | null;
  output_from: LineId | null;
  output_to: LineId | null;
  exit: number | null;
  started_at: number | null;
  ended_at: number | null;
};
export type CursorStyle = "block" | "bar" | "underline";
export type Error = { code: Code; message: string; position: number | null };
export type HistorySettings = { keep_days: number; max_mb: number };
export type HostChanged = HostState;
export type HostKind = "detached" | "in_process";
export type HostState = { state: "up" } | { state: "down"; message: string } | { state: "restarted"; message: string };
export type Line = { id: LineId; text: string; source: Source };
export type LineId = number;
export type Match = {
  pane: PaneId;
  line: LineId;
  line_number: number;
  content: string;
  ranges: Range[];
  context_before: Line[];
  context_after: Line[];
  source: Source;
  full_screen: boolean;
};
export type OpenPane = {
  program?: string | null;
  args?: string[];
  cwd?: string | null;
  env?: { [key in string]: string };
  size?: PaneSize;
  name?: string | null;
  role?: PaneRole;
  private?: boolean;
  no_shell_integration?: boolean;
  scrollback_lines?: number | null;
};
export type Order = "newest_first" | "oldest_first";
export type PaneEvent =
  | { event: "opened"; pane: PaneInfo }
  | { event: "changed"; pane: PaneInfo }
  | { event: "closed"; id: PaneId }
  | { event: "notified"; id: PaneId; title: string; body: string }
  | { event: "clipboard_write"; id: PaneId; text: string }
  | { event: "warned"; id: PaneId | null; message: string }
  | { event: "lagged" };
export type PaneHappened = PaneEvent;
export type PaneId = number;
export type PaneInfo = {
  id: PaneId;
  program: string[];
  role: PaneRole;
  cwd: string;
  title: string;
  name: string | null;
  size: PaneSize;
  private: boolean;
  state: PaneState;
  busy: boolean;
  attention: Attention;
  attention_message: string | null;
  command: string | null;
  last_exit: number | null;
  opened_at: number;
  ended_at: number | null;
};
export type PaneRole = "shell" | "agent" | "step";
export type PaneSize = { cols: number; rows: number };
export type PaneState = { state: "running"; pid: number } | { state: "exited"; code: number | null; signal: string | null };
export type Platform = { version: string; home: string; host: HostKind; software_rendering: boolean };
export type Range = { start: number; end: number; start_col: number; end_col: number };
export type ReadLines =
  | { from: "newest"; count: number }
  | { from: "before"; line: LineId; count: number }
  | { from: "after"; line: LineId; count: number };
export type Renderer = "auto" | "webgl" | "dom";
export type Scope = { panes: "pane"; id: PaneId } | { panes: "live" } | { panes: "all" } | { panes: "closed" };
export type SearchAnswer = {
  matches: Match[];
  total: number;
  panes: number;
  truncated: boolean;
  reason: string | null;
  cursor: SearchCursor | null;
};
export type SearchCursor = string;
export type SearchProgress = { progress: "found"; matches: Match[] } | { progress: "count"; total: number; panes: number };
export type SearchRequest = {
  pattern: string;
  limit: number;
  context: number;
  regex: boolean;
  case: Case;
  whole_word: boolean;
  scope: Scope;
  order: Order;
  cursor: SearchCursor | null;
  ring_only: boolean;
  lines: { from: LineId; to: LineId } | null;
};
export type Settings = {
  theme: Theme;
  font_family: string;
  font_size: number;
  ligatures: boolean;
  renderer: Renderer;
  scrollback_lines: number;
  shell: string | null;
  shell_integration: boolean;
  copy_on_select: boolean;
  paste_guard: boolean;
  osc52: ClipboardWrites;
  cursor_style: CursorStyle;
  cursor_blink: boolean;
  history: HistorySettings;
  keys: { [key in string]: string | null };
};
export type SettingsChanged = SettingsNews;
export type SettingsFiles = { settings: string; keys: string };
export type SettingsNews = { outcome: "applied"; settings: Settings } | { outcome: "refused"; message: string };
export type Source = "ring" | "screen" | "history";
export type Theme = "system" | "dark" | "light";
export type ViewOptions = { scrollback_rows: number };

/* Tauri Specta runtime */
async function typedError<T, E>(
  result: Promise<T>,
): Promise<{ status: "ok"; data: T } | { status: "error"; error: E }> {
  try {
    return { status: "ok", data: await result };
  } catch (e) {
    if (e instanceof globalThis.Error) throw e;
    return { status: "error", error: e as E };
  }
}

function makeEvent<T>(name: string) {
  return {
    listen: (cb: __TAURI_EVENT.EventCallback<T>) => __TAURI_EVENT.listen(name, cb),
    once: (cb: __TAURI_EVENT.EventCallback<T>) => __TAURI_EVENT.once(name, cb),
    emit: (payload: T) => __TAURI_EVENT.emit(name, payload),
  };
}
