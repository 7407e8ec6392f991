import { Channel } from "@tauri-apps/api/core";
import { getCurrentWebview } from "@tauri-apps/api/webview";
import { getCurrentWindow } from "@tauri-apps/api/window";
import { commands, events, type SearchProgress } from "../bindings";
import type { Backend } from "./backend";
import { tauriAgents } from "./tauri-agents";
import { ask, subscription } from "./tauri-ask";
import { tauriFlows } from "./tauri-flows";

export function tauriBackend(): Backend {
  return {
    ...tauriFlows(),
    ...tauriAgents(),
    openPane: (request) => ask(() => commands.openPane(request)),
    listPanes: () => ask(() => commands.listPanes()),
    closePane: (pane) => ask(() => commands.closePane(pane)),
    renamePane: (pane, name) => ask(() => commands.renamePane(pane, name)),
    resizePane: (pane, size) => ask(() => commands.resizePane(pane, size)),
    writePane: (pane, data) => ask(() => commands.writePane(pane, data)),
    seenPane: (pane) => ask(() => commands.seenPane(pane)),
    attachPane: (pane, scrollbackRows, onFrame) => {
      const channel = new Channel<ArrayBuffer>();
      channel.onmessage = onFrame;
      const options = { scrollback_rows: scrollbackRows };
      return ask(() => commands.attachPane(pane, options, channel));
    },
    ackPane: (attachment, bytes) =>
      ask(() => commands.ackPane(attachment, bytes)),
    detachPane: (attachment) => ask(() => commands.detachPane(attachment)),
    readLines: (pane, lines) => ask(() => commands.readLines(pane, lines)),
    paneMarks: (pane) => ask(() => commands.paneMarks(pane)),
    closedPanes: () => ask(() => commands.closedPanes()),
    purgeHistory: (pane) => ask(() => commands.purgeHistory(pane)),
    search: (id, request, onProgress) => {
      const channel = new Channel<SearchProgress>();
      channel.onmessage = onProgress;
      return ask(() => commands.search(id, request, channel));
    },
    cancelSearch: (id) => ask(() => commands.cancelSearch(id)),
    listRepositories: () => ask(() => commands.listRepositories()),
    addRepository: (path) => ask(() => commands.addRepository(path)),
    removeRepository: (repository) =>
      ask(() => commands.removeRepository(repository)),
    rescanRepository: (repository) =>
      ask(() => commands.rescanRepository(repository)),
    repositoryPicture: (repository) =>
      ask(() => commands.repositoryPicture(repository)),
    listConflicts: () => ask(() => commands.listConflicts()),
    conflictDetails: (repository, key) =>
      ask(() => commands.conflictDetails(repository, key)),
    quietConflicts: (repository, quiet) =>
      ask(() => commands.quietConflicts(repository, quiet)),
    unquietConflicts: (repository, about) =>
      ask(() => commands.unquietConflicts(repository, about)),
    loadSession: () => ask(() => commands.loadSession()),
    saveSession: (json) => ask(() => commands.saveSession(json)),
    setColours: (colours) => ask(() => commands.setColours(colours)),
    loadSettings: () => ask(() => commands.loadSettings()),
    startupNotices: () => ask(() => commands.startupNotices()),
    settingsFiles: () => ask(() => commands.settingsFiles()),
    readClipboard: () => ask(() => commands.readClipboard()),
    writeClipboard: (text) => ask(() => commands.writeClipboard(text)),
    openLink: (url) => ask(() => commands.openLink(url)),
    notifyPerson: (title, body) =>
      ask(() => commands.notifyPerson(title, body)),
    saveText: (name, text) => ask(() => commands.saveText(name, text)),
    platform: () => ask(() => commands.platform()),
    memoryUse: () => ask(() => commands.memoryUse()),
    promptOnScreen: () => ask(() => commands.promptOnScreen()),
    setTitle: (title) => {
      getCurrentWindow()
        .setTitle(title)
        .catch((cause) => console.error("the title was not set", cause));
    },

    onPaneEvent: (listener) =>
      subscription(events.paneHappened.listen((e) => listener(e.payload))),
    onSettings: (listener) =>
      subscription(events.settingsChanged.listen((e) => listener(e.payload))),
    onHost: (listener) =>
      subscription(events.hostChanged.listen((e) => listener(e.payload))),
    onRepositories: (listener) =>
      subscription(
        events.repositoriesChanged.listen((e) => listener(e.payload)),
      ),
    onConflicts: (listener) =>
      subscription(events.conflictsChanged.listen((e) => listener(e.payload))),
    onDrop: (listener) =>
      subscription(
        getCurrentWebview().onDragDropEvent((e) => {
          if (e.payload.type !== "drop") return;
          const { x, y } = e.payload.position;
          const scale = window.devicePixelRatio;
          listener(e.payload.paths, { x: x / scale, y: y / scale });
        }),
      ),
  };
}
