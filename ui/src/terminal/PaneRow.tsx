import { useMemo } from "react";
import type { PaneInfo } from "../bindings";
import { IconButton } from "../shared/Button";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import { useDock } from "../shared/dock/dock";
import { CloseIcon } from "../shared/icons";
import { machineOfPane } from "../shared/machines";
import { StateIcon } from "../shared/StateIcon";
import type { TreeItem } from "../shared/tree-item";
import { useWindows, windowOfPane } from "../shared/windows";
import { ProgressLine } from "./ProgressLine";
import { newTerminal, requestClose } from "./pane-life";
import { stateOf } from "./pane-state";
import { paneInFull, panesInOrder, paneTitle, usePanes } from "./pane-store";
import { hideTab, panelOfPane, paneOfParams, showPane } from "./pane-tabs";
import { startRenaming } from "./questions";

/** The panes as they stand in the sidebar. */
export function usePaneItems(): TreeItem[] {
  const panes = usePanes((state) => state.panes);
  // The dock says which pane is in front and which has no tab.
  const activeId = useDock((state) => state.activeId);
  const panels = useDock((state) => state.panels);
  const api = useDock((state) => state.api);
  const windows = useWindows((state) => state.windows);
  // biome-ignore lint/correctness/useExhaustiveDependencies: which panes have a tab follows the panels
  return useMemo(() => {
    const active = activeId
      ? paneOfParams(api?.getPanel(activeId)?.params)
      : null;
    return panesInOrder({ panes }).map((pane) => {
      const machine = machineOfPane(pane.id);
      return {
        key: `pane-${pane.id}`,
        directory: pane.cwd,
        ...(machine !== null && { machine }),
        row: (
          <PaneRow
            pane={pane}
            active={pane.id === active}
            hasTab={panelOfPane(pane.id) !== null}
            elsewhere={windowOfPane(pane.id) !== null}
          />
        ),
      };
    });
  }, [panes, activeId, panels, api, windows]);
}

/** A pane with its state in words. */
function PaneRow({
  pane,
  active,
  hasTab,
  elsewhere,
}: {
  pane: PaneInfo;
  active: boolean;
  hasTab: boolean;
  elsewhere: boolean;
}) {
  const state = stateOf(pane);
  const title = paneTitle(pane);
  const detail =
    pane.attention_message && pane.attention === "needs_you"
      ? pane.attention_message
      : pane.busy && pane.command && pane.command !== title
        ? pane.command
        : null;
  const where = hasTab
    ? ""
    : elsewhere
      ? "its tab is in another window"
      : "running without a tab";
  const items = () => [
    [
      { title: "Go to it", run: () => showPane(pane.id) },
      {
        title: "Rename…",
        run: () => {
          showPane(pane.id);
          startRenaming(pane.id);
        },
      },
      {
        title: "New terminal in its directory",
        run: () =>
          void newTerminal("tab", { cwd: pane.cwd }, machineOfPane(pane.id)),
      },
    ],
    [
      copying("Copy its directory", pane.cwd),
      pane.title !== "" && copying("Copy its title", pane.title),
      pane.command !== null && copying("Copy its command", pane.command),
    ],
    [
      hasTab && {
        title: "Hide the tab, keep it running",
        run: () => hideTab(pane.id),
      },
      { title: "Close", run: () => void requestClose(pane.id) },
    ],
  ];
  return (
    <ContextMenu items={items}>
      <div className="pane-row" data-state={state} data-active={active}>
        <button
          type="button"
          className="pane-button"
          data-walk
          data-testid={`sidebar-pane-${pane.id}`}
          aria-current={active}
          title={[paneInFull(pane), where].filter(Boolean).join("\n")}
          onClick={() => showPane(pane.id)}
        >
          <StateIcon state={state} />
          <span className="pane-text">
            <span className="pane-title">
              {title}
              {!detail && pane.command && (
                <span className="pane-command">{pane.command}</span>
              )}
            </span>
            {detail && <span className="pane-detail">{detail}</span>}
          </span>
          {!hasTab && (
            <span className="pane-note">
              {elsewhere ? "other window" : "no tab"}
            </span>
          )}
          <span className="pane-state">{state}</span>
        </button>
        <ProgressLine progress={pane.progress ?? null} />
        <IconButton
          label={`Close ${title}`}
          tabIndex={-1}
          onClick={() => void requestClose(pane.id)}
        >
          <CloseIcon size={12} />
        </IconButton>
      </div>
    </ContextMenu>
  );
}
