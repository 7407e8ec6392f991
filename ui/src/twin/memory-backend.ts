import type { Backend, Result } from "../backend/backend";
import { encodeFrame } from "../backend/frames";
import type {
  Attention,
  CellSize,
  ClosedPane,
  Colours,
  CommandMark,
  Draft,
  HostState,
  Layout,
  Line,
  MachineId,
  MachineView,
  Match,
  OpenPane,
  PaneEvent,
  PaneId,
  PaneInfo,
  PaneSize,
  Range,
  ReadLines,
  SearchAnswer,
  SearchRequest,
  Settings,
  SettingsNews,
  StartNotices,
  TranscriptAnswer,
  WantedLayout,
  WindowState,
} from "../bindings";
import { panesPerMachine } from "../bindings";
import { ESCAPES } from "./escapes";
import { type MemoryAgents, memoryAgents } from "./memory-agents";
import { type MemoryChanges, memoryChanges } from "./memory-changes";
import { type MemoryConflicts, memoryConflicts } from "./memory-conflicts";
import {
  type FlowControls,
  type MemoryFlowOptions,
  memoryFlows,
} from "./memory-flows";
import { memorySettings } from "./memory-settings";
import { type MemoryTranscript, memoryTranscripts } from "./memory-transcripts";
import { type MemoryWindows, memoryWindows } from "./memory-windows";
import { type MemoryWorktrees, memoryWorktrees } from "./memory-worktrees";

export const defaultSettings: Required<Settings> = {
  $schema: null,
  theme: "system",
  dark_theme: "Switchyard dark",
  light_theme: "Switchyard light",
  window_zoom: 100,
  tour: false,
  font_family: '"JetBrains Mono", "DejaVu Sans Mono", monospace',
  font_size: 13,
  line_height: 1.15,
  ligatures: false,
  renderer: "auto",
  scrollback_lines: 5000,
  shell: null,
  editor: null,
  shell_integration: true,
  snippets: {},
  profiles: {},
  copy_on_select: false,
  paste_guard: true,
  osc52: "ask",
  cursor_style: "block",
  cursor_blink: false,
  screen_reader: false,
  history: { keep_days: 30, max_mb: 2048 },
  search: { transcripts: true },
  flows: { max_agents: 16, agent: null, step_minutes: 0 },
  themes: [],
  conflicts: { breaks: false },
  keys: {},
};

/** One pane of the twin: a shell that echoes and knows a handful of commands. */
interface FakePane {
  info: PaneInfo;
  /** Everything that was printed, as bytes for a terminal. */
  raw: string;
  /** The same as lines of plain text. */
  lines: string[];
  typed: string;
  marks: CommandMark[];
  /** How large the window said that a cell is drawn. */
  cell: CellSize | null;
  views: Map<number, (frame: ArrayBuffer) => void>;
}

interface MemoryState {
  panes: Map<PaneId, FakePane>;
  closed: Map<PaneId, FakePane>;
  session: string | null;
  window: WindowState;
  layouts: Map<string, Layout>;
  /** The layout that somebody outside of the window wants to see. */
  wanted: WantedLayout | null;
  drafts: Draft[];
  settings: Settings;
  /** What the window said last of its colours. */
  colours: Colours | null;
  clipboard: string;
  /** How large everything in the window is. */
  zoom: number;
  opened: string[];
  saved: { name: string; text: string }[];
  notified: { title: string; body: string }[];
  written: { pane: PaneId; data: string }[];
  acked: number;
  /** The machines that the window asked to be reached. */
  reached: MachineId[];
}

