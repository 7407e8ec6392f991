import { type Command, useCommands } from "../shared/commands";
import type { Destination } from "../shared/destinations";
import { activate, useDock } from "../shared/dock/dock";
import { notify } from "../shared/notices";
import { useRepositories } from "../shared/repositories";
import { useWindowState } from "../shared/window-state";
import { newTerminal } from "../terminal/pane-life";
import { features } from "./features";
import { openFolder } from "./folders";
import { useProfileDestinations } from "./profiles";
import { useWindowDestinations } from "./windows";

const hooks = features.flatMap(({ useDestinations }) => useDestinations ?? []);

/** Everything that one can go to by its name. */
export function useDestinations(): Destination[] {
  // biome-ignore lint/correctness/useHookAtTopLevel: the features are the same ones at every draw
  const named = hooks.flatMap((useNamed) => useNamed());
  const profiles = useProfileDestinations();
  const windows = useWindowDestinations();
  const api = useDock((state) => state.api);
  useDock((state) => state.panels);
  const repositories = useRepositories((state) => state.repositories);
  const commands = useCommands((state) => state.commands);
  const known = new Set(named.map(({ key }) => key));
  const tabs = (api?.panels ?? [])
    .filter(({ id }) => !known.has(id))
    .map((panel) => ({
      key: panel.id,
      kind: "Tab",
      title: panel.title ?? "",
      detail: "",
      open: () => activate(panel),
    }));
  const worktrees = repositories.flatMap(({ name, worktrees }) =>
    worktrees.map(({ path, branch }) => ({
      key: `worktree-${path}`,
      kind: "Worktree",
      title: `${name}: ${branch ?? path}`,
      detail: path,
      open: () => void newTerminal("tab", { cwd: path }),
    })),
  );
  const folders = useWindowState((state) => state.folders).map((path) => ({
    key: `folder-${path}`,
    kind: "Folder",
    title: path.slice(path.lastIndexOf("/") + 1) || path,
    detail: path,
    open: () => void openKnown(path),
  }));
  return [
    ...named,
    ...profiles,
    ...tabs,
    ...windows,
    ...worktrees,
    ...folders,
    ...commands.flatMap(asDestination),
  ];
}

/** Opens a folder that was opened before, or says why it can't be any more. */
async function openKnown(path: string): Promise<void> {
  const wrong = await openFolder(path);
  if (wrong !== null) notify("error", `Not opened: ${wrong}.`);
}

function asDestination(command: Command): Destination[] {
  if (command.enabled && !command.enabled()) return [];
  const { id, title, group, run } = command;
  return [
    { key: `command-${id}`, kind: "Command", title, detail: group, open: run },
  ];
}
