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
import { type FunctionComponent, useEffect, useRef } from "react";
import { useScheme } from "../settings-store";
import { installDock } from "./dock";

export interface DockProps {
  /** The view of each kind of panel. */
  views: Record<string, FunctionComponent<IDockviewPanelProps>>;
  tab: FunctionComponent<IDockviewPanelHeaderProps>;
  /** What an empty dock shows. */
  empty: FunctionComponent;
  /** Buttons at the end of a group's tabs. */
  actions: FunctionComponent<IDockviewHeaderActionsProps>;
  onReady: (api: DockviewApi) => void;
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

export function Dock({ views, tab, empty, actions, onReady }: DockProps) {
  const scheme = useScheme();
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
    <div className="dock-holder" ref={holder}>
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
        components={views}
        defaultTabComponent={tab}
        watermarkComponent={empty}
        rightHeaderActionsComponent={actions}
        onReady={ready}
      />
    </div>
  );
}
