import { create } from "zustand";
import { backend } from "../backend/backend";
import type {
  Errand,
  OpenWindow,
  OpenWindows,
  PaneId,
  WindowId,
  WindowShows,
} from "../bindings";
import type { Stop } from "./feature";

/** The windows of the program. What is typed, looked at and waited for is the same in all of them; a tab is in one. */
interface Windows {
  /** This one. */
  own: WindowId;
  /** The one that the person turned to last. */
  front: WindowId;
  /** All that are open. */
  windows: OpenWindow[];
  /** What is to be done here at the start. */
  errand: Errand | null;
}

export const onlyWindow: Windows = {
  own: 1,
  front: 1,
  windows: [],
  errand: null,
};

export const useWindows = create<Windows>(() => onlyWindow);

const applied = ({ windows, front }: OpenWindows) =>
  useWindows.setState({ windows, front });

/** Learns which window this is, and follows the others. */
export async function startWindows(): Promise<Stop> {
  const stop = backend.onWindowsChanged(applied);
  const told = await backend.thisWindow();
  if (told.status === "ok") {
    const { id, errand, all } = told.data;
    useWindows.setState({ own: id, errand });
    applied(all);
  }
  const here = () => {
    const { own, front } = useWindows.getState();
    if (front === own) return;
    // At once: what the person does next is asked of the store.
    useWindows.setState({ front: own });
    void backend.turnedToWindow();
  };
  const signs = ["focus", "pointerdown", "keydown"];
  for (const sign of signs) window.addEventListener(sign, here, true);
  return () => {
    stop();
    for (const sign of signs) window.removeEventListener(sign, here, true);
  };
}

/** Takes what is to be done here at the start. */
export function takeErrand(): Errand | null {
  const { errand } = useWindows.getState();
  useWindows.setState({ errand: null });
  return errand;
}

/** Whether the person turned to this window last: what concerns the whole program is told there, and once. */
export function isInFront(): boolean {
  const { own, front } = useWindows.getState();
  return own === front;
}

/** The windows beside this one. */
export function otherWindows(
  { own, windows }: Pick<Windows, "own" | "windows"> = useWindows.getState(),
): OpenWindow[] {
  return windows.filter(({ id }) => id !== own);
}

/** The other window that has the tab of a pane; `null` when there is none. */
export function windowOfPane(pane: PaneId): WindowId | null {
  return (
    otherWindows().find(({ shows }) => shows.panes.includes(pane))?.id ?? null
  );
}

/**
 * Whether what happens to a pane is for this window to tell: it has its tab, or nobody has and the person is here. So it
 * is of what concerns no pane.
 */
export function isOurs(pane: PaneId | null): boolean {
  const { own, windows } = useWindows.getState();
  const holder = windows.find(
    ({ shows }) => pane !== null && shows.panes.includes(pane),
  );
  return holder ? holder.id === own : isInFront();
}

let described: () => WindowShows = () => ({ title: "", tabs: 0, panes: [] });
let told = "";

/** Says how to find out what this window shows. */
export function describeWindow(describe: () => WindowShows): void {
  described = describe;
  told = "";
}

/** Tells the other windows what this one shows, where that is other than before. */
export async function tellShown(): Promise<void> {
  const shows = described();
  const text = JSON.stringify(shows);
  if (text === told) return;
  told = text;
  await backend.windowShows(shows);
}

/** What a window is called where others name it: by the tab in front, and how many there are beside it. */
export function windowTitle({ id, shows }: OpenWindow): string {
  const { title, tabs } = shows;
  const named = title ? `“${title}”` : `window ${id}`;
  return tabs > 1 ? `${named} and ${tabs - 1} more` : named;
}