/** The twin, and what a test may do to it and see of it. */
export interface MemoryBackend
  extends Backend,
    MemoryChanges,
    MemoryWorktrees,
    MemoryWindows,
    MemoryConflicts,
    FlowControls {
  readonly state: MemoryState;
  /** The agents, and what a test may do to them. */
  readonly agents: MemoryAgents;
  /** The conversations that agents wrote down; a test adds to them. */
  readonly transcripts: MemoryTranscript[];
  /** Prints text in a pane as its program would. */
  print(pane: PaneId, text: string): void;
  /** Changes what is known of a pane and tells it. */
  change(pane: PaneId, change: Partial<PaneInfo>): void;
  tell(event: PaneEvent): void;
  tellSettings(settings: Partial<Settings>): void;
  /** Makes a field of a file of the settings wrong, as a person's editor would. */
  spoil(file: "settings" | "keys", field: string, what: string): void;
  refuseSettings(message: string): void;
  tellHost(state: HostState): void;
  /** Other machines are known, or the link to one is in another state. */
  tellMachines(machines: MachineView[]): void;
  /** Leaves the wish to see a layout, as the command line does. */
  want(layout: WantedLayout): void;
  drop(paths: string[], at: { x: number; y: number }): void;
  /** Ends the program of a pane. */
  exit(pane: PaneId, code: number): void;
}

export interface MemoryOptions extends MemoryFlowOptions {
  /** The session of an earlier window. */
  session?: string | null;
  /** How the person left an earlier window. */
  window?: Partial<WindowState>;
  /** What was typed in an earlier window. */
  drafts?: Draft[];
  settings?: Partial<Settings>;
  /** What `openPane` answers for a directory that is not there. */
  missing?: string[];
  /** The folders that there are; everything is one unless they are named. */
  folders?: string[];
  /** What the start has to say. */
  notices?: Partial<StartNotices>;
  /** Lets the shell know commands that take time; off in tests. */
  lively?: boolean;
}

const ok = <T>(data: T): Promise<Result<T>> =>
  Promise.resolve({ status: "ok", data });

const no = <T>(
  code: "bad_id" | "bad_params" | "bad_query" | "not_started",
  message: string,
  position: number | null = null,
): Promise<Result<T>> =>
  Promise.resolve({ status: "error", error: { code, message, position } });

