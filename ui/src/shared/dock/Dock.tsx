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

export function Dock({ views, tab, empty, actions, onReady }: DockProps) {
  const scheme = useScheme();
  const uninstall = useRef<(() => void) | null>(null);
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => () => uninstall.current?.(), []);
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    // Narrower tabs must not hide the one in front.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        for (const tab of element.querySelectorAll(".dv-active-tab"))
          tab.scrollIntoView({ block: "nearest", inline: "nearest" });
      }, 60);
    });
    observer.observe(element);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, []);

  function ready({ api }: DockviewReadyEvent) {
    uninstall.current?.();
    uninstall.current = installDock(api);
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
