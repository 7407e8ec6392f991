import type { Backend, Result } from "../backend/backend";
import type {
  DraftChanged,
  Errand,
  ErrandCame,
  OpenWindows,
  WindowGone,
  WindowId,
  WindowShows,
} from "../bindings";

/** The twin's windows, of which the page is the first, and what a test may do to the others and see of this one. */
export interface MemoryWindows {
  /** Other windows are open, or show something else. */
  tellWindows(all: OpenWindows): void;
  tellErrand(errand: ErrandCame): void;
  tellGone(gone: WindowGone): void;
  tellDraft(changed: DraftChanged): void;
  /** What this window said of itself, the latest last. */
  readonly shown: WindowShows[];
  /** What was asked of other windows; `null`: of a new one. */
  readonly sent: { window: WindowId | null; errand: Errand }[];
  /** What closing and reopening was asked for. */
  readonly windowActs: ("reopen" | "close" | "close all" | "turned to")[];
}

export function memoryWindows() {
  const listeners = {
    windows: new Set<(all: OpenWindows) => void>(),
    errand: new Set<(errand: ErrandCame) => void>(),
    gone: new Set<(gone: WindowGone) => void>(),
    draft: new Set<(changed: DraftChanged) => void>(),
  };
  const ok = <T>(data: T): Promise<Result<T>> =>
    Promise.resolve({ status: "ok", data });
  const follow =
    <T>(all: Set<T>) =>
    (added: T) => {
      all.add(added);
      return () => {
        all.delete(added);
      };
    };
  const tell =
    <T>(all: Set<(told: T) => void>) =>
    (told: T) => {
      for (const listener of [...all]) listener(told);
    };
  const twin = {
    shown: [] as WindowShows[],
    sent: [] as MemoryWindows["sent"],
    windowActs: [] as MemoryWindows["windowActs"],
    tellWindows: tell(listeners.windows),
    tellErrand: tell(listeners.errand),
    tellGone: tell(listeners.gone),
    tellDraft: tell(listeners.draft),
    onWindowsChanged: follow(listeners.windows),
    onErrandCame: follow(listeners.errand),
    onWindowGone: follow(listeners.gone),
    onDraftChanged: follow(listeners.draft),
    thisWindow: () =>
      ok({
        id: 1,
        first: true,
        errand: null,
        all: { windows: [], front: 1 },
      }),
    windowShows: (shows) => {
      twin.shown.push(shows);
      return ok(null);
    },
    turnedToWindow: () => {
      twin.windowActs.push("turned to");
      return ok(null);
    },
    newWindow: (errand) => {
      twin.sent.push({ window: null, errand });
      return ok(2);
    },
    sendToWindow: (window, errand) => {
      twin.sent.push({ window, errand });
      return ok(null);
    },
    reopenWindow: () => {
      twin.windowActs.push("reopen");
      return ok(true);
    },
    closeWindow: () => {
      twin.windowActs.push("close");
      return ok(null);
    },
    closeAllWindows: () => {
      twin.windowActs.push("close all");
      return ok(null);
    },
  } satisfies MemoryWindows & Partial<Backend>;
  return twin;
}
