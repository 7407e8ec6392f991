import { create } from "zustand";
import { backend } from "../backend/backend";
import type { FrameState, MeasuredDrawing } from "../bindings";
import type { Stop } from "./feature";
import { later } from "./later";

/** How the person left the window, apart from its tabs; Rust keeps it. */
interface WindowState {
  /** Patterns that were searched for, newest first. */
  searches: string[];
  /** Folders that were opened, newest first. */
  folders: string[];
  frame: FrameState;
  drawing: MeasuredDrawing | null;
}

export const newWindow: WindowState = {
  searches: [],
  folders: [],
  frame: {
    sidebar: true,
    sidebar_width: 232,
    aside_width: 400,
    collapsed: [],
  },
  drawing: null,
};

export const useWindowState = create<WindowState>(() => newWindow);

const SAVE_AFTER_MS = 400;

/** Reads how the window was left, and keeps what changes in its frame. Losing any of it costs little: nothing is told. */
export async function startWindowState(): Promise<Stop> {
  const kept = await backend.windowState();
  if (kept.status === "ok") {
    const { searches, folders, frame, drawing } = kept.data;
    useWindowState.setState({
      searches,
      folders,
      frame: frame ?? newWindow.frame,
      drawing,
    });
  }
  const saving = later(
    SAVE_AFTER_MS,
    () => void backend.saveFrame(useWindowState.getState().frame),
  );
  const stop = useWindowState.subscribe((state, before) => {
    if (state.frame !== before.frame) saving.soon();
  });
  return () => {
    stop();
    saving.stop();
  };
}

/** Changes what is around the tabs. */
export function changeFrame(
  change: (frame: FrameState) => Partial<FrameState>,
): void {
  useWindowState.setState(({ frame }) => ({
    frame: { ...frame, ...change(frame) },
  }));
}

/** Keeps a pattern that was really used. */
export async function rememberSearch(pattern: string): Promise<void> {
  const kept = await backend.rememberSearch(pattern);
  if (kept.status === "ok") useWindowState.setState({ searches: kept.data });
}

/** Keeps a folder that was opened. */
export async function rememberFolder(path: string): Promise<void> {
  const kept = await backend.rememberFolder(path);
  if (kept.status === "ok") useWindowState.setState({ folders: kept.data });
}

/** Keeps what measuring came to. */
export function rememberDrawing(drawing: MeasuredDrawing): void {
  useWindowState.setState({ drawing });
  void backend.saveDrawing(drawing);
}
