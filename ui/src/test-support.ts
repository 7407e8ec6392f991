import { installBackend } from "./backend/backend";
import type { OpenPane, PaneInfo } from "./bindings";
import { emptyFlows, useFlows } from "./flow/flow-store";
import { useSearch } from "./search/search-store";
import { useCommands } from "./shared/commands";
import { useDrafts } from "./shared/drafts";
import { useNotices } from "./shared/notices";
import { useSettings } from "./shared/settings-store";
import { newWindow, useWindowState } from "./shared/window-state";
import { onlyWindow, useWindows } from "./shared/windows";
import { emptyPanes, usePanes } from "./terminal/pane-store";
import { useQuestions } from "./terminal/questions";
import {
  defaultSettings,
  type MemoryBackend,
  type MemoryOptions,
  memoryBackend,
} from "./twin/memory-backend";

/** A pane as a test needs it. */
export function paneInfo(change: Partial<PaneInfo>): PaneInfo {
  return {
    id: 1,
    program: ["/bin/bash"],
    role: "shell",
    cwd: "/home/you",
    title: "",
    name: null,
    size: { cols: 80, rows: 24 },
    private: false,
    state: { state: "running", pid: 1 },
    busy: false,
    attention: "idle",
    attention_message: null,
    progress: null,
    command: null,
    last_exit: null,
    marked: 0,
    opened_at: 0,
    ended_at: null,
    ...change,
  };
}

/** A fresh twin behind the door, and stores as at the start. */
export function freshBackend(options: MemoryOptions = {}): MemoryBackend {
  const twin = memoryBackend(options);
  installBackend(twin);
  useWindowState.setState(newWindow, true);
  useDrafts.setState({ drafts: {} });
  useWindows.setState(onlyWindow, true);
  usePanes.setState(emptyPanes, true);
  useQuestions.setState({ question: null, renaming: null });
  useNotices.setState({ notices: [] });
  useCommands.setState({ commands: [], keys: {} });
  useFlows.setState(emptyFlows, true);
  useSearch.setState({ places: {} });
  useSettings.setState({
    settings: { ...defaultSettings, ...options.settings },
    platform: {
      version: "0.1.0",
      home: "/home/you",
      host: "detached",
      software_rendering: true,
    },
    host: { state: "up" },
    zoom: 0,
  });
  return twin;
}

/** Opens a pane in the twin. */
export async function opened(
  twin: MemoryBackend,
  request: OpenPane = {},
): Promise<PaneInfo> {
  const answer = await twin.openPane(request);
  if (answer.status === "error") throw new Error(answer.error.message);
  return answer.data;
}
