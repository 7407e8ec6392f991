import type {
  ClosedPane,
  Colours,
  CommandMark,
  ConflictsHappened,
  HostState,
  Line,
  MemoryUse,
  OpenPane,
  PaneEvent,
  PaneId,
  PaneInfo,
  PaneSize,
  Picture,
  Platform,
  Quiet,
  QuietAbout,
  ReadLines,
  RepositoryConflicts,
  RepositoryView,
  SearchAnswer,
  SearchProgress,
  SearchRequest,
  Settings,
  SettingsFiles,
  SettingsNews,
  VerdictDetails,
  VerdictKey,
} from "../bindings";
import type { AgentsBackend } from "./agents-backend";
import type { FlowsBackend } from "./flows-backend";
import type { BackendError, Result, Stop } from "./result";

export type { BackendError, Result, Stop };

/** The part of the door that is about repositories and what their worktrees make of each other. */
export interface ConflictsBackend {
  listRepositories(): Promise<Result<RepositoryView[]>>;
  addRepository(path: string): Promise<Result<RepositoryView>>;
  removeRepository(repository: string): Promise<Result<null>>;
  rescanRepository(repository: string): Promise<Result<null>>;
  /** All that is known of a repository, each touched file included. */
  repositoryPicture(repository: string): Promise<Result<Picture>>;
  listConflicts(): Promise<Result<RepositoryConflicts[]>>;
  conflictDetails(
    repository: string,
    key: VerdictKey,
  ): Promise<Result<VerdictDetails>>;
  quietConflicts(repository: string, quiet: Quiet): Promise<Result<null>>;
  /** Takes a wish for quiet back; whether there was one. */
  unquietConflicts(
    repository: string,
    about: QuietAbout,
  ): Promise<Result<boolean>>;
  onRepositories(listener: (repositories: RepositoryView[]) => void): Stop;
  onConflicts(listener: (happened: ConflictsHappened) => void): Stop;
}

/**
 * The one door to Rust. `tauri-backend.ts` is the real one; `twin/` has its twin for tests and for a
 * plain browser.
 */
export interface Backend extends ConflictsBackend, AgentsBackend, FlowsBackend {
  openPane(request: OpenPane): Promise<Result<PaneInfo>>;
  listPanes(): Promise<Result<PaneInfo[]>>;
  closePane(pane: PaneId): Promise<Result<null>>;
  renamePane(pane: PaneId, name: string | null): Promise<Result<null>>;
  resizePane(pane: PaneId, size: PaneSize): Promise<Result<null>>;
  writePane(pane: PaneId, data: string): Promise<Result<null>>;
  seenPane(pane: PaneId): Promise<Result<null>>;

  /** Streams a pane: a snapshot first, then output; each frame as bytes (see `frames.ts`). */
  attachPane(
    pane: PaneId,
    scrollbackRows: number,
    onFrame: (frame: ArrayBuffer) => void,
  ): Promise<Result<number>>;
  ackPane(attachment: number, bytes: number): Promise<Result<null>>;
  detachPane(attachment: number): Promise<Result<null>>;

  readLines(pane: PaneId, lines: ReadLines): Promise<Result<Line[]>>;
  paneMarks(pane: PaneId): Promise<Result<CommandMark[]>>;
  closedPanes(): Promise<Result<ClosedPane[]>>;
  purgeHistory(pane: PaneId | null): Promise<Result<null>>;

  search(
    id: number,
    request: SearchRequest,
    onProgress: (progress: SearchProgress) => void,
  ): Promise<Result<SearchAnswer>>;
  cancelSearch(id: number): Promise<Result<null>>;

  /** Sets what programs are told when they ask for the colours of their terminal. */
  setColours(colours: Colours): Promise<Result<null>>;

  loadSession(): Promise<Result<string | null>>;
  saveSession(json: string): Promise<Result<null>>;
  loadSettings(): Promise<Result<Settings>>;
  /** What a person should be told about the start. */
  startupNotices(): Promise<Result<string[]>>;
  settingsFiles(): Promise<Result<SettingsFiles>>;

  readClipboard(): Promise<Result<string>>;
  writeClipboard(text: string): Promise<Result<null>>;
  openLink(url: string): Promise<Result<null>>;
  notifyPerson(title: string, body: string): Promise<Result<null>>;
  saveText(name: string, text: string): Promise<Result<string>>;
  platform(): Promise<Result<Platform>>;
  memoryUse(): Promise<Result<MemoryUse | null>>;
  promptOnScreen(): Promise<Result<null>>;
  /** What the window is called on the desktop. */
  setTitle(title: string): void;

  onPaneEvent(listener: (event: PaneEvent) => void): Stop;
  onSettings(listener: (news: SettingsNews) => void): Stop;
  onHost(listener: (state: HostState) => void): Stop;
  /** Folders and files that were dropped on the window, as paths, and where. */
  onDrop(
    listener: (paths: string[], at: { x: number; y: number }) => void,
  ): Stop;
}

/** The backend in use; set once, before anything is drawn. */
export let backend: Backend = absent();

export function installBackend(chosen: Backend): void {
  backend = chosen;
}

function absent(): Backend {
  return new Proxy({} as Backend, {
    get(_target, name) {
      throw new Error(`no backend is installed: \`${String(name)}\` was asked`);
    },
  });
}
