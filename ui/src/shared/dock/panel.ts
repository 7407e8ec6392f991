import type {
  DockviewApi,
  DockviewEvent,
  DockviewPanelApi,
} from "dockview-react";
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { closePanel } from "./closed";
import { activate } from "./dock";

/** The panel that a view or a tab belongs to. */
export interface Here {
  api: DockviewPanelApi;
  dock: DockviewApi;
  /** What it was opened with. */
  params: Record<string, unknown>;
}

export const PanelContext = createContext<Here | null>(null);

function useHere(): Here {
  const here = useContext(PanelContext);
  if (!here) throw new Error("this is no part of a dock panel");
  return here;
}

type Changes = (api: DockviewPanelApi) => DockviewEvent<unknown>[];

/** Something of the panel, read anew whenever one of the `changes` happened. */
function useOfPanel<T>(
  changes: Changes,
  read: (api: DockviewPanelApi) => T,
): T {
  const { api } = useHere();
  const follow = useCallback(
    (changed: () => void) => {
      const followed = changes(api).map((event) => event(changed));
      return () => {
        for (const one of followed) one.dispose();
      };
    },
    [api, changes],
  );
  return useSyncExternalStore(follow, () => read(api));
}

const titled: Changes = (api) => [api.onDidTitleChange];
const shown: Changes = (api) => [api.onDidVisibilityChange];
const activated: Changes = (api) => [
  api.onDidActiveChange,
  api.onDidActiveGroupChange,
];

/** What a view or a tab can do with its own panel. */
export interface OwnPanel {
  id: string;
  /** As it was set last; the saved layout keeps it. */
  title: string;
  close: () => void;
  bringForward: () => void;
}

/** The panel that this view or tab belongs to. */
export function usePanel(): OwnPanel {
  const { api, dock } = useHere();
  const title = useOfPanel(titled, ({ title }) => title ?? "");
  return {
    id: api.id,
    title,
    close: () => closePanel(api.id),
    bringForward: () => {
      const panel = dock.getPanel(api.id);
      if (panel) activate(panel);
    },
  };
}

/** The parameters of the panel, also when it is asked to show something else. */
export function useParams(): Record<string, unknown> {
  const { api, params } = useHere();
  const [shown, setShown] = useState(params);
  useEffect(() => {
    const followed = api.onDidParametersChange(setShown);
    return () => followed.dispose();
  }, [api]);
  return shown;
}

/** Whether the panel's tab is the one in front in its group. */
export function useVisible(): boolean {
  return useOfPanel(shown, ({ isVisible }) => isVisible);
}

/** Whether the panel is the one that the person turned to last. */
export function useInFront(): boolean {
  return useOfPanel(
    activated,
    ({ isActive, isGroupActive }) => isActive && isGroupActive,
  );
}

/** Calls the panel by what it shows, as soon as that is known. */
export function useTitle(title: string | undefined): void {
  const { api } = useHere();
  useEffect(() => {
    if (title && api.title !== title) api.setTitle(title);
  }, [api, title]);
}

/** Calls `then` once the panel was dropped in another place. The drop itself takes the focus away, so after it. */
export function useMoved(then: () => void): void {
  const { api, dock } = useHere();
  const latest = useRef(then);
  latest.current = then;
  useEffect(() => {
    const followed = dock.onDidMovePanel(({ panel }) => {
      if (panel.id === api.id) setTimeout(() => latest.current(), 0);
    });
    return () => followed.dispose();
  }, [api, dock]);
}
