import {
  type DockviewApi,
  DockviewReact,
  type DockviewReadyEvent,
  type IDockviewHeaderActionsProps,
  type IDockviewPanelHeaderProps,
  type IDockviewPanelProps,
} from "dockview-react";
import "dockview-react/dist/styles/dockview.css";
import "./dock.css";
import {
  type FunctionComponent,
  type KeyboardEvent,
  useEffect,
  useMemo,
  useRef,
} from "react";
import { useScheme } from "../settings-store";
import type { ClosedPanel } from "./closed";
import { activate, type DockApi, installDock } from "./dock";
import { PanelContext } from "./panel";
import { TitleTab } from "./Tab";

/** How a kind of panel looks. Inside, the hooks of `panel.ts` tell of the panel. */
export interface DockView {
  view: FunctionComponent;
  /** Its tab; the title and a button that closes it, unless it has one of its own. */
  tab?: FunctionComponent;
  /** Whether something was typed in it that is kept as a draft: who closes it is told. */
  holdsDraft?: (params: Record<string, unknown>) => boolean;
  /** Brings back one that was closed; with the same parameters where it was, unless its feature knows better. */
  reopen?: (closed: ClosedPanel) => void;
}

export interface DockProps {
  /** The kinds of panels; the same object as long as the dock lives. */
  views: Record<string, DockView>;
  /** What an empty dock shows. */
  empty: FunctionComponent;
  /** Buttons at the end of a group's tabs. */
  actions: FunctionComponent<GroupActionsProps>;
  onReady: (api: DockApi) => void;
}

export interface GroupActionsProps {
  /** Brings forward the group that the buttons belong to. */
  bringForward: () => void;
}

function inPanel(View: FunctionComponent) {
  return function InPanel({ api, containerApi, params }: IDockviewPanelProps) {
    const here = useMemo(
      () => ({ api, dock: containerApi, params }),
      [api, containerApi, params],
    );
    return (
      <PanelContext value={here}>
        <View />
      </PanelContext>
    );
  };
}

function tabOf(views: Record<string, DockView>) {
  return function TabOf(props: IDockviewPanelHeaderProps) {
    const { api, containerApi, params } = props;
    const here = useMemo(
      () => ({ api, dock: containerApi, params }),
      [api, containerApi, params],
    );
    const Own = views[api.component]?.tab ?? TitleTab;
    return (
      <PanelContext value={here}>
        <Own />
      </PanelContext>
    );
  };
}

function inGroup(Actions: FunctionComponent<GroupActionsProps>) {
  return function InGroup({ group, activePanel }: IDockviewHeaderActionsProps) {
    return (
      <Actions
        bringForward={() => {
          const panel = activePanel ?? group.activePanel;
          if (panel) activate(panel);
        }}
      />
    );
  };
}

function mapped<V, W>(record: Record<string, V>, to: (value: V) => W) {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, to(value)]),
  );
}

/** Delete on a tab closes it, as people who hear tabs expect. */
function closeByDelete({ key, target }: KeyboardEvent): void {
  if (key !== "Delete" || !(target instanceof HTMLElement)) return;
  if (!target.classList.contains("dv-tab")) return;
  target.querySelector<HTMLElement>(".tab-close")?.click();
}

/** Keeps the tabs in front in view while they become wider (a badge), or their groups narrower. */
function revealTabs(api: DockviewApi, holder: HTMLElement): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let shown: Element[] = [];
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(reveal, 60);
  };
  const size = new ResizeObserver(soon);
  function reveal() {
    const active = [...holder.querySelectorAll(".dv-active-tab")];
    for (const tab of active)
      tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    for (const tab of shown) if (!active.includes(tab)) size.unobserve(tab);
    for (const tab of active) if (!shown.includes(tab)) size.observe(tab);
    shown = active;
  }
  const layout = api.onDidLayoutChange(soon);
  size.observe(holder);
  return () => {
    clearTimeout(timer);
    layout.dispose();
    size.disconnect();
  };
}

export function Dock({ views, empty, actions, onReady }: DockProps) {
  const scheme = useScheme();
  const components = useMemo(
    () => mapped(views, ({ view }) => inPanel(view)),
    [views],
  );
  const tab = useMemo(() => tabOf(views), [views]);
  const atGroup = useMemo(() => inGroup(actions), [actions]);
  const uninstall = useRef<(() => void) | null>(null);
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => () => uninstall.current?.(), []);

  function ready({ api }: DockviewReadyEvent) {
    uninstall.current?.();
    const installed = installDock(api);
    const revealing = holder.current && revealTabs(api, holder.current);
    uninstall.current = () => {
      installed();
      revealing?.();
    };
    onReady(api);
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the tabs in it are the dock's own, and take keys
    <div className="dock-holder" ref={holder} onKeyDown={closeByDelete}>
      <DockviewReact
        className="dock"
        theme={{
          name: "switchyard",
          className: "dock-theme",
          colorScheme: scheme,
          gap: 1,
          dndPanelOverlay: "content",
          dndTabIndicator: "line",
        }}
        // HTML5 drag and drop is unreliable in WebKitGTK.
        dndStrategy="pointer"
        disableFloatingGroups
        scrollbars="native"
        announcements
        components={components}
        defaultTabComponent={tab}
        watermarkComponent={empty}
        rightHeaderActionsComponent={atGroup}
        onReady={ready}
      />
    </div>
  );
}
