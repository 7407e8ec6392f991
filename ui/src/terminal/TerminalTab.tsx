import type { PaneId } from "../bindings";
import { ConflictBadge } from "../shared/ConflictBadge";
import { ContextMenu } from "../shared/ContextMenu";
import { keyOf } from "../shared/commands";
import { copying } from "../shared/copying";
import { toggleZoom } from "../shared/dock/dock";
import { movingItems } from "../shared/dock/moving";
import { usePanel, useParams, useTitle } from "../shared/dock/panel";
import { Tab } from "../shared/dock/Tab";
import { machineOfPane } from "../shared/machines";
import { StateIcon } from "../shared/StateIcon";
import { useSettings } from "../shared/settings-store";
import { withHost } from "./hosts";
import { ProgressLine } from "./ProgressLine";
import { newTerminal, renamePane, requestClose } from "./pane-life";
import { stateOf } from "./pane-state";
import { paneInFull, paneTitle, usePanes } from "./pane-store";
import { hideTab, paneOfParams } from "./pane-tabs";
import { startRenaming, useQuestions } from "./questions";

/** The tab of a pane: its state, its name, what can be done with it. */
export function TerminalTab() {
  const { bringForward, id } = usePanel();
  const pane = paneOfParams(useParams());
  const info = usePanes((state) =>
    pane === null ? undefined : state.panes[pane],
  );
  const renaming = useQuestions(
    (state) => pane !== null && state.renaming === pane,
  );
  const profile = info?.profile ?? null;
  const icon = useSettings(({ settings }) =>
    profile === null ? null : (settings?.profiles?.[profile]?.icon ?? null),
  );
  const title = info ? paneTitle(info) : "";
  useTitle(title);
  if (pane === null) return null;

  const within = (run: () => void) => () => {
    bringForward();
    run();
  };

  const item = (title: string, command: string, run: () => void) => ({
    title,
    hint: keyOf(command),
    run,
  });
  const items = () => [
    [
      item("Rename…", "pane.rename", () => startRenaming(pane)),
      item(
        "Split right",
        "pane.split_right",
        within(() => void newTerminal("right")),
      ),
      item(
        "Split down",
        "pane.split_down",
        within(() => void newTerminal("down")),
      ),
      item("Zoom", "pane.zoom", within(toggleZoom)),
    ],
    movingItems(id),
    [
      info && copying("Copy its directory", info.cwd),
      info !== undefined &&
        info.title !== "" &&
        copying("Copy its title", info.title),
    ],
    [
      item("Hide the tab, keep it running", "pane.hide", () => hideTab(pane)),
      item("Close", "pane.close", () => void requestClose(pane)),
    ],
  ];

  return (
    <ContextMenu items={items}>
      <Tab
        name={title}
        data-testid={`tab-${pane}`}
        title={info ? paneInFull(info) : title}
        onClick={() => withHost(pane, (host) => host.focus())}
        onDoubleClick={() => startRenaming(pane)}
        onAuxClick={(event) => {
          if (event.button !== 1) return;
          event.preventDefault();
          void requestClose(pane);
        }}
        onClose={() => void requestClose(pane)}
      >
        {info && <StateIcon state={stateOf(info)} />}
        {icon !== null && <span className="tab-icon">{icon}</span>}
        {renaming ? (
          <RenameBox pane={pane} name={info?.name ?? title} />
        ) : (
          <span className="tab-title">{title}</span>
        )}
        {info && machineOfPane(pane) === null && (
          <ConflictBadge directory={info.cwd} />
        )}
        {info && <ProgressLine progress={info.progress ?? null} />}
      </Tab>
    </ContextMenu>
  );
}

function RenameBox({ pane, name }: { pane: PaneId; name: string }) {
  function end(value: string | null) {
    startRenaming(null);
    if (value !== null && value.trim() !== name) void renamePane(pane, value);
  }
  return (
    <input
      className="tab-rename"
      aria-label="Name of the pane"
      data-testid="rename-box"
      defaultValue={name}
      ref={(input) => {
        input?.select();
      }}
      onPointerDown={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") end(event.currentTarget.value);
        if (event.key === "Escape") end(null);
      }}
      onBlur={(event) => end(event.currentTarget.value)}
    />
  );
}
