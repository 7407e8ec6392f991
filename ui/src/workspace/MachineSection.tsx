import type { ReactNode } from "react";
import type { MachineId, MachineView } from "../bindings";
import { IconButton } from "../shared/Button";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import { FolderIcon, PlusIcon } from "../shared/icons";
import { reach } from "../shared/machines";
import { baseName } from "../shared/paths";
import { Since } from "../shared/Since";
import type { TreeItem } from "../shared/tree-item";
import { byDirectory } from "./workspace-tree";

export interface MachineSectionProps {
  machine: MachineView;
  /** What works there. */
  items: TreeItem[];
  onTerminal: (machine: MachineId) => void;
  /** How the rows of one directory are drawn. */
  rows: (items: TreeItem[]) => ReactNode;
}

/** One machine in the sidebar: how the link to it is, and what works there, by directory. */
export function MachineSection({
  machine,
  items,
  onTerminal,
  rows,
}: MachineSectionProps) {
  const { id, name, link, way } = machine;
  const up = link.state === "up";
  const menu = () => [
    [
      { title: `New terminal on ${name}`, run: () => onTerminal(id) },
      !up && { title: "Connect", run: () => void reach(id) },
    ],
    [copying("Copy the command that reaches it", way)],
  ];
  return (
    <div className="tree-machine" data-link={link.state}>
      <ContextMenu items={menu}>
        <div className="tree-line">
          <button
            type="button"
            className="tree-heading"
            data-walk
            data-testid={`machine-${name}`}
            title={[way, stateInFull(link)].filter(Boolean).join("\n")}
            onClick={() => (up ? onTerminal(id) : void reach(id))}
          >
            <span className="tree-name">{name}</span>
            <span className="tree-note">
              <LinkState link={link} />
            </span>
          </button>
          <IconButton
            label={`New terminal on ${name}`}
            tabIndex={-1}
            onClick={() => onTerminal(id)}
          >
            <PlusIcon size={13} />
          </IconButton>
        </div>
      </ContextMenu>
      {byDirectory(items).map(({ directory, items: found }) => (
        <div key={directory} className="tree-directory">
          <h3 title={directory}>
            <FolderIcon size={13} />
            <span>{baseName(directory, "")}</span>
          </h3>
          {rows(found)}
        </div>
      ))}
    </div>
  );
}

function LinkState({ link }: { link: MachineView["link"] }) {
  switch (link.state) {
    case "up":
      return null;
    case "unused":
      return "not connected";
    case "reaching":
      return "connecting…";
    case "failed":
      return "can't be reached";
    case "lost":
      return (
        <>
          lost <Since at={link.since} />
        </>
      );
  }
}

function stateInFull(link: MachineView["link"]): string | null {
  switch (link.state) {
    case "up":
    case "unused":
      return null;
    case "reaching":
      return link.at;
    case "failed":
      return link.message;
    case "lost":
      return `${link.message}\nWhat runs there goes on. A click connects again.`;
  }
}
