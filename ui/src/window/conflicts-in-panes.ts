import { openAgent, say } from "../agents/actions";
import {
  type AgentKey,
  agentTitle,
  hasPane,
  keyOfAgent,
  machineOf,
  statusWord,
  useAgents,
} from "../agents/agent-store";
import type { AgentInfo, PaneInfo } from "../bindings";
import {
  grouped,
  keyOf,
  listConflicts,
  nameOf,
  type Said,
  startConflicts,
  useConflicts,
} from "../conflicts/conflict-store";
import { type Together, together } from "../conflicts/together";
import type { Command } from "../shared/commands";
import { activate, findPanel, openPanel } from "../shared/dock/dock";
import { type Need, setNeeds } from "../shared/needs-you";
import { notify } from "../shared/notices";
import { placeOfDirectory, useRepositories } from "../shared/repositories";
import type { Target } from "../shared/targets";
import { withHost } from "../terminal/hosts";
import { panesInOrder, paneTitle, usePanes } from "../terminal/pane-store";
import { activePane, showPane } from "../terminal/pane-tabs";
import { showAside, useWorkspace } from "../workspace/workspace-store";

/** Where conflicts meet panes: who works in a worktree, how to go there, how to tell them. */

export const CONFLICT = "conflict";
export const REPOSITORY = "repository";

/** Follows the conflicts; those that a merge would stop at need the person. */
export function followConflicts(): () => void {
  const tellNeeds = () => {
    const { verdicts, groups } = useConflicts.getState();
    setNeeds(
      "conflicts",
      needsOf(together(grouped(verdicts).warnings, groups)),
    );
  };
  const stops = [startConflicts(), useConflicts.subscribe(tellNeeds)];
  return () => {
    for (const stop of stops) stop();
    setNeeds("conflicts", []);
  };
}

/**
 * What of the warnings is worth an interruption: a merge would stop. One need for two worktrees, however many files;
 * and one for the lines at which more of them meet.
 */
export function needsOf(warnings: Together[]): Need[] {
  const pairs = new Map<string, Said[]>();
  const crowds: Together[] = [];
  for (const one of warnings) {
    const [first] = one.said;
    if (!first.verdict.would_conflict) continue;
    const { left, right } = keyOf(first.verdict);
    const pair = `${left}\u0000${right}`;
    if (one.said.length > 1) crowds.push(one);
    else pairs.set(pair, [...(pairs.get(pair) ?? []), first]);
  }
  const ofCrowds = crowds.map(({ name, said, worktrees }) => ({
    ...need(name, said, 1),
    title: `${worktrees.length} worktrees`,
    open: showConflicts,
  }));
  const ofPairs = [...pairs].map(([id, said]) => ({
    ...need(id, said, said.length),
    title: `${said[0]?.verdict.left.name} and ${said[0]?.verdict.right.name}`,
    open: () => {
      showConflicts();
      if (said[0]) openConflict(said[0]);
    },
  }));
  return [...ofCrowds, ...ofPairs];
}

function need(id: string, said: Said[], files: number) {
  const what = files === 1 ? said[0]?.verdict.path : `${files} files`;
  return {
    id,
    kind: "conflict" as const,
    detail: `No clean merge of ${what}`,
    since: Math.min(...said.map(({ verdict }) => verdict.since)),
  };
}

export function showConflicts(): void {
  showAside("conflicts");
  void listConflicts();
}

function toggleConflicts(): void {
  if (useWorkspace.getState().aside === "conflicts") showAside(null);
  else showConflicts();
}

/** The panel of a verdict. */
export function panelOfConflict({ repository, verdict }: Said): string {
  return `${CONFLICT}-${repository}-${nameOf(keyOf(verdict))}`;
}

/** Opens both sides of a verdict in the dock. */
export function openConflict(said: Said): void {
  const { repository, verdict } = said;
  const key = keyOf(verdict);
  const id = panelOfConflict(said);
  const present = findPanel((panel) => panel.id === id);
  if (present) {
    activate(present);
    return;
  }
  openPanel(
    {
      id,
      kind: CONFLICT,
      title: `${key.path.split("/").pop()}: ${verdict.left.name}, ${verdict.right.name}`,
      params: { repository, ...key },
    },
    "roomy",
  );
}

