import { backend } from "../backend/backend";
import type {
  CommandMark,
  LineId,
  OpenPane,
  PaneId,
  PaneInfo,
} from "../bindings";
import { type ClosedPanel, closePanel, putBack } from "../shared/dock/closed";
import {
  activate,
  activePanel,
  findPanel,
  openPanel,
  type Where,
} from "../shared/dock/dock";
import { notify, reportFailure } from "../shared/notices";
import { useSettings } from "../shared/settings-store";
import { forgetPane, hostOf, liveHosts, withHost } from "./hosts";
import { paneTitle, usePanes } from "./pane-store";
import { pasteRisk } from "./paste-guard";
import { ask } from "./questions";
import type { MarkedMatch } from "./xterm-host";

export const TERMINAL = "terminal";

/** The pane that a panel shows; `null` when it shows something else. */
export function paneOfParams(params: unknown): PaneId | null {
  if (typeof params !== "object" || params === null) return null;
  const pane = (params as { pane?: unknown }).pane;
  return typeof pane === "number" ? pane : null;
}

export function panelOfPane(pane: PaneId) {
  return findPanel(
    (panel) =>
      panel.api.component === TERMINAL && paneOfParams(panel.params) === pane,
  );
}

/** The pane whose tab has the focus. */
export function activePane(): PaneId | null {
  const panel = activePanel();
  if (!panel || panel.api.component !== TERMINAL) return null;
  return paneOfParams(panel.params);
}

/** Opens the tab of a pane, or brings it forward; the keys are its own then, unless they are to stay where they are. */
export function showPane(
  pane: PaneId,
  where: Where = "tab",
  focus = true,
): void {
  const present = panelOfPane(pane);
  if (present) activate(present);
  else openTab(pane, where);
  if (!focus) return;
  withHost(pane, (host) => {
    // By the time it shows something, the person may have turned to another one.
    if (activePane() === pane) host.focus();
  });
}

function openTab(pane: PaneId, where: Where, quiet = false): void {
  const info = usePanes.getState().panes[pane];
  openPanel(
    {
      id: `${TERMINAL}-${pane}`,
      kind: TERMINAL,
      title: info ? paneTitle(info) : "",
      params: { pane },
    },
    where,
    quiet,
  );
}

/** The panel of the terminal that was opened last. */
let openedLast: string | null = null;

/**
 * Opens a new pane, in the directory of the active one unless told otherwise. It comes to the front, unless the person
 * has turned to another one while its program started.
 */
export async function newTerminal(
  where: Where = "tab",
  request: Partial<OpenPane> = {},
): Promise<PaneInfo | null> {
  const inFront = activePanel()?.id;
  const cwd = request.cwd ?? (await currentDirectory());
  const opened = await openPane({ ...usualShell(), ...request, cwd });
  if (!opened) return null;
  const now = activePanel()?.id;
  if (now !== undefined && now !== inFront && now !== openedLast) {
    openTab(opened.id, "tab", true);
  } else {
    showPane(opened.id, where);
    openedLast = activePanel()?.id ?? null;
  }
  return opened;
}

/** The shell of the settings. */
function usualShell(): Partial<OpenPane> {
  const { settings } = useSettings.getState();
  return {
    scrollback_lines: settings?.scrollback_lines ?? null,
    no_shell_integration: settings ? !settings.shell_integration : false,
    program: settings?.shell ?? null,
  };
}

/** Where the active pane works; asked anew, as nothing tells when a program has gone elsewhere. */
async function currentDirectory(): Promise<string | null> {
  const current = activePane();
  if (current === null) return null;
  const listed = await backend.listPanes();
  if (listed.status === "error")
    return usePanes.getState().panes[current]?.cwd ?? null;
  return listed.data.find(({ id }) => id === current)?.cwd ?? null;
}