export function memoryBackend(options: MemoryOptions = {}): MemoryBackend {
  const state: MemoryState = {
    panes: new Map(),
    closed: new Map(),
    session: options.session ?? null,
    window: {
      searches: [],
      folders: [],
      frame: null,
      drawing: null,
      ...options.window,
    },
    layouts: new Map(),
    wanted: null,
    drafts: options.drafts ?? [],
    settings: { ...defaultSettings, ...options.settings },
    colours: null,
    clipboard: "",
    zoom: 1,
    opened: [],
    saved: [],
    notified: [],
    written: [],
    acked: 0,
    reached: [],
  };
  let nextPane = 1;
  let nextView = 1;
  const views = new Map<number, PaneId>();
  const cancelled = new Set<number>();
  const paneListeners = new Set<(event: PaneEvent) => void>();
  const settingsListeners = new Set<(news: SettingsNews) => void>();
  const hostListeners = new Set<(state: HostState) => void>();
  const machineListeners = new Set<(machines: MachineView[]) => void>();
  let machines: MachineView[] = [];
  const wishListeners = new Set<() => void>();
  const dropListeners = new Set<Parameters<Backend["onDrop"]>[0]>();
  const encoder = new TextEncoder();

  function tell(event: PaneEvent) {
    for (const listener of [...paneListeners]) listener(event);
  }

  function change(id: PaneId, changed: Partial<PaneInfo>) {
    const pane = state.panes.get(id);
    if (!pane) return;
    pane.info = { ...pane.info, ...changed };
    tell({ event: "changed", pane: pane.info });
  }

  function print(id: PaneId, text: string) {
    const pane = state.panes.get(id);
    if (!pane) return;
    pane.raw += text;
    const plain = text.replace(ESCAPES, "").split("\n");
    plain.forEach((piece, index) => {
      const clean = piece.replace(/\r$/, "");
      if (index === 0) {
        const last = pane.lines.length - 1;
        let line = pane.lines[last] ?? "";
        for (const char of clean) {
          if (char === "\b") line = line.slice(0, -1);
          else if (char === "\r") line = "";
          else line += char;
        }
        pane.lines[Math.max(last, 0)] = line;
      } else {
        pane.lines.push(clean);
      }
    });
    const frame = encodeFrame({
      kind: "changes",
      topLine: topLine(pane),
      bytes: encoder.encode(text),
    });
    for (const view of pane.views.values()) view(frame.slice(0));
  }

  /** The line that the first row on screen belongs to. */
  function topLine({ info, lines }: FakePane): number {
    const { cols, rows } = info.size;
    let left = rows;
    let line = lines.length;
    while (line > 0 && left > 0) {
      line--;
      left -= Math.max(1, Math.ceil((lines[line]?.length ?? 0) / cols));
    }
    return line;
  }

  function snapshot(pane: FakePane, scrollback: number): ArrayBuffer {
    const { cols, rows } = pane.info.size;
    const kept = pane.raw.split("\n").slice(-scrollback - rows);
    return encodeFrame({
      kind: "snapshot",
      cols,
      rows,
      firstLine: pane.lines.length - kept.length,
      light: false,
      bytes: encoder.encode(kept.join("\n")),
    });
  }

  function prompt(pane: FakePane) {
    pane.marks.push({
      prompt: pane.lines.length - 1,
      output_from: null,
      output_to: null,
      command: null,
      exit: null,
      started_at: null,
      ended_at: null,
    });
    const name = pane.info.cwd.split("/").pop() || "/";
    print(pane.info.id, `\x1b[1;34m${name}\x1b[0m \x1b[32m❯\x1b[0m `);
  }

  function finish(pane: FakePane, exit: number, attention: Attention) {
    const mark = pane.marks.at(-1);
    if (mark) {
      mark.exit = exit;
      mark.output_to = pane.lines.length - 1;
      mark.ended_at = Date.now();
    }
    const marked = (pane.info.marked ?? 0) + 1;
    change(pane.info.id, { busy: false, last_exit: exit, attention, marked });
    prompt(pane);
  }

  function run(pane: FakePane, line: string) {
    const id = pane.info.id;
    const [command = "", ...args] = line.trim().split(/\s+/);
    if (command === "") return prompt(pane);
    const mark = pane.marks.at(-1);
    if (mark) {
      mark.command = line.trim();
      mark.cwd = pane.info.cwd;
      mark.output_from = pane.lines.length - 1;
      mark.started_at = Date.now();
    }
    const marked = (pane.info.marked ?? 0) + 1;
    change(id, { command: line.trim(), marked });
    switch (command) {
      case "echo":
        print(id, `${args.join(" ")}\r\n`);
        return finish(pane, 0, "idle");
      case "ls":
        print(
          id,
          "\x1b[34mcrates\x1b[0m  \x1b[34mdocs\x1b[0m  \x1b[34mui\x1b[0m  Cargo.toml  Makefile  README.md\r\n",
        );
        return finish(pane, 0, "idle");
      case "seq": {
        const count = Math.min(Number(args[0]) || 10, 100_000);
        let text = "";
        for (let n = 1; n <= count; n++) text += `${n}\r\n`;
        print(id, text);
        return finish(pane, 0, "idle");
      }
      case "cd":
        change(id, { cwd: args[0] ?? "/home/you" });
        return finish(pane, 0, "idle");
      case "false":
        return finish(pane, 1, "failed");
      case "sleep":
        change(id, { busy: true, attention: "working" });
        if (options.lively) {
          setTimeout(
            () => {
              const still = state.panes.get(id);
              if (still?.info.busy) finish(still, 0, "done");
            },
            (Number(args[0]) || 1) * 1000,
          );
        }
        return;
      case "exit":
        return exit(id, Number(args[0]) || 0);
      default:
        print(id, `sh: ${command}: command not found\r\n`);
        return finish(pane, 127, "failed");
    }
  }

  function type(pane: FakePane, data: string) {
    const id = pane.info.id;
    const text = data.replaceAll("\x1b[200~", "").replaceAll("\x1b[201~", "");
    for (const char of text) {
      if (char === "\r" || char === "\n") {
        const line = pane.typed;
        pane.typed = "";
        print(id, "\r\n");
        if (pane.info.busy) continue;
        run(pane, line);
      } else if (char === "\x03") {
        pane.typed = "";
        print(id, "^C\r\n");
        finish(pane, 130, "idle");
      } else if (char === "\x7f") {
        if (pane.typed === "") continue;
        pane.typed = [...pane.typed].slice(0, -1).join("");
        print(id, "\b \b");
      } else if (char >= " ") {
        pane.typed += char;
        print(id, char);
      }
    }
  }

  function exit(id: PaneId, code: number) {
    const pane = state.panes.get(id);
    if (!pane) return;
    change(id, {
      state: { state: "exited", code, signal: null },
      busy: false,
      attention: code === 0 ? "done" : "failed",
      ended_at: pane.info.opened_at + 1000,
    });
    const frame = encodeFrame({ kind: "ended" });
    for (const view of pane.views.values()) view(frame.slice(0));
  }

  function open(
    request: OpenPane,
    machine: MachineId = 0,
  ): Promise<Result<PaneInfo>> {
    const cwd = request.cwd ?? "/home/you";
    if (options.missing?.includes(cwd)) {
      return no(
        "not_started",
        `could not start \`bash\` in \`${cwd}\`: No such file or directory`,
      );
    }
    const id = machine * panesPerMachine + nextPane++;
    const info: PaneInfo = {
      id,
      program: [request.program ?? "/bin/bash", ...(request.args ?? [])],
      role: request.role ?? "shell",
      cwd,
      title: "",
      name: request.name ?? null,
      size: request.size ?? { cols: 80, rows: 24 },
      private: request.private ?? false,
      state: { state: "running", pid: 1000 + id },
      busy: false,
      attention: "idle",
      attention_message: null,
      progress: null,
      command: null,
      last_exit: null,
      marked: 0,
      ...(request.profile != null && { profile: request.profile }),
      opened_at: 1_700_000_000_000 + id * 60_000,
      ended_at: null,
    };
    const pane: FakePane = {
      info,
      raw: "",
      lines: [""],
      typed: "",
      marks: [],
      cell: null,
      views: new Map(),
    };
    state.panes.set(id, pane);
    const before = state.closed.get(request.continues ?? -1);
    if (before) standAbove(before, pane);
    tell({ event: "opened", pane: pane.info });
    prompt(pane);
    return ok(pane.info);
  }

  /** What a closed pane printed stands above the one in its place. */
  function standAbove({ info, lines }: FakePane, pane: FakePane): void {
    const until = info.ended_at;
    const end = {
      pane: info.id,
      line: lines.length,
      next: lines.length,
      until,
    };
    pane.info = { ...pane.info, earlier: [end] };
    pane.lines = [...lines, "", ""];
    pane.raw = `${lines.map((line) => `\x1b[2m${line}\x1b[0m\r\n`).join("")}\r\n`;
  }

  function withPane<T>(
    id: PaneId,
    act: (pane: FakePane) => Promise<Result<T>>,
  ): Promise<Result<T>> {
    const pane = state.panes.get(id);
    return pane ? act(pane) : no("bad_id", `there is no pane \`${id}\``);
  }

  function read(pane: FakePane, lines: ReadLines): Line[] {
    const all = pane.lines;
    const [from, to] =
      lines.from === "newest"
        ? [all.length - lines.count, all.length]
        : lines.from === "before"
          ? [lines.line - lines.count, lines.line]
          : [lines.line, lines.line + lines.count];
    const start = Math.max(from, 0);
    return all.slice(start, Math.max(to, 0)).map((text, index) => ({
      id: start + index,
      text,
      source: "ring" as const,
    }));
  }

  /** What a request looks for; or why it can't be looked for. */
  function compiled(request: SearchRequest): RegExp | Promise<Result<never>> {
    if (request.pattern === "" || request.pattern.length > 200) {
      return no("bad_params", "`pattern` must have 1 to 200 characters");
    }
    try {
      const smart =
        request.case === "smart" &&
        request.pattern === request.pattern.toLowerCase();
      const flags = request.case === "ignore" || smart ? "giu" : "gu";
      let source = request.regex
        ? request.pattern
        : request.pattern.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
      if (!request.regex) source = source.replaceAll("\\-", "-");
      if (request.whole_word) source = `\\b(?:${source})\\b`;
      if (/\(\?[=!<]/.test(request.pattern) && request.regex) {
        const position = request.pattern.indexOf("(?");
        return no(
          "bad_query",
          "look-around is not supported: it can't be searched in linear time",
          position,
        );
      }
      return new RegExp(source, flags);
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      const position = Math.max(request.pattern.search(/[([*+?{]/), 0);
      return no("bad_query", text.split(": ").pop() ?? text, position);
    }
  }

  async function searchTranscripts(
    _id: number,
    request: SearchRequest,
    onProgress: Parameters<Backend["searchTranscripts"]>[2],
  ): Promise<Result<TranscriptAnswer>> {
    const regex = compiled(request);
    if (!(regex instanceof RegExp)) return regex;
    await Promise.resolve();
    const hits = said.hits(request, regex);
    onProgress({ hits });
    const files = new Set(hits.map(({ conversation }) => conversation.file));
    return {
      status: "ok",
      data: {
        hits,
        total: hits.length,
        conversations: files.size,
        truncated: false,
        reason: null,
      },
    };
  }

  async function search(
    id: number,
    request: SearchRequest,
    onProgress: Parameters<Backend["search"]>[2],
  ): Promise<Result<SearchAnswer>> {
    const regex = compiled(request);
    if (!(regex instanceof RegExp)) return regex;
    await Promise.resolve();
    const wanted = ({ info }: { info: { cwd: string } }) =>
      !request.directory || `${info.cwd}/`.startsWith(`${request.directory}/`);
    const live = [...state.panes.values()].filter(wanted);
    const closed = [...state.closed.values()].filter(wanted);
    const panes =
      request.scope.panes === "pane"
        ? [...live, ...closed].filter(
            (pane) =>
              request.scope.panes === "pane" &&
              pane.info.id === request.scope.id,
          )
        : request.scope.panes === "live"
          ? live
          : request.scope.panes === "closed"
            ? closed
            : [...live, ...closed];
    const matches: Match[] = [];
    let total = 0;
    let found = 0;
    for (const pane of panes) {
      let any = false;
      const order = pane.lines.map((_, index) => index);
      if (request.order === "newest_first") order.reverse();
      for (const line of order) {
        if (cancelled.has(id)) break;
        if (
          request.lines &&
          (line < request.lines.from || line >= request.lines.to)
        )
          continue;
        const content = pane.lines[line] ?? "";
        const ranges: Range[] = [];
        for (const hit of content.matchAll(regex)) {
          if (hit[0] === "") continue;
          const end = hit.index + hit[0].length;
          ranges.push({
            start: hit.index,
            end,
            start_col: hit.index,
            end_col: end,
          });
        }
        if (ranges.length === 0) continue;
        any = true;
        total += 1;
        if (matches.length >= (request.limit ?? 50)) continue;
        const around = (from: number, to: number): Line[] =>
          pane.lines.slice(Math.max(from, 0), to).map((text, index) => ({
            id: Math.max(from, 0) + index,
            text,
            source: "ring",
          }));
        matches.push({
          pane: pane.info.id,
          line,
          line_number: line + 1,
          content,
          ranges,
          context_before: around(line - (request.context ?? 0), line),
          context_after: around(line + 1, line + 1 + (request.context ?? 0)),
          source: state.panes.has(pane.info.id) ? "ring" : "history",
          full_screen: false,
        });
      }
      if (any) found += 1;
    }
    onProgress({ progress: "found", matches });
    onProgress({ progress: "count", total, panes: found });
    const truncated = cancelled.delete(id);
    return {
      status: "ok",
      data: {
        matches,
        total,
        panes: found,
        truncated,
        reason: truncated ? "the search was cancelled" : null,
        cursor: null,
      },
    };
  }

  function listener<T>(listeners: Set<T>, added: T) {
    listeners.add(added);
    return () => {
      listeners.delete(added);
    };
  }

  function applySettings(changed: Partial<Settings>) {
    state.settings = { ...state.settings, ...changed };
    for (const told of settingsListeners)
      told({ outcome: "applied", settings: state.settings });
  }

  const agents = memoryAgents();
  const said = memoryTranscripts();
  return {
    ...memorySettings({
      settings: () => state.settings,
      apply: applySettings,
      ok,
      refuse: (message) => no("bad_params", message),
    }),
    ...memoryChanges(),
    ...memoryWorktrees(),
    ...memoryWindows(),
    ...memoryConflicts(),
    ...agents,
    agents,
    ...memoryFlows(options),
    state,
    print,
    change,
    tell,
    exit,
    tellSettings: applySettings,
    refuseSettings(message) {
      for (const told of settingsListeners)
        told({ outcome: "refused", message });
    },
    tellHost(host) {
      for (const told of hostListeners) told(host);
    },
    tellMachines(all) {
      machines = all;
      for (const told of machineListeners) told(all);
    },
    want(wanted) {
      state.wanted = wanted;
      for (const told of wishListeners) told();
    },
    drop(paths, at) {
      for (const told of dropListeners) told(paths, at);
    },

    openPane: (request) => open(request),
    openPaneOn: (machine, request) => open(request, machine),
    listMachines: () => ok(machines),
    reachMachine: (machine) => {
      state.reached.push(machine);
      return ok(null);
    },
    listPanes: () => ok([...state.panes.values()].map((pane) => pane.info)),
    closePane: (id) =>
      withPane(id, (pane) => {
        state.panes.delete(id);
        if (!pane.info.private) state.closed.set(id, pane);
        tell({ event: "closed", id });
        return ok(null);
      }),
    renamePane: (id, name) =>
      withPane(id, () => {
        change(id, { name });
        return ok(null);
      }),
    resizePane: (id, size: PaneSize) =>
      withPane(id, (pane) => {
        pane.info = { ...pane.info, size };
        for (const view of pane.views.values()) view(snapshot(pane, 1000));
        return ok(null);
      }),
    setCell: (id, cell) =>
      withPane(id, (pane) => {
        pane.cell = cell;
        return ok(null);
      }),
    writePane: (id, data) =>
      withPane(id, (pane) => {
        state.written.push({ pane: id, data });
        if (pane.info.state.state === "running") type(pane, data);
        return ok(null);
      }),
    seenPane: (id) =>
      withPane(id, (pane) => {
        const { attention } = pane.info;
        if (attention === "done" || attention === "failed")
          change(id, { attention: "idle" });
        return ok(null);
      }),
    attachPane: (id, scrollback, onFrame) =>
      withPane(id, (pane) => {
        const attachment = nextView++;
        views.set(attachment, id);
        pane.views.set(attachment, onFrame);
        onFrame(snapshot(pane, scrollback));
        return ok(attachment);
      }),
    ackPane: (_attachment, bytes) => {
      state.acked += bytes;
      return ok(null);
    },
    detachPane: (attachment) => {
      const id = views.get(attachment);
      views.delete(attachment);
      if (id !== undefined) state.panes.get(id)?.views.delete(attachment);
      return ok(null);
    },
    readLines: (id, lines) => {
      const pane = state.panes.get(id) ?? state.closed.get(id);
      return pane
        ? ok(read(pane, lines))
        : no("bad_id", `there is no pane \`${id}\``);
    },
    paneMarks: (id) => withPane(id, (pane) => ok(structuredClone(pane.marks))),
    paneImage: (id) => withPane(id, () => ok(null)),
    commandOutput: (id, prompt) =>
      withPane(id, (pane) => {
        const mark = pane.marks.find((mark) => mark.prompt === prompt);
        if (!mark) return ok(null);
        const from = mark.output_from ?? pane.lines.length;
        const printed = pane.lines.slice(from, mark.output_to ?? undefined);
        const text = printed.map((line) => `${line}\n`).join("");
        return ok({ mark: structuredClone(mark), text, cut: false });
      }),
    closedPanes: () =>
      ok(
        [...state.closed.values()].map(
          ({ info }): ClosedPane => ({
            id: info.id,
            program: info.program,
            role: info.role,
            cwd: info.cwd,
            title: info.title,
            name: info.name,
            command: info.command,
            opened_at: info.opened_at,
            ended_at: info.ended_at,
          }),
        ),
      ),
    purgeHistory: (id) => {
      if (id === null) state.closed.clear();
      else state.closed.delete(id);
      return ok(null);
    },
    search,
    searchTranscripts,
    readTranscript: said.readTranscript,
    transcripts: said.transcripts,
    cancelSearch: (id) => {
      cancelled.add(id);
      return ok(null);
    },
    loadSession: () => ok(state.session),
    saveSession: (json) => {
      state.session = json;
      return ok(null);
    },
    listLayouts: () =>
      ok(
        [...state.layouts].map(([name, { root, tree }]) => ({
          ...{ name, root },
          panes: JSON.stringify(tree).split('"cwd"').length - 1,
        })),
      ),
    loadLayout: (name) => {
      const layout = state.layouts.get(name);
      return layout
        ? ok(layout)
        : no("bad_id", `no layout is called \`${name}\``);
    },
    saveLayout: (name, layout) => {
      state.layouts.set(name.trim(), layout);
      return ok(null);
    },
    removeLayout: (name) => {
      state.layouts.delete(name);
      return ok(null);
    },
    takeWantedLayout: () => {
      const { wanted } = state;
      state.wanted = null;
      return ok(wanted);
    },
    onLayoutWanted: (added) => listener(wishListeners, added),
    windowState: () => ok(state.window),
    rememberSearch: (pattern) => {
      const others = state.window.searches.filter((one) => one !== pattern);
      state.window.searches = [pattern, ...others];
      return ok(state.window.searches);
    },
    rememberFolder: (path) => {
      const others = state.window.folders.filter((one) => one !== path);
      state.window.folders = [path, ...others];
      return ok(state.window.folders);
    },
    lookForFolders: (typed) => {
      const folders = options.folders ?? [];
      const there = folders.some((one) => `${one}/`.startsWith(typed));
      const problem =
        options.folders === undefined || there
          ? null
          : `there is no folder \`${typed}\``;
      const parent = typed.slice(0, typed.lastIndexOf("/") + 1);
      const below = folders
        .filter((one) => one.startsWith(typed))
        .filter((one) => !one.slice(parent.length).includes("/"))
        .map((path) => ({ path, repository: false }));
      return ok({ problem, below, more: false });
    },
    saveFrame: (frame) => {
      state.window.frame = frame;
      return ok(null);
    },
    saveDrawing: (drawing) => {
      state.window.drawing = drawing;
      return ok(null);
    },
    listDrafts: () => ok(state.drafts),
    keepDraft: (draft) => {
      const others = state.drafts.filter(({ place }) => place !== draft.place);
      state.drafts = [draft, ...others];
      return ok(null);
    },
    dropDraft: (gone) => {
      state.drafts = state.drafts.filter(({ place }) => place !== gone);
      return ok(null);
    },
    setColours: (colours) => {
      state.colours = colours;
      return ok(null);
    },
    loadSettings: () => ok(state.settings),
    startupNotices: () =>
      ok({ about_settings: [], others: [], ...options.notices }),
    settingsFiles: () =>
      ok({
        settings: "/home/you/.config/switchyard/settings.json",
        keys: "/home/you/.config/switchyard/keys.json",
        agents: "/home/you/.config/switchyard/agents.json",
      }),
    readClipboard: () => ok(state.clipboard),
    writeClipboard: (text) => {
      state.clipboard = text;
      return ok(null);
    },
    findFiles: (_pane, names) => ok(names.map(() => null)),
    openInEditor: ({ path }) =>
      open({
        program: "vi",
        args: [path],
        name: path.slice(path.lastIndexOf("/") + 1),
      }),
    openLink: (url) => {
      state.opened.push(url);
      return ok(null);
    },
    notifyPerson: (title, body) => {
      state.notified.push({ title, body });
      return ok(null);
    },
    saveText: (name, text) => {
      state.saved.push({ name, text });
      return ok(`/home/you/Downloads/${name}`);
    },
    platform: () =>
      ok({
        version: "0.1.0",
        home: "/home/you",
        host: "detached",
        software_rendering: true,
      }),
    memoryUse: () => ok({ window_mb: 210, host_mb: 24 }),
    promptOnScreen: () => ok(null),
    setTitle: (title) => {
      document.title = title;
    },
    setZoom: (factor) => {
      state.zoom = factor;
    },
    onPaneHappened: (added) => listener(paneListeners, added),
    onSettingsChanged: (added) => listener(settingsListeners, added),
    onMachinesChanged: (added) => listener(machineListeners, added),
    onHostChanged: (added) => listener(hostListeners, added),
    onDrop: (added) => listener(dropListeners, added),
  };
}
