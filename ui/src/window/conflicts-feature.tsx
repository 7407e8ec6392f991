import type { VerdictKey } from "../bindings";
import { ConflictsItem } from "../conflicts/ConflictsItem";
import { ConflictsPanel } from "../conflicts/ConflictsPanel";
import { grouped, useConflicts } from "../conflicts/conflict-store";
import { RepositoryMatrix } from "../conflicts/RepositoryMatrix";
import { VerdictView } from "../conflicts/VerdictView";
import type { Destination } from "../shared/destinations";
import { useParams } from "../shared/dock/panel";
import type { Feature } from "../shared/feature";
import { newTerminal } from "../terminal/pane-life";
import { askForFolder } from "../workspace/FolderDialog";
import { leaveAside } from "./aside";
import {
  CONFLICT,
  conflictCommands,
  followConflicts,
  openConflict,
  openRepository,
  panelOfConflict,
  REPOSITORY,
  showConflicts,
  useTargets,
} from "./conflicts-in-panes";

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function ConflictPanel() {
  const shown = useParams();
  const key: VerdictKey = {
    path: textOf(shown.path),
    left: textOf(shown.left),
    right: textOf(shown.right),
  };
  const left = useTargets(key.left);
  const right = useTargets(key.right);
  return (
    <VerdictView
      repository={textOf(shown.repository)}
      verdictKey={key}
      targets={{ left, right }}
      onTerminal={(cwd) => void newTerminal("right", { cwd })}
    />
  );
}

function RepositoryPanel() {
  return (
    <RepositoryMatrix
      repository={textOf(useParams().repository)}
      onOpen={openConflict}
      onTerminal={(cwd) => void newTerminal("right", { cwd })}
    />
  );
}

function ConflictsAside() {
  return (
    <ConflictsPanel
      onOpen={openConflict}
      onRepository={openRepository}
      onAddFolder={askForFolder}
      onClose={leaveAside}
    />
  );
}

/** The files that two worktrees changed. */
function useFileDestinations(): Destination[] {
  const verdicts = useConflicts((state) => state.verdicts);
  return grouped(verdicts).warnings.map((said) => ({
    key: panelOfConflict(said),
    kind: "Conflict",
    title: said.verdict.path,
    detail: `${said.verdict.left.name}, ${said.verdict.right.name}`,
    open: () => openConflict(said),
  }));
}

export const conflictsFeature: Feature = {
  name: "conflicts",
  commands: conflictCommands(),
  views: {
    [CONFLICT]: { view: ConflictPanel },
    [REPOSITORY]: { view: RepositoryPanel },
  },
  useDestinations: useFileDestinations,
  asides: { conflicts: ConflictsAside },
  status: () => <ConflictsItem onClick={showConflicts} />,
  start: followConflicts,
};