/** Opens a pane without a tab; a directory that can't be used is said, and home is taken instead. */
export async function openPane(request: OpenPane): Promise<PaneInfo | null> {
  let opened = await backend.openPane(request);
  if (
    opened.status === "error" &&
    opened.error.code === "not_started" &&
    request.cwd
  ) {
    const { cwd: _gone, ...elsewhere } = request;
    const again = await backend.openPane(elsewhere);
    if (again.status === "ok")
      notify(
        "warning",
        `${opened.error.message}. The pane starts at home instead.`,
      );
    opened = again.status === "ok" ? again : opened;
  }
  if (opened.status === "error") {
    notify("error", opened.error.message);
    return null;
  }
  const { data } = opened;
  usePanes.setState(({ panes }) => ({
    panes: { ...panes, [data.id]: panes[data.id] ?? data },
  }));
  return data;
}

/** Closes a pane; asks first when a program would be ended by it. */
export async function requestClose(pane: PaneId): Promise<void> {
  // Asked anew: what was told last may be older than the program that was started just now.
  const listed = await backend.listPanes();
  const info =
    listed.status === "ok"
      ? listed.data.find((listed) => listed.id === pane)
      : usePanes.getState().panes[pane];
  if (info?.busy) ask({ ask: "close", pane });
  else void closePane(pane);
}

/** Ends a pane and its tab. */
export async function closePane(pane: PaneId): Promise<void> {
  const info = usePanes.getState().panes[pane];
  const closed = await backend.closePane(pane);
  if (closed.status === "error" && closed.error.code !== "bad_id") {
    notify("error", closed.error.message);
    return;
  }
  paneIsGone(pane, info);
}

/** What a shell needs to take the place of a pane. */
interface PaneWas {
  cwd: string;
  name: string | null;
  private: boolean;
}

/** Takes a closed pane off the screen; `info` is what was known of it. */
export function paneIsGone(pane: PaneId, info?: PaneInfo): void {
  const panel = panelOfPane(pane);
  const was: PaneWas | undefined = info && {
    cwd: info.cwd,
    name: info.name,
    private: info.private,
  };
  if (panel) closePanel(panel.id, { ...was });
  forgetPane(pane);
}

/**
 * Brings a closed tab back where it was: its pane when that still runs, else a shell of the same name in the same directory.
 * Says which pane it shows.
 */
export async function reopenTerminal(
  closed: ClosedPanel,
): Promise<PaneId | null> {
  const old = paneOfParams(closed.params);
  let pane = old;
  if (old === null || !usePanes.getState().panes[old]) {
    const was = closed.was as Partial<PaneWas>;
    pane = (await openPane({ ...usualShell(), ...was }))?.id ?? null;
  }
  if (pane === null) return null;
  const { title } = closed;
  const id = `${TERMINAL}-${pane}`;
  putBack(closed, { id, kind: TERMINAL, title, params: { pane } });
  showPane(pane);
  return pane;
}

/** Takes a pane's tab away; its program goes on, and the sidebar keeps it. */
export function hideTab(pane: PaneId): void {
  const panel = panelOfPane(pane);
  if (panel) closePanel(panel.id);
}

/** Starts what a pane ran anew, in its place. */
export async function restartPane(pane: PaneId): Promise<void> {
  const info = usePanes.getState().panes[pane];
  const panel = panelOfPane(pane);
  if (!info || !panel) return;
  const [program, ...args] = info.program;
  const opened = await openPane({
    program: program ?? null,
    args,
    cwd: info.cwd,
    name: info.name,
    role: info.role,
    private: info.private,
    size: info.size,
  });
  if (!opened) return;
  panel.api.updateParameters({ pane: opened.id });
  await closeBehind(pane);
}

async function closeBehind(pane: PaneId): Promise<void> {
  reportFailure(await backend.closePane(pane));
  forgetPane(pane);
}

export async function renamePane(pane: PaneId, name: string): Promise<void> {
  const clean = name.trim();
  reportFailure(await backend.renamePane(pane, clean === "" ? null : clean));
}

/** Removes what closed panes printed from disk. */
export async function purgePanes(panes: PaneId[]): Promise<void> {
  for (const pane of panes)
    if (reportFailure(await backend.purgeHistory(pane))) return;
  notify(
    "info",
    `The history of ${panes.length} closed pane${panes.length === 1 ? "" : "s"} is gone.`,
  );
}

