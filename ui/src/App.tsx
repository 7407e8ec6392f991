import type {
  DockviewApi,
  IDockviewHeaderActionsProps,
  IDockviewPanelHeaderProps,
  IDockviewPanelProps,
} from "dockview-react";
import { useEffect, useRef, useState } from "react";
import { AgentQuestions } from "./agents/AgentQuestions";
import { AgentsHub } from "./agents/AgentsHub";
import { AgentTab } from "./agents/AgentTab";
import { AGENT, AGENTS } from "./agents/actions";
import { agentCommands } from "./agents/agent-commands";
import { followAgents } from "./agents/agent-needs";
import { startAgents } from "./agents/agent-store";
import { StatusAgents } from "./agents/StatusAgents";
import { AgentPanel } from "./agents-in-window";
import { backend } from "./backend/backend";
import { ConflictsItem } from "./conflicts/ConflictsItem";
import { ConflictsPanel } from "./conflicts/ConflictsPanel";
import {
  CONFLICT,
  ConflictPanel,
  conflictCommands,
  followConflicts,
  openConflict,
  openRepository,
  REPOSITORY,
  RepositoryPanel,
  showConflicts,
} from "./conflicts-in-panes";
import { flowCommands } from "./flow/flow-commands";
import { StartDialog } from "./flow/StartDialog";
import { StepAside } from "./flow/StepAside";
import { flowViews, startFlowsInWindow } from "./flow-in-window";
import { openPalette, Palette } from "./palette/Palette";
import { Sidebar } from "./Sidebar";
import { FindBar } from "./search/FindBar";
import { HistoryView } from "./search/HistoryView";
import { SearchPanel } from "./search/SearchPanel";
import type { Place } from "./search/search-store";
import {
  focusPane,
  followMarks,
  goToMatch,
  goWithinPane,
  HISTORY,
  labelOf,
  openPanelSearch,
  searchCommands,
} from "./search-in-panes";
import { IconButton } from "./shared/Button";
import {
  keyOf,
  listenForKeys,
  registerCommands,
  useCommands,
} from "./shared/commands";
import { Dock } from "./shared/dock/Dock";
import { activate, toggleZoom, useDock } from "./shared/dock/dock";
import { Tab } from "./shared/dock/Tab";
import {
  CommandIcon,
  PlusIcon,
  SearchIcon,
  SidebarIcon,
  SplitDownIcon,
  SplitRightIcon,
  UnzoomIcon,
  ZoomIcon,
} from "./shared/icons";
import { Notices } from "./shared/Notices";
import { followNeeds, goToNextNeed } from "./shared/needs-you";
import { notify, reportFailure } from "./shared/notices";
import { startRepositories } from "./shared/repositories";
import { startSettings, useScheme, useSettings } from "./shared/settings-store";
import {
  activePane,
  newTerminal,
  paneOfParams,
  pasteText,
  TERMINAL,
} from "./terminal/actions";
import { followAttention } from "./terminal/attention";
import { attachAnew } from "./terminal/hosts";
import {
  listPanes,
  paneTitle,
  startPanes,
  usePanes,
} from "./terminal/pane-store";
import { shellWord } from "./terminal/paste-guard";
import { Questions } from "./terminal/Questions";
import { StatusItems } from "./terminal/StatusItems";
import { followSession, restoreSession } from "./terminal/session";
import { TerminalTab } from "./terminal/TerminalTab";
import { TerminalView } from "./terminal/TerminalView";
import { terminalCommands } from "./terminal/terminal-commands";
import { askForFolder, FolderDialog } from "./workspace/FolderDialog";
import { Frame } from "./workspace/Frame";
import { NeedsYouItem } from "./workspace/NeedsYou";
import { Welcome } from "./workspace/Welcome";
import { showAside, toggleSidebar } from "./workspace/workspace-store";

/**
 * The window, and the one file that puts features side by side. A feature comes in here: its commands, its kind of panel,
 * its part of the sidebar, its right side, its part of the status bar.
 */
