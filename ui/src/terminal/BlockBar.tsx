import type { CommandMark, PaneId } from "../bindings";
import { IconButton } from "../shared/Button";
import {
  CloseIcon,
  CommandIcon,
  CopyIcon,
  OutputIcon,
  RerunIcon,
  ShareIcon,
} from "../shared/icons";
import { blockActs } from "./block-commands";
import { deselectBlock } from "./block-store";
import { howItWent, inOneLine } from "./blocks";
import { withHost } from "./hosts";
import type { BlockView } from "./terminal-blocks";

/** What lies over the cells of a terminal: the command whose output is at the top, and the selected one. */
export function BlockLayer({ pane, view }: { pane: PaneId; view: BlockView }) {
  const { sticky, selected } = view;
  return (
    <>
      {selected && (
        <div
          className="block-frame"
          data-exit={exitOf(selected.mark)}
          style={{ top: selected.top, height: selected.bottom - selected.top }}
        />
      )}
      {sticky && <StickyCommand pane={pane} {...sticky} />}
      {selected && (
        <BlockBar
          pane={pane}
          mark={selected.mark}
          top={Math.max(selected.top, sticky ? sticky.height : 0)}
        />
      )}
    </>
  );
}

function exitOf({ exit, ended_at }: CommandMark): string {
  if (ended_at === null) return "runs";
  return exit === null || exit === 0 ? "ok" : "failed";
}

/** The command whose output one reads, while its prompt is out of sight; pressed, that is in sight. */
function StickyCommand({
  pane,
  mark,
  height,
}: {
  pane: PaneId;
  mark: CommandMark;
  height: number;
}) {
  return (
    <button
      type="button"
      className="block-sticky"
      data-exit={exitOf(mark)}
      style={{ height }}
      title="Go to where the command was typed"
      onClick={() =>
        withHost(pane, (host) => {
          host.revealAtTop(mark.prompt);
          host.focus();
        })
      }
    >
      <span className="block-command">{inOneLine(mark.command)}</span>
      <span className="block-facts">{howItWent(mark)}</span>
    </button>
  );
}

/** What can be done with the selected command. */
function BlockBar({
  pane,
  mark,
  top,
}: {
  pane: PaneId;
  mark: CommandMark;
  top: number;
}) {
  const block = { pane, mark };
  const acts = [
    ["Copy the command", CommandIcon, blockActs.copyCommand],
    ["Copy its output", OutputIcon, blockActs.copyOutput],
    ["Copy both", CopyIcon, blockActs.copyBoth],
    [
      "Copy to share, with directory, exit status and duration",
      ShareIcon,
      blockActs.share,
    ],
    ["Run it again", RerunIcon, blockActs.runAgain],
  ] as const;
  return (
    <div
      className="block-bar"
      role="toolbar"
      aria-label="The selected command"
      style={{ top }}
    >
      <span className="block-facts" role="status">
        <span className="block-spoken">{inOneLine(mark.command)}, </span>
        {howItWent(mark)}
      </span>
      {acts.map(([label, Icon, act]) => (
        <IconButton
          key={label}
          label={label}
          disabled={
            mark.command === null &&
            (act === blockActs.copyCommand || act === blockActs.runAgain)
          }
          onClick={() => void act(block)}
        >
          <Icon size={14} />
        </IconButton>
      ))}
      <IconButton
        label="Select no command"
        hint="Esc"
        onClick={() => {
          deselectBlock(pane);
          withHost(pane, (host) => host.focus());
        }}
      >
        <CloseIcon size={14} />
      </IconButton>
    </div>
  );
}
