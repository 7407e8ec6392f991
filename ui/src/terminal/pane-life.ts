import { backend } from "../backend/backend";
import type {
  FilePlace,
  MachineId,
  OpenPane,
  PaneId,
  PaneInfo,
  Profile,
} from "../bindings";
import { type ClosedPanel, closePanel, putBack } from "../shared/dock/closed";
import { activePanel, type Where } from "../shared/dock/dock";
import { machineOfPane } from "../shared/machines";
import { notify, reportFailure } from "../shared/notices";
import { useSettings } from "../shared/settings-store";
import { windowOfPane } from "../shared/windows";
import { forgetPane } from "./hosts";
import { usePanes } from "./pane-store";
import {
  activePane,
  openTab,
  panelOfPane,
  paneOfParams,
  showPane,
  TERMINAL,
} from "./pane-tabs";
import { ask } from "./questions";

/** The panel of the terminal that was opened last. */
let openedLast: string | null = null;

/**
 * Opens a new pane, in the directory of the active one unless told otherwise. It comes to the front, unless the person
 * has turned to another one while its program started.
 */
export async function newTerminal(
  where: Where = "tab",
  request: Partial<OpenPane> = {},
  /** On which; not said: where the active pane is, unless the directory is said. */
  on?: MachineId | null,
): Promise<PaneInfo | null> {
  const inFront = activePanel()?.id;
  const current = activePane();
  const machine =
    on !== undefined || request.cwd || current === null
      ? (on ?? null)
      : machineOfPane(current);
  const profile = profileOf(request.profile);
  // Another machine's directory means nothing on this one, nor the other way round.
  const near = current !== null && machineOfPane(current) === machine;
  const cwd = profile?.cwd
    ? null
    : (request.cwd ?? (near ? await currentDirectory() : null));
  const wanted = {
    ...usualShell(machine),
    ...request,
    cwd,
    // Rust knows what is meant where nothing is said.
    ...(profile && { program: null }),
  };
  // Where the person said so, and nowhere else; the directory of the active pane was but a guess.
  const opened =
    request.cwd || profile?.cwd
      ? await openPane(wanted, machine)
      : await openPaneNear(wanted, machine);
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

/** A profile of the settings, by its name. */
export function profileOf(name: string | null | undefined): Profile | null {
  if (name == null) return null;
  return useSettings.getState().settings?.profiles?.[name] ?? null;
}

/** The shell of the settings; on another machine, the person's shell there. */
export function usualShell(
  machine: MachineId | null = null,
): Partial<OpenPane> {
  const { settings } = useSettings.getState();
  return {
    scrollback_lines: settings?.scrollback_lines ?? null,
    no_shell_integration: settings ? !settings.shell_integration : false,
    program: machine === null ? (settings?.shell ?? null) : null,
  };
}

/** Where the active pane works; asked anew, as nothing tells when a program has gone elsewhere. */
export async function currentDirectory(): Promise<string | null> {
  const current = activePane();
  if (current === null) return null;
  const listed = await backend.listPanes();
  if (listed.status === "error")
    return usePanes.getState().panes[current]?.cwd ?? null;
  return listed.data.find(({ id }) => id === current)?.cwd ?? null;
}

/** Opens a pane without a tab; when its directory or its program can't be used, that is said. */
export async function openPane(
  request: OpenPane,
  machine: MachineId | null = null,
): Promise<PaneInfo | null> {
  return took(await openOn(machine, request));
}

async function openOn(
  machine: MachineId | null,
  request: OpenPane,
): ReturnType<typeof backend.openPane> {
  if (machine === null) return backend.openPane(request);
  const reached = await backend.reachMachine(machine);
  if (reached.status === "error") return reached;
  return backend.openPaneOn(machine, request);
}

/** As `openPane`; where the directory can't be used, that is said, and home is taken instead. */
export async function openPaneNear(
  request: OpenPane,
  machine: MachineId | null = null,
): Promise<PaneInfo | null> {
  const opened = await openOn(machine, request);
  if (opened.status === "ok" || opened.error.code !== "not_started")
    return took(opened);
  const { cwd: _gone, ...elsewhere } = request;
  const again = await openOn(machine, elsewhere);
  if (again.status === "error") return took(opened);
  notify(
    "warning",
    `${opened.error.message}. The pane starts at home instead.`,
  );
  return took(again);
}

/** Opens a file at its place in the person's editor, in a tab beside the one in front. */
export async function openInEditor(place: FilePlace): Promise<void> {
  const opened = took(await backend.openInEditor(place));
  if (opened) showPane(opened.id);
}

/** Takes over a pane that was opened, or says why it was not. */
function took(
  opened: Awaited<ReturnType<typeof backend.openPane>>,
): PaneInfo | null {
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
  // Asked anew: what was told last may be older than the program that was started just now, or than where its shell went.
  const listed = await backend.listPanes();
  const now =
    listed.status === "ok" && listed.data.find(({ id }) => id === pane);
  if (now)
    usePanes.setState(({ panes }) => ({ panes: { ...panes, [pane]: now } }));
  if (usePanes.getState().panes[pane]?.busy) ask({ ask: "close", pane });
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
  profile: string | null;
}

/** Closes the panes whose programs have ended, or those of them that are `wanted`. */
export async function closeEnded(
  wanted: (pane: PaneInfo) => boolean = () => true,
): Promise<void> {
  for (const pane of endedPanes().filter(wanted)) await closePane(pane.id);
}

/** The panes whose programs have ended. */
export function endedPanes(): PaneInfo[] {
  const { panes } = usePanes.getState();
  return Object.values(panes).filter(({ state }) => state.state === "exited");
}

/** Takes a closed pane off the screen; `info` is what was known of it. */
export function paneIsGone(pane: PaneId, info?: PaneInfo): void {
  const panel = panelOfPane(pane);
  const was: PaneWas | undefined = info && {
    cwd: info.cwd,
    name: info.name,
    private: info.private,
    profile: info.profile ?? null,
  };
  if (panel) closePanel(panel.id, { ...was });
  forgetPane(pane);
}

/**
 * Brings a closed tab back where it was: its pane when that still runs, else a shell of the same name in the same directory,
 * below what it had printed.
 * Says which pane it shows.
 */
export async function reopenTerminal(
  closed: ClosedPanel,
): Promise<PaneId | null> {
  const old = paneOfParams(closed.params);
  let pane = old;
  if (old === null || !usePanes.getState().panes[old]) {
    const was = closed.was as Partial<PaneWas>;
    const machine = old === null ? null : machineOfPane(old);
    const request = { ...again(was, machine), continues: old };
    pane = (await openPaneNear(request, machine))?.id ?? null;
  }
  if (pane === null) return null;
  if (windowOfPane(pane) !== null) {
    showPane(pane);
    return pane;
  }
  const { title } = closed;
  const id = `${TERMINAL}-${pane}`;
  putBack(closed, { id, kind: TERMINAL, title, params: { pane } });
  showPane(pane);
  return pane;
}

/** What opens a shell, or a pane of the same profile as long as there is one, in the place of a pane that is gone. */
export function again<Was extends { profile?: string | null }>(
  { profile, ...was }: Was,
  machine: MachineId | null = null,
) {
  const shell = usualShell(machine);
  if (!profileOf(profile)) return { ...shell, ...was };
  return { ...shell, ...was, program: null, profile: profile ?? null };
}

/** Starts what a pane ran anew, in its place. */
export async function restartPane(pane: PaneId): Promise<void> {
  const info = usePanes.getState().panes[pane];
  const panel = panelOfPane(pane);
  if (!info || !panel) return;
  const [program, ...args] = info.program;
  const wanted = {
    program: program ?? null,
    args,
    cwd: info.cwd,
    name: info.name,
    role: info.role,
    private: info.private,
    size: info.size,
    profile: profileOf(info.profile) ? (info.profile ?? null) : null,
  };
  const opened = await openPane(wanted, machineOfPane(pane));
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