export function App() {
  const ready = useStart();
  const scheme = useScheme();
  const home = useSettings((state) => state.platform?.home ?? "");
  useEffect(() => {
    document.documentElement.dataset.theme = scheme;
  }, [scheme]);
  useWindowTitle();
  if (!ready) return null;
  return (
    <>
      <Frame
        sidebar={<Sidebar />}
        asides={{
          search: (
            <SearchPanel
              labelOf={labelOf}
              onMatch={goToMatch}
              onClose={leaveAside}
            />
          ),
          step: <StepAside />,
          conflicts: (
            <ConflictsPanel
              onOpen={openConflict}
              onRepository={openRepository}
              onAddFolder={askForFolder}
              onClose={leaveAside}
            />
          ),
        }}
        status={<StatusBar />}
      >
        <Dock
          views={{
            [TERMINAL]: TerminalPanel,
            [HISTORY]: HistoryPanel,
            [AGENTS]: AgentsHub,
            [AGENT]: AgentPanel,
            ...flowViews,
            [CONFLICT]: ConflictPanel,
            [REPOSITORY]: RepositoryPanel,
            welcome: Welcome,
          }}
          tab={TabOf}
          empty={EmptyDock}
          actions={GroupActions}
          onReady={startDock}
        />
      </Frame>
      <Palette />
      <Questions />
      <AgentQuestions />
      <StartDialog />
      <FolderDialog home={home} onFolder={openFolder} />
      <Notices />
    </>
  );
}

/** The window is called after the pane that is in front. */
function useWindowTitle(): void {
  const activeId = useDock((state) => state.activeId);
  const api = useDock((state) => state.api);
  const title = usePanes((state) => {
    const panel = activeId === null ? undefined : api?.getPanel(activeId);
    const pane = paneOfParams(panel?.params);
    const info = pane === null ? undefined : state.panes[pane];
    return info ? paneTitle(info) : "";
  });
  useEffect(() => {
    backend.setTitle(title === "" ? "Switchyard" : `${title} · Switchyard`);
  }, [title]);
}

/** The browser's menu is no menu of ours; texts that can be edited keep theirs. */
function withoutBrowserMenu(): () => void {
  const stop = (event: Event) => {
    if (!(event.target instanceof HTMLInputElement)) event.preventDefault();
  };
  window.addEventListener("contextmenu", stop);
  return () => window.removeEventListener("contextmenu", stop);
}

/** Everything that lives as long as the page. */
function useStart(): boolean {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    let stopped = false;
    const stops: (() => void)[] = [
      registerCommands([
        ...workspaceCommands(),
        ...terminalCommands(),
        ...searchCommands(),
        ...agentCommands(),
        ...flowCommands(),
        ...conflictCommands(),
      ]),
      followMarks(),
      followConflicts(),
      listenForKeys(window),
      withoutBrowserMenu(),
      leaveSession,
      backend.onDrop(dropped),
      followNeeds(),
      followAttention(),
      backend.onHost((host) => {
        if (host.state !== "down") void hostIsBack(host.state === "restarted");
      }),
    ];
    const own = (stop: () => void) => {
      if (stopped) stop();
      else stops.push(stop);
    };
    void startRepositories().then(own);
    stops.push(followAgents());
    // Nothing of the window waits for an agent's host.
    void startAgents().then(own);
    void startFlowsInWindow().then(own);
    void Promise.all([startSettings().then(own), startPanes().then(own)]).then(
      () => {
        if (!stopped) setReady(true);
      },
    );
    return () => {
      stopped = true;
      for (const stop of stops) stop();
    };
  }, []);
  return ready;
}

let stopSession: (() => void) | null = null;

function leaveSession(): void {
  stopSession?.();
  stopSession = null;
}

/** Puts the session into the dock, and follows it from then on. */
async function startDock(api: DockviewApi): Promise<void> {
  leaveSession();
  // Without a list of what lives, everything would seem gone: the session waits until the host answers.
  if (!usePanes.getState().listed) return;
  const restored = await restoreSession(api);
  if (restored === "first") {
    await newTerminal();
    api.addPanel({
      id: "welcome",
      component: "welcome",
      title: "Welcome",
      inactive: true,
      position: { direction: "right" },
      initialWidth: Math.round(api.width * 0.4),
    });
  }
  useDock.setState({ settled: true });
  stopSession = followSession(api);
}

