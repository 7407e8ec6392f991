import { useMemo } from "react";
import type { PaneInfo } from "../bindings";
import { IconButton } from "../shared/Button";
import { ConflictBadge } from "../shared/ConflictBadge";
import { keyOf } from "../shared/commands";
import { useDock } from "../shared/dock/dock";
import { CloseIcon, FolderIcon, PlusIcon } from "../shared/icons";
import { useSettings } from "../shared/settings-store";
import { walk } from "../shared/walk";
import {
  newTerminal,
  panelOfPane,
  paneOfParams,
  requestClose,
  showPane,
} from "./actions";
import { StateIcon, stateOf } from "./PaneState";
import {
  baseName,
  panesInOrder,
  paneTitle,
  shortPath,
  usePanes,
} from "./pane-store";

interface Group {
  cwd: string;
  panes: PaneInfo[];
}

/** Panes by the directory they work in, in the order in which the directories came. */
export function groupPanes(panes: PaneInfo[]): Group[] {
  const groups = new Map<string, Group>();
  for (const pane of panes) {
    const group = groups.get(pane.cwd);
    if (group) group.panes.push(pane);
    else groups.set(pane.cwd, { cwd: pane.cwd, panes: [pane] });
  }
  return [...groups.values()];
}

/** The list of panes in the sidebar: each with its state, walked with the arrow keys. */
export function PaneList() {
  const panes = usePanes((state) => state.panes);
  const home = useSettings((state) => state.platform?.home ?? "");
  const groups = useMemo(() => groupPanes(panesInOrder({ panes })), [panes]);
  // The dock says which pane is in front and which has no tab.
  const activeId = useDock((state) => state.activeId);
  useDock((state) => state.panels);
  const api = useDock((state) => state.api);
  const active = activeId
    ? paneOfParams(api?.getPanel(activeId)?.params)
    : null;

  return (
    <section className="panes" aria-label="Panes">
      <header className="sidebar-heading">
        <h2>Panes</h2>
        <span className="spacer" />
        <IconButton
          label="New terminal"
          hint={keyOf("pane.new")}
          data-testid="new-terminal"
          onClick={() => void newTerminal()}
        >
          <PlusIcon size={14} />
        </IconButton>
      </header>
      {groups.length === 0 && (
        <p className="empty">
          No pane is open.{" "}
          <button
            type="button"
            className="link-button"
            onClick={() => void newTerminal()}
          >
            Open a terminal
          </button>
        </p>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the buttons inside */}
      <div onKeyDown={walk}>
        {groups.map((group) => (
          <div key={group.cwd} className="pane-group">
            <h3 title={shortPath(group.cwd, home)}>
              <FolderIcon size={13} />
              <span>{baseName(group.cwd, home)}</span>
            </h3>
            <ul>
              {group.panes.map((pane) => (
                <PaneRow
                  key={pane.id}
                  pane={pane}
                  active={pane.id === active}
                  hasTab={panelOfPane(pane.id) !== null}
                />
              ))}
            </ul>
          </div>
        ))}
      </div>
    </section>
  );
}

function PaneRow({
  pane,
  active,
  hasTab,
}: {
  pane: PaneInfo;
  active: boolean;
  hasTab: boolean;
}) {
  const state = stateOf(pane);
  const title = paneTitle(pane);
  const detail =
    pane.attention_message && pane.attention === "needs_you"
      ? pane.attention_message
      : pane.busy && pane.command && pane.command !== title
        ? pane.command
        : null;
  return (
    <li className="pane-row" data-state={state} data-active={active}>
      <button
        type="button"
        className="pane-button"
        data-walk
        data-testid={`sidebar-pane-${pane.id}`}
        aria-current={active}
        title={hasTab ? title : `${title}: running without a tab`}
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
        <ConflictBadge directory={pane.cwd} />
        {!hasTab && <span className="pane-note">no tab</span>}
        <span className="pane-state">{state}</span>
      </button>
      <IconButton
        label={`Close ${title}`}
        tabIndex={-1}
        onClick={() => void requestClose(pane.id)}
      >
        <CloseIcon size={12} />
      </IconButton>
    </li>
  );
}
