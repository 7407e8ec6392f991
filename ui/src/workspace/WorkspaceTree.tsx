import { type ReactNode, useMemo, useState } from "react";
import type { MachineId, RepositoryView, WorktreeView } from "../bindings";
import { IconButton } from "../shared/Button";
import { ConflictBadge } from "../shared/ConflictBadge";
import {
  ContextMenu,
  type ContextMenuProps,
  type MenuItem,
} from "../shared/ContextMenu";
import { keyOf } from "../shared/commands";
import { copying } from "../shared/copying";
import {
  BranchIcon,
  CloseIcon,
  DownIcon,
  FolderIcon,
  FolderPlusIcon,
  PlusIcon,
  RightIcon,
} from "../shared/icons";
import { useMachines } from "../shared/machines";
import { baseName, shortPath } from "../shared/paths";
import {
  removeRepository,
  rescanRepository,
  useRepositories,
} from "../shared/repositories";
import { useSettings } from "../shared/settings-store";
import type { TreeGroup, TreeItem } from "../shared/tree-item";
import { walk } from "../shared/walk";
import { useWindowState } from "../shared/window-state";
import { MachineSection } from "./MachineSection";
import "./workspace-tree.css";
import { toggleCollapsed } from "./workspace-store";
import {
  grouped,
  type RepositoryGroup,
  type WorktreeGroup,
  workspaceTree,
} from "./workspace-tree";

export interface WorkspaceTreeProps {
  /** Everything that works in a directory, in the order in which it is listed. */
  items: TreeItem[];
  onTerminal: (directory?: string) => void;
  /** Opens a terminal on another machine. */
  onMachine: (machine: MachineId) => void;
  onAddFolder: () => void;
  /** Shows what a worktree changed. */
  onChanges: (worktree: string) => void;
  /** Asks what is to become of worktrees. */
  onWorktree: (wish: WorktreeWish) => void;
}

/** What a person wants of worktrees. */
export type WorktreeWish =
  | { what: "new" | "list"; directory: string }
  | { what: "rename"; worktree: string; branch: string }
  | { what: "remove"; worktree: string };

/** What can be done where a worktree is. */
type Acts = Pick<WorkspaceTreeProps, "onTerminal" | "onChanges" | "onWorktree">;

