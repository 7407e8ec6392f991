import { type PointerEvent, type ReactNode, useRef } from "react";
import { changeFrame, useWindowState } from "../shared/window-state";
import "./workspace.css";
import { useWorkspace } from "./workspace-store";

export interface FrameProps {
  sidebar: ReactNode;
  /** What the right side can show, by name. */
  asides: Record<string, ReactNode>;
  status: ReactNode;
  children: ReactNode;
}

/** The window: a sidebar, the dock, a right side on demand, a status bar. */
export function Frame({ sidebar, asides, status, children }: FrameProps) {
  const frame = useWindowState((state) => state.frame);
  const shown = useWorkspace((state) => state.aside);
  const aside = shown === null ? null : asides[shown];
  return (
    <div className="frame">
      <div className="frame-main">
        {frame.sidebar && (
          <>
            <nav
              className="sidebar"
              data-place="sidebar"
              aria-label="Workspace"
              style={{ width: frame.sidebar_width }}
            >
              {sidebar}
            </nav>
            <Sash
              label="Width of the sidebar"
              width={frame.sidebar_width}
              from={160}
              to={480}
              side={1}
              onWidth={(sidebar_width) =>
                changeFrame(() => ({ sidebar_width }))
              }
            />
          </>
        )}
        <main className="centre" data-place="centre">
          {children}
        </main>
        {aside && (
          <>
            <Sash
              label="Width of the right side"
              width={frame.aside_width}
              from={280}
              to={900}
              side={-1}
              onWidth={(aside_width) => changeFrame(() => ({ aside_width }))}
            />
            <aside
              className="aside"
              data-place="aside"
              style={{ width: frame.aside_width }}
            >
              {aside}
            </aside>
          </>
        )}
      </div>
      {status}
    </div>
  );
}

function Sash({
  label,
  width,
  from,
  to,
  side,
  onWidth,
}: {
  label: string;
  width: number;
  from: number;
  to: number;
  side: 1 | -1;
  onWidth: (width: number) => void;
}) {
  const start = useRef<{ x: number; width: number } | null>(null);
  const clamp = (value: number) =>
    Math.round(Math.min(Math.max(value, from), to));
  function move(event: PointerEvent) {
    if (!start.current) return;
    const by = (event.clientX - start.current.x) * side;
    onWidth(clamp(start.current.width + by));
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that can be moved is no <hr>
    <div
      className="sash"
      role="separator"
      aria-label={label}
      aria-orientation="vertical"
      aria-valuenow={width}
      aria-valuemin={from}
      aria-valuemax={to}
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, width };
      }}
      onPointerMove={move}
      onPointerUp={() => {
        start.current = null;
      }}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") onWidth(clamp(width - 16 * side));
        if (event.key === "ArrowRight") onWidth(clamp(width + 16 * side));
      }}
    />
  );
}