/** The host is back: the same one, whose panes are attached to anew, or another, in which the session is restored. */
async function hostIsBack(another: boolean): Promise<void> {
  const { api } = useDock.getState();
  const known = usePanes.getState().listed;
  if (another) {
    // What was saved last is what is restored: the panes that are gone must not be taken out of it first.
    leaveSession();
  }
  if (!(await listPanes())) return;
  attachAnew();
  if (api && (another || !known)) await startDock(api);
}

function EmptyDock() {
  return useDock((state) => state.settled) ? <Welcome /> : null;
}

/** What is dropped on a pane is typed into it, as paths; a folder that is dropped elsewhere opens a terminal. */
function dropped(paths: string[], at: { x: number; y: number }): void {
  const target = document.elementFromPoint(at.x, at.y);
  const pane = target?.closest<HTMLElement>("[data-pane]")?.dataset.pane;
  if (pane !== undefined)
    pasteText(Number(pane), paths.map(shellWord).join(" "));
  else for (const path of paths) openFolder(path);
}

function openFolder(path: string): void {
  // A folder that is in no repository is a folder.
  void backend.addRepository(path);
  void newTerminal("tab", { cwd: path });
}

function TerminalPanel({ api, containerApi, params }: IDockviewPanelProps) {
  const [visible, setVisible] = useState(api.isVisible);
  const [active, setActive] = useState(api.isActive && api.isGroupActive);
  const [pane, setPane] = useState(() => paneOfParams(params));
  useEffect(() => {
    const focus = () => setActive(api.isActive && api.isGroupActive);
    const followed = [
      api.onDidVisibilityChange(({ isVisible }) => setVisible(isVisible)),
      api.onDidActiveChange(focus),
      api.onDidActiveGroupChange(focus),
      api.onDidParametersChange((changed) => setPane(paneOfParams(changed))),
      // Dropped in another place, it goes on being typed into. The drop itself takes the focus away, so after it.
      containerApi.onDidMovePanel(({ panel }) => {
        const moved = paneOfParams(panel.params);
        if (panel.id === api.id && moved !== null)
          setTimeout(() => focusPane(moved), 0);
      }),
    ];
    setVisible(api.isVisible);
    focus();
    return () => {
      for (const one of followed) one.dispose();
    };
  }, [api, containerApi]);
  if (pane === null) return null;
  const place: Place = `pane-${pane}`;
  return (
    <TerminalView pane={pane} visible={visible} active={active}>
      <FindBar
        place={place}
        onMatch={goWithinPane}
        onClose={() => focusPane(pane)}
        onEverywhere={openPanelSearch}
      />
    </TerminalView>
  );
}

function HistoryPanel({ api, params }: IDockviewPanelProps) {
  const [shown, setShown] = useState<Record<string, unknown>>(params);
  useEffect(() => {
    const follow = api.onDidParametersChange(setShown);
    return () => follow.dispose();
  }, [api]);
  usePanes((state) => state.panes);
  const pane = paneOfParams(shown);
  if (pane === null) return null;
  return (
    <HistoryView
      pane={pane}
      line={typeof shown.line === "number" ? shown.line : null}
      visit={typeof shown.visit === "number" ? shown.visit : 0}
      label={labelOf(pane)}
    />
  );
}

/** The right side closes, and the keys are the pane's again. */
function leaveAside(): void {
  showAside(null);
  const pane = activePane();
  if (pane !== null) focusPane(pane);
}

function TabOf(props: IDockviewPanelHeaderProps) {
  if (props.api.component === TERMINAL) return <TerminalTab {...props} />;
  if (props.api.component === AGENT) return <AgentTab {...props} />;
  return <PlainTab {...props} />;
}