/** The sidebar's tree: repositories, their worktrees, and what works in each; walked with the arrow keys. */
export function WorkspaceTree({
  items,
  onTerminal,
  onMachine,
  onAddFolder,
  onChanges,
  onWorktree,
}: WorkspaceTreeProps) {
  const repositories = useRepositories((state) => state.repositories);
  const home = useSettings((state) => state.platform?.home ?? "");
  const machines = useMachines((state) => state.machines);
  const tree = useMemo(
    () =>
      workspaceTree(
        items.filter(({ machine }) => machine === undefined),
        repositories,
      ),
    [items, repositories],
  );
  const acts = { onTerminal, onChanges, onWorktree };
  const empty = items.length === 0 && repositories.length === 0;
  return (
    <section className="tree" aria-label="Workspace">
      <header className="sidebar-heading">
        <h2>Workspace</h2>
        <span className="spacer" />
        <IconButton
          label="Open a folder or a repository"
          hint={keyOf("workspace.open_folder")}
          onClick={onAddFolder}
        >
          <FolderPlusIcon size={14} />
        </IconButton>
        <IconButton
          label="New terminal"
          hint={keyOf("pane.new")}
          data-testid="new-terminal"
          onClick={() => onTerminal()}
        >
          <PlusIcon size={14} />
        </IconButton>
      </header>
      {empty && (
        <p className="empty">
          Nothing is open.{" "}
          <button
            type="button"
            className="link-button"
            onClick={() => onTerminal()}
          >
            Open a terminal
          </button>{" "}
          or drop a folder here.
        </p>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the buttons inside */}
      <div onKeyDown={walk}>
        {machines.length > 0 && (
          <h3 className="tree-this-machine">This machine</h3>
        )}
        {tree.repositories.map((group) => (
          <Repository
            key={group.repository.repository}
            group={group}
            acts={acts}
          />
        ))}
        {tree.elsewhere.map(({ directory, items: found }) => (
          <div key={directory} className="tree-directory">
            <h3 title={shortPath(directory, home)}>
              <FolderIcon size={13} />
              <span>{baseName(directory, home)}</span>
            </h3>
            <Rows items={found} />
          </div>
        ))}
        {machines.map((machine) => (
          <MachineSection
            key={machine.id}
            machine={machine}
            items={items.filter((item) => item.machine === machine.id)}
            onTerminal={onMachine}
            rows={(found) => <Rows items={found} />}
          />
        ))}
      </div>
    </section>
  );
}

/** What works in one directory; what is part of a run is one row until it is unfolded. */
function Rows({ items }: { items: TreeItem[] }) {
  return (
    <ul>
      {grouped(items).map(({ key, group, items: parts }) =>
        group ? (
          <Group key={key} group={group} parts={parts} />
        ) : (
          parts.map(({ row }) => <li key={key}>{row}</li>)
        ),
      )}
    </ul>
  );
}

function Group({ group, parts }: { group: TreeGroup; parts: TreeItem[] }) {
  const [open, setOpen] = useState(false);
  const Fold = open ? DownIcon : RightIcon;
  const count = parts.length === 1 ? "1 pane" : `${parts.length} panes`;
  return (
    <li className="tree-group" data-testid={`group-${group.key}`}>
      <ContextMenu
        items={() => [
          [{ title: "Go to the run", run: group.open }],
          [{ title: "Close the panes that have ended", run: group.closeEnded }],
        ]}
      >
        <div className="tree-line">
          <button
            type="button"
            className="tree-heading"
            data-walk
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <span className="tree-fold">
              <Fold size={11} />
            </span>
            <span className="tree-name">{group.title}</span>
            <span className="tree-note">
              {group.state} · {count}
            </span>
          </button>
          <span className="tree-buttons">
            <IconButton
              label={`Go to the run of ${group.title}`}
              tabIndex={-1}
              onClick={group.open}
            >
              <RightIcon size={12} />
            </IconButton>
            <IconButton
              label={`Close the panes of ${group.title} that have ended`}
              tabIndex={-1}
              onClick={group.closeEnded}
            >
              <CloseIcon size={12} />
            </IconButton>
          </span>
        </div>
      </ContextMenu>
      {open && (
        <ul>
          {parts.map(({ key, row }) => (
            <li key={key}>{row}</li>
          ))}
        </ul>
      )}
    </li>
  );
}

function Repository({
  group: { repository, worktrees, quiet },
  acts,
}: {
  group: RepositoryGroup;
  acts: Acts;
}) {
  const [all, setAll] = useState(false);
  const only = repository.worktrees.length === 1 ? worktrees[0] : undefined;
  const title = `repository ${repository.name}`;
  return (
    <div
      className="tree-repository"
      data-testid={`repository-${repository.name}`}
    >
      <Heading
        id={repository.repository}
        title={repository.root}
        icon={<FolderIcon size={13} />}
        text={repository.name}
        note={only ? branchOf(only.worktree) : stateOf(repository)}
        noteTitle={stateTitle(repository)}
        {...(only && {
          directory: only.worktree.path,
          changed: <Changed worktree={only.worktree} acts={acts} />,
        })}
        menu={() => [
          ...menuOf(only?.worktree ?? mainOf(repository), acts),
          [
            {
              title: "Look at it anew",
              run: () => void rescanRepository(repository.repository),
            },
            {
              title: "Take it out of the workspace",
              run: () => void removeRepository(repository.repository),
            },
          ],
        ]}
        buttons={
          <>
            <IconButton
              label={`Take the ${title} out of the workspace`}
              tabIndex={-1}
              onClick={() => void removeRepository(repository.repository)}
            >
              <CloseIcon size={12} />
            </IconButton>
            {only && <NewTerminal worktree={only.worktree} acts={acts} />}
          </>
        }
      >
        {only ? (
          <Rows items={only.items} />
        ) : (
          <>
            {worktrees.map((group) => (
              <Worktree key={group.worktree.path} group={group} acts={acts} />
            ))}
            {all &&
              quiet.map((worktree) => (
                <Worktree
                  key={worktree.path}
                  group={{ worktree, items: [] }}
                  acts={acts}
                />
              ))}
            {quiet.length > 0 && (
              <button
                type="button"
                className="tree-more"
                data-walk
                aria-expanded={all}
                onClick={() => setAll(!all)}
              >
                {all
                  ? "Fewer worktrees"
                  : quiet.length === 1
                    ? "1 more worktree"
                    : `${quiet.length} more worktrees`}
              </button>
            )}
          </>
        )}
      </Heading>
    </div>
  );
}

function Worktree({
  group: { worktree, items },
  acts,
}: {
  group: WorktreeGroup;
  acts: Acts;
}) {
  return (
    <div
      className="tree-worktree"
      data-testid={`worktree-${worktree.name}`}
      data-present={worktree.present}
    >
      <Heading
        id={worktree.path}
        title={
          worktree.present
            ? worktree.path
            : `${worktree.path}: its directory is not there`
        }
        icon={<BranchIcon size={13} />}
        text={branchOf(worktree)}
        note=""
        changed={<Changed worktree={worktree} acts={acts} />}
        directory={worktree.path}
        buttons={<NewTerminal worktree={worktree} acts={acts} />}
        menu={() => menuOf(worktree, acts)}
        {...(items.length === 0 && {
          onOpen: () => acts.onTerminal(worktree.path),
        })}
      >
        <Rows items={items} />
      </Heading>
    </div>
  );
}

/** What can be done where a worktree is. */
function menuOf(
  { path, branch, main }: Pick<WorktreeView, "path" | "branch" | "main">,
  { onTerminal, onChanges, onWorktree }: Acts,
): MenuItem[][] {
  return [
    [
      { title: "New terminal here", run: () => onTerminal(path) },
      { title: "Show what changed", run: () => onChanges(path) },
    ],
    [
      {
        title: "New worktree…",
        run: () => onWorktree({ what: "new", directory: path }),
      },
      {
        title: "Worktrees…",
        run: () => onWorktree({ what: "list", directory: path }),
      },
      ...(branch === null || main
        ? []
        : [
            {
              title: "Rename its branch…",
              run: () => onWorktree({ what: "rename", worktree: path, branch }),
            },
          ]),
      ...(main
        ? []
        : [
            {
              title: "Remove this worktree…",
              run: () => onWorktree({ what: "remove", worktree: path }),
            },
          ]),
    ],
    [
      copying("Copy its path", path),
      ...(branch === null ? [] : [copying("Copy its branch", branch)]),
    ],
  ];
}

/** The main checkout of a repository; its directory, where there is none. */
function mainOf({ root, worktrees }: RepositoryView) {
  const main = worktrees.find((worktree) => worktree.main);
  return main ?? { path: root, branch: null, main: true };
}

/** How many files a worktree changed; leads to them. */
function Changed({ worktree, acts }: { worktree: WorktreeView; acts: Acts }) {
  const { changed_files: count, path } = worktree;
  if (count === 0) return null;
  const files = count === 1 ? "1 file" : `${count} files`;
  return (
    <button
      type="button"
      className="tree-changed"
      data-walk
      data-testid={`changed-${worktree.name}`}
      title={`Show what changed in ${branchOf(worktree)}`}
      onClick={() => acts.onChanges(path)}
    >
      {files}
    </button>
  );
}

function NewTerminal({
  worktree,
  acts: { onTerminal },
}: {
  worktree: WorktreeView;
  acts: Acts;
}) {
  return (
    <IconButton
      label={`New terminal in ${branchOf(worktree)}`}
      tabIndex={-1}
      onClick={() => onTerminal(worktree.path)}
    >
      <PlusIcon size={12} />
    </IconButton>
  );
}

/** A line with a name, and what is below it, which folds. */
function Heading({
  id,
  title,
  icon,
  text,
  note,
  noteTitle,
  changed,
  directory,
  buttons,
  menu,
  onOpen,
  children,
}: {
  id: string;
  title: string;
  icon: ReactNode;
  text: string;
  note: string;
  noteTitle?: string;
  /** What changed there. */
  changed?: ReactNode;
  /** Its conflicts are shown. */
  directory?: string;
  buttons: ReactNode;
  menu: ContextMenuProps["items"];
  /** What a click does where there is nothing to fold. */
  onOpen?: () => void;
  children: ReactNode;
}) {
  const collapsed = useWindowState((state) =>
    state.frame.collapsed.includes(id),
  );
  const Fold = collapsed ? RightIcon : DownIcon;
  return (
    <>
      <ContextMenu items={menu}>
        <div className="tree-line">
          <button
            type="button"
            className="tree-heading"
            data-walk
            title={title}
            {...(!onOpen && { "aria-expanded": !collapsed })}
            onClick={onOpen ?? (() => toggleCollapsed(id))}
          >
            <span className="tree-fold">{!onOpen && <Fold size={11} />}</span>
            {icon}
            <span className="tree-name">{text}</span>
            {note !== "" && (
              <span className="tree-note" title={noteTitle}>
                {note}
              </span>
            )}
          </button>
          {/* Before what they would push away from under the pointer. */}
          <span className="tree-buttons">{buttons}</span>
          {changed}
          {directory !== undefined && <ConflictBadge directory={directory} />}
        </div>
      </ContextMenu>
      {!collapsed && children}
    </>
  );
}

/** The branch of a worktree; its directory where it is on none. */
function branchOf(worktree: WorktreeView): string {
  return worktree.branch ?? `${worktree.name} (no branch)`;
}

function stateOf({ state }: RepositoryView): string {
  switch (state.state) {
    case "looking":
      return "looking…";
    case "watched":
      return state.health === "live" ? "" : "seen late";
    case "failed":
      return "not watched";
  }
}

function stateTitle({ state }: RepositoryView): string {
  switch (state.state) {
    case "looking":
      return "Its files are being looked at for the first time";
    case "watched":
      return state.reasons.join("\n");
    case "failed":
      return state.message;
  }
}