// ---- Clipboard

export async function copySelection(): Promise<void> {
  const pane = activePane();
  const text = pane === null ? "" : (hostOf(pane)?.selection ?? "");
  if (text === "") return;
  reportFailure(await backend.writeClipboard(text));
}

export function selectedText(): string {
  const pane = activePane();
  return pane === null ? "" : (hostOf(pane)?.selection ?? "");
}

export async function pasteClipboard(pane = activePane()): Promise<void> {
  if (pane === null) return;
  const clipboard = await backend.readClipboard();
  if (reportFailure(clipboard)) return;
  if (clipboard.status === "ok") pasteText(pane, clipboard.data);
}

/** What the middle button pastes: what is selected in a pane, else what is on the clipboard. */
export async function pasteSelection(pane: PaneId): Promise<void> {
  const selected = liveHosts().find((host) => host.selection !== "");
  if (selected) pasteText(pane, selected.selection);
  else await pasteClipboard(pane);
}

/** Pastes text; asks first when it could run something that was not meant. */
export function pasteText(pane: PaneId, text: string): void {
  if (text === "") return;
  const risk = pasteRisk(text);
  if (useSettings.getState().settings?.paste_guard !== false && risk)
    ask({ ask: "paste", pane, text, risk });
  else hostOf(pane)?.paste(text);
}

// ---- Prompts and commands

async function marksOf(pane: PaneId): Promise<CommandMark[]> {
  const marks = await backend.paneMarks(pane);
  return marks.status === "ok" ? marks.data : [];
}

/** Scrolls to the prompt before or after the top of the view. */
export async function goToPrompt(step: 1 | -1): Promise<void> {
  const pane = activePane();
  if (pane === null) return;
  const host = hostOf(pane);
  const top = host?.topLine() ?? null;
  const marks = await marksOf(pane);
  if (!host || top === null) return;
  if (marks.length === 0) {
    notify("info", "The shell of this pane does not mark its prompts.");
    return;
  }
  const prompts = marks.map((mark) => mark.prompt);
  const target =
    step < 0
      ? prompts.filter((line) => line < top).at(-1)
      : prompts.find((line) => line > top);
  if (target === undefined) {
    if (step > 0) host.scrollToEnd();
    return;
  }
  host.revealAtTop(target);
}

/** The lines that the last command with output printed: from the first, to the one after the last. */
export async function lastOutput(
  pane: PaneId,
): Promise<{ from: LineId; to: LineId } | null> {
  const marks = await marksOf(pane);
  for (const { output_from: from, output_to: to } of marks.reverse())
    if (from !== null && to !== null && to > from) return { from, to };
  return null;
}

/** Copies what the last command printed. */
export async function copyLastOutput(): Promise<void> {
  const pane = activePane();
  if (pane === null) return;
  const output = await lastOutput(pane);
  if (!output) {
    notify("info", "The shell of this pane has not marked a command's output.");
    return;
  }
  const lines = await backend.readLines(pane, {
    from: "after",
    line: output.from,
    count: Math.min(output.to - output.from, 100_000),
  });
  if (lines.status === "error") {
    notify("error", lines.error.message);
    return;
  }
  const text = lines.data
    .filter((line) => line.id < output.to)
    .map((line) => line.text)
    .join("\n");
  if (reportFailure(await backend.writeClipboard(text))) return;
  notify("info", "The last command's output is on the clipboard.");
}

/**
 * Brings a pane forward and a line of it into view. Calls `older` when the view does not hold that line.
 */
export function revealLine(
  pane: PaneId,
  match: MarkedMatch,
  focus: boolean,
  older: () => void,
): void {
  if (!usePanes.getState().panes[pane]) {
    older();
    return;
  }
  showPane(pane, "tab", false);
  withHost(pane, (host) => {
    const column = match.ranges[0]?.start_col;
    if (!host.reveal(match.line, match.content, column)) older();
    else if (focus) host.focus();
  });
}