function PlainTab({ api }: IDockviewPanelHeaderProps) {
  const [title, setTitle] = useState(api.title);
  useEffect(() => {
    const follow = api.onDidTitleChange((changed) => setTitle(changed.title));
    setTitle(api.title);
    return () => follow.dispose();
  }, [api]);
  return (
    <Tab
      name={title ?? ""}
      data-testid={`tab-${api.id}`}
      onClose={() => api.close()}
    >
      <span className="tab-title">{title}</span>
    </Tab>
  );
}

function GroupActions({ group, activePanel }: IDockviewHeaderActionsProps) {
  const zoomed = useDock((state) => state.zoomed);
  useCommands((state) => state.keys);
  const here = useRef(activePanel);
  here.current = activePanel;
  const within = (act: () => void) => () => {
    const panel = here.current ?? group.activePanel;
    if (panel) activate(panel);
    act();
  };
  return (
    <div className="group-actions">
      <IconButton
        label="New terminal"
        hint={keyOf("pane.new")}
        onClick={within(() => void newTerminal())}
      >
        <PlusIcon size={14} />
      </IconButton>
      <IconButton
        label="Split right"
        hint={keyOf("pane.split_right")}
        data-testid="split-right"
        onClick={within(() => void newTerminal("right"))}
      >
        <SplitRightIcon size={14} />
      </IconButton>
      <IconButton
        label="Split down"
        hint={keyOf("pane.split_down")}
        data-testid="split-down"
        onClick={within(() => void newTerminal("down"))}
      >
        <SplitDownIcon size={14} />
      </IconButton>
      <IconButton
        label={zoomed ? "Give the others their places back" : "Zoom"}
        hint={keyOf("pane.zoom")}
        data-testid="zoom"
        onClick={within(toggleZoom)}
      >
        {zoomed ? <UnzoomIcon size={14} /> : <ZoomIcon size={14} />}
      </IconButton>
    </div>
  );
}

function StatusBar() {
  const version = useSettings((state) => state.platform?.version);
  useCommands((state) => state.keys);
  return (
    <footer className="status-bar" data-testid="status-bar">
      <IconButton
        label="Sidebar"
        hint={keyOf("workspace.sidebar")}
        onClick={toggleSidebar}
      >
        <SidebarIcon size={14} />
      </IconButton>
      <StatusItems />
      <StatusAgents />
      <ConflictsItem onClick={showConflicts} />
      <NeedsYouItem />
      <span className="spacer" />
      <button
        type="button"
        className="status-item"
        onClick={() => openPanelSearch()}
      >
        <SearchIcon size={13} />
        Search
        <kbd>{keyOf("search.panel")}</kbd>
      </button>
      <button type="button" className="status-item" onClick={openPalette}>
        <CommandIcon size={13} />
        Commands
        <kbd>{keyOf("palette.open")}</kbd>
      </button>
      {version && <span className="status-item faint">{version}</span>}
    </footer>
  );
}

function workspaceCommands() {
  const group = "Window";
  return [
    {
      id: "palette.open",
      title: "Commands",
      group,
      key: "Ctrl+Shift+P",
      run: openPalette,
    },
    {
      id: "needs.next",
      title: "Go to who needs you",
      group,
      key: "Ctrl+Shift+A",
      run: goToNextNeed,
    },
    {
      id: "workspace.sidebar",
      title: "Show or hide the sidebar",
      group,
      key: "Ctrl+Shift+B",
      run: toggleSidebar,
    },
    {
      id: "workspace.open_folder",
      title: "Open a folder…",
      group,
      key: "Ctrl+Shift+K",
      run: askForFolder,
    },
    {
      id: "settings.where",
      title: "Where the settings and the keys are",
      group,
      run: () => void showSettingsFiles(),
    },
  ];
}

/** The settings are text: says where, and opens a pane that edits them. */
async function showSettingsFiles(): Promise<void> {
  const files = await backend.settingsFiles();
  if (files.status === "error") {
    reportFailure(files);
    return;
  }
  const { settings, keys } = files.data;
  notify("warning", `Settings: ${settings}\nKeys: ${keys}`, {
    label: "Copy the path",
    run: () => void backend.writeClipboard(settings),
  });
}
