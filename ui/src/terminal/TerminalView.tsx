import "./terminal.css";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { backend } from "../backend/backend";
import type { PaneId } from "../bindings";
import { Button } from "../shared/Button";
import { machineOf, machineOfPane, useMachines } from "../shared/machines";
import { fontSizeOf, themeOf, useSettings } from "../shared/settings-store";
import { terminalTheme } from "../shared/terminal-themes";
import { themeNamed } from "../shared/themes";
import { BlockLayer } from "./BlockBar";
import { BroadcastBar } from "./BroadcastBar";
import {
  marksChanged,
  selectBlock,
  selectedIn,
  useBlocks,
} from "./block-store";
import { pasteSelection, pasteText } from "./clipboard";
import { FarPane } from "./FarPane";
import { addHost, hostShown, placeOf, removeHost, useHosts } from "./hosts";
import { closePane, openInEditor, profileOf, restartPane } from "./pane-life";
import { usePanes } from "./pane-store";
import { TerminalMenu } from "./TerminalMenu";
import type { BlockView } from "./terminal-blocks";
import { takeTurn } from "./turns";
import { type ViewStyle, XtermHost } from "./xterm-host";

export interface TerminalViewProps {
  pane: PaneId;
  /** Whether the tab is in front. */
  visible: boolean;
  /** Whether the tab has the focus. */
  active: boolean;
  /** What lies over the pane: the find bar. */
  children?: ReactNode;
}

/** A hidden view is parked after this long: switching back and forth stays instant, a forgotten tab costs nothing. */
const PARK_AFTER_MS = 5000;
/** The same for a pane of another machine, which would have to be asked for its screen again, and may be out of reach by then. */
const PARK_FAR_AFTER_MS = 10 * 60_000;
/** So long the browser has to paste what the middle button means. */
const MIDDLE_PASTE_MS = 50;

function viewStyle(pane: PaneId): ViewStyle | null {
  const state = useSettings.getState();
  if (!state.settings) return null;
  const profile = profileOf(usePanes.getState().panes[pane]?.profile);
  return {
    settings: state.settings,
    fontSize: fontSizeOf(state),
    theme: terminalTheme(
      themeNamed(state.settings, profile?.theme ?? null) ?? themeOf(state),
    ),
    softwareRendering: state.platform?.software_rendering ?? false,
  };
}