/** Opens which worktree touches which file. */
export function openRepository(repository: string): void {
  const view = useRepositories
    .getState()
    .repositories.find((one) => one.repository === repository);
  openPanel(
    {
      id: `${REPOSITORY}-${repository}`,
      kind: REPOSITORY,
      title: `${view?.name ?? "Repository"}: files touched`,
      params: { repository },
    },
    "roomy",
  );
}

/** The repository that the active pane works in, else the only or first one. */
function openRepositoryHere(): void {
  const { repositories } = useRepositories.getState();
  const pane = activePane();
  const cwd = pane === null ? "" : (usePanes.getState().panes[pane]?.cwd ?? "");
  const here = placeOfDirectory(repositories, cwd)?.repository;
  const chosen = here ?? repositories[0];
  if (chosen) openRepository(chosen.repository);
  else notify("info", "No repository is in the workspace.");
}

export function conflictCommands(): Command[] {
  const group = "Conflicts";
  return [
    {
      id: "conflicts.panel",
      title: "Show or hide the conflicts between worktrees",
      group,
      key: "Ctrl+Shift+X",
      run: toggleConflicts,
    },
    {
      id: "conflicts.worst",
      title: "Open the worst conflict",
      group,
      run: () => {
        const [worst] = grouped(useConflicts.getState().verdicts).warnings;
        if (worst) openConflict(worst);
        else notify("info", "There are no conflicts.");
      },
    },
    {
      id: "conflicts.files",
      title: "Show which worktree touches which file",
      group,
      run: openRepositoryHere,
    },
  ];
}

/** Who works in a worktree: agents of this machine, then programs in panes, then shells. */
export function useTargets(worktree: string): Target[] {
  const panes = usePanes((state) => state.panes);
  const agents = useAgents((state) => state.agents);
  const repositories = useRepositories((state) => state.repositories);
  const here = (cwd: string) =>
    placeOfDirectory(repositories, cwd)?.worktree.path === worktree;
  const inPanes = panesInOrder({ panes })
    .filter(({ cwd, state }) => state.state === "running" && here(cwd))
    .map(targetOf)
    .sort((a, b) => Number(a.shell) - Number(b.shell));
  return [
    ...Object.values(agents)
      .filter(canBeTold)
      .filter(({ cwd }) => here(cwd))
      .map(agentTarget),
    ...inPanes,
  ];
}

/** An agent of this machine that is still there; one that answers in a pane is found there. */
function canBeTold(agent: AgentInfo): boolean {
  return (
    machineOf(agent.backend) === "" &&
    !hasPane(agent) &&
    agent.status.state !== "archived"
  );
}

/** How an agent is called among those who can be told something. */
export const targetOfAgent = (key: AgentKey) => `agent-${key}`;

function agentTarget(agent: AgentInfo): Target {
  const key = keyOfAgent(agent);
  return {
    id: targetOfAgent(key),
    label: agentTitle(agent),
    detail: `${agent.provider}, ${statusWord(agent.status)}`,
    kind: "agent",
    shell: false,
    open: () => openAgent(key),
    tell: (text) => {
      openAgent(key);
      void say(key, text);
    },
  };
}

const inOneLine = (text: string) => text.replace(/\s*[\r\n]+\s*/g, " ").trim();

function targetOf(pane: PaneInfo): Target {
  const shell = pane.role === "shell" && !pane.busy;
  return {
    id: `pane-${pane.id}`,
    label: paneTitle(pane),
    detail: shell ? "a shell" : (pane.command ?? pane.program[0] ?? "running"),
    kind: "pane",
    shell,
    open: () => showPane(pane.id),
    tell: (text, send) => {
      showPane(pane.id);
      withHost(pane.id, (host) => {
        // To a program that does not know of pastes, a line's end would be an Enter.
        host.paste(host.bracketedPaste ? text : inOneLine(text));
        if (send) host.enter();
        host.focus();
      });
    },
  };
}
