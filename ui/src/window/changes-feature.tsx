import { ChangesTab } from "../changes/ChangesTab";
import { followTouched } from "../changes/touched-store";
import type { Destination } from "../shared/destinations";
import { useInFront, useParams, useVisible } from "../shared/dock/panel";
import type { Feature } from "../shared/feature";
import { useRepositories } from "../shared/repositories";
import { newTerminal } from "../terminal/pane-life";
import { counting, followAnswers } from "./changes-in-agents";
import { showMeeting, useNear } from "./changes-in-conflicts";
import { CHANGES, changesCommands, openChanges } from "./changes-in-panes";
import { useTargets } from "./conflicts-in-panes";

function ChangesPanel() {
  const { worktree } = useParams();
  const visible = useVisible();
  const active = useInFront();
  const own = typeof worktree === "string" ? worktree : null;
  const near = useNear(own);
  const targets = useTargets(own ?? "");
  return own === null ? null : (
    <ChangesTab
      worktree={own}
      visible={visible}
      active={active}
      near={near}
      targets={counting(targets)}
      onConflicts={(other, files) => showMeeting(own, other, files)}
      onRun={(program, args) =>
        void newTerminal("tab", { cwd: own, program, args })
      }
    />
  );
}

/** What each worktree changed, whether it is open or not. */
function useChangesDestinations(): Destination[] {
  const repositories = useRepositories((state) => state.repositories);
  return repositories.flatMap(({ name, worktrees }) =>
    worktrees.map(({ path, branch }) => ({
      key: `${CHANGES}-${path}`,
      kind: "Changes",
      title: `${name}: changes of ${branch ?? path}`,
      detail: path,
      open: () => openChanges(path),
    })),
  );
}

export const changesFeature: Feature = {
  name: "changes",
  commands: changesCommands(),
  views: { [CHANGES]: { view: ChangesPanel } },
  useDestinations: useChangesDestinations,
  start() {
    const stops = [followTouched(), followAnswers()];
    return () => {
      for (const stop of stops) stop();
    };
  },
};