export function TerminalView({
  pane,
  visible,
  active,
  children,
}: TerminalViewProps) {
  const info = usePanes((state) => state.panes[pane]);
  const ready = useSettings((state) => state.settings !== null);
  const holder = useRef<HTMLDivElement>(null);
  const host = useRef<XtermHost | null>(null);
  const [awake, setAwake] = useState(visible);
  const [link, setLink] = useState<string | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [blocks, setBlocks] = useState<BlockView | null>(null);
  const gone = info === undefined;
  /** How often the browser pasted. */
  const pastes = useRef(0);
  const life = useHosts((state) => state.life);
  const machine = machineOfPane(pane);
  const machineLife = useMachines(({ lives }) =>
    machine === null ? 0 : (lives[machine] ?? 0),
  );
  const reached = useMachines(
    (state) =>
      machine === null || machineOf(state, machine)?.link.state === "up",
  );
  const inFront = useRef(false);
  inFront.current = visible && active;

  function open(element: HTMLElement): XtermHost | null {
    const style = viewStyle(pane);
    if (!style) return null;
    const size = usePanes.getState().panes[pane]?.size;
    const view: XtermHost = new XtermHost(
      pane,
      element,
      style,
      {
        onLink: setLink,
        onOpenFile: (place) => void openInEditor(place),
        onFailed: setFailure,
        onText: firstPrompt,
        onBlocks: setBlocks,
        onMark: (mark) => selectBlock(pane, mark),
        onShown: () => {
          hostShown(view);
          view.selectBlock(selectedIn(pane));
          view.followEarlier(usePanes.getState().panes[pane]?.earlier ?? []);
          void markCommands(view);
        },
      },
      { ...(size && { size }), place: placeOf(pane) },
    );
    return view;
  }

  useEffect(() => {
    if (visible) {
      setAwake(true);
      return;
    }
    // What can't be asked for again is kept.
    if (!reached) return;
    const after = machine === null ? PARK_AFTER_MS : PARK_FAR_AFTER_MS;
    const timer = setTimeout(() => setAwake(false), after);
    return () => clearTimeout(timer);
  }, [visible, machine, reached]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another life of the host is the reason to attach anew
  useEffect(() => {
    const element = holder.current;
    if (!awake || !ready || gone || !element) return;
    setFailure(null);
    let leave = takeTurn(
      () => {
        const view = open(element);
        if (!view) return;
        host.current = view;
        addHost(view);
        if (inFront.current && mayTakeFocus()) view.focus();
        const unfollow = useSettings.subscribe(() => {
          const changed = viewStyle(pane);
          if (changed) view.restyle(changed);
        });
        leave = () => {
          unfollow();
          removeHost(view);
          view.dispose();
          host.current = null;
          setBlocks(null);
        };
      },
      () => inFront.current,
    );
    return () => leave();
  }, [pane, awake, ready, gone, life, machineLife]);

  const marked = info?.marked;
  // biome-ignore lint/correctness/useExhaustiveDependencies: that something else is marked is the reason to read it again
  useEffect(() => {
    if (host.current?.isShown) void markCommands(host.current);
  }, [marked]);

  const earlier = info?.earlier;
  useEffect(() => host.current?.followEarlier(earlier ?? []), [earlier]);

  const selected = useBlocks(({ selected }) =>
    selected?.pane === pane ? selected.mark.prompt : null,
  );
  useEffect(() => host.current?.selectBlock(selected), [selected]);

  useEffect(() => {
    if (!visible || !awake) return;
    host.current?.fit();
    if (active && mayTakeFocus()) host.current?.focus();
  }, [visible, active, awake]);

  // Looking at a pane is what makes "done" and "failed" old news.
  const attention = info?.attention;
  useEffect(() => {
    if (!active || !visible) return;
    if (attention !== "done" && attention !== "failed") return;
    const seen = () => {
      if (document.hasFocus()) void backend.seenPane(pane);
    };
    seen();
    window.addEventListener("focus", seen);
    return () => window.removeEventListener("focus", seen);
  }, [active, visible, attention, pane]);

  return (
    <div className="terminal" data-testid={`pane-${pane}`} data-pane={pane}>
      <TerminalMenu pane={pane} link={link}>
        <div
          className="terminal-screen"
          ref={holder}
          onAuxClick={(event) => {
            if (event.button !== 1) return;
            // Where the browser pastes by itself (WebKitGTK does not), that is enough.
            const before = pastes.current;
            setTimeout(() => {
              if (pastes.current === before) void pasteSelection(pane);
            }, MIDDLE_PASTE_MS);
          }}
          onPasteCapture={(event) => {
            pastes.current++;
            // The keys of the browser, its menu, the middle button: none of them goes past the guard.
            event.preventDefault();
            event.stopPropagation();
            pasteText(pane, event.clipboardData.getData("text/plain"));
          }}
        />
      </TerminalMenu>
      {blocks && <BlockLayer pane={pane} view={blocks} />}
      {children}
      <BroadcastBar pane={pane} />
      {link !== null && (
        <div className="link-target" role="status">
          <span className="link-url">{link}</span>
          <span className="link-hint">Ctrl+click to open</span>
        </div>
      )}
      {machine !== null && (
        <FarPane pane={pane} machine={machine} gone={gone} />
      )}
      {failure !== null && reached && (
        <Ended title="This pane can't be shown" detail={failure}>
          <Button onClick={() => void closePane(pane)}>Close</Button>
        </Ended>
      )}
      {info?.state.state === "exited" && (
        <Ended
          title={
            info.state.signal !== null
              ? `Ended by ${info.state.signal}`
              : `Ended with exit status ${info.state.code ?? "unknown"}`
          }
          detail={info.program.join(" ")}
          failed={info.state.code !== 0}
        >
          <Button onClick={() => void restartPane(pane)}>Start again</Button>
          <Button onClick={() => void closePane(pane)}>Close</Button>
        </Ended>
      )}
    </div>
  );
}

function Ended({
  title,
  detail,
  failed = true,
  children,
}: {
  title: string;
  detail: string;
  failed?: boolean;
  children: ReactNode;
}) {
  return (
    <div className="terminal-ended" role="status" data-failed={failed}>
      <span className="terminal-ended-title">{title}</span>
      <span className="terminal-ended-detail">{detail}</span>
      <span className="spacer" />
      {children}
    </div>
  );
}

async function markCommands(view: XtermHost): Promise<void> {
  const marks = await backend.paneMarks(view.pane);
  if (marks.status !== "ok") return;
  view.markCommands(marks.data);
  marksChanged(view.pane, marks.data);
}

/** A pane that comes forward takes the keys, unless the person is typing beside the dock or into a question. */
function mayTakeFocus(): boolean {
  const holder = document.activeElement;
  return !holder?.closest(".aside, .dialog, .find-bar, .tab-rename");
}

let promptTold = false;

/** The end of the start, for people and for measurements: told once. */
function firstPrompt(): void {
  if (promptTold) return;
  promptTold = true;
  void backend.promptOnScreen();
}
