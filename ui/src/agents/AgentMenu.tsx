import type { ReactElement } from "react";
import type { AgentInfo } from "../bindings";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import {
  archiveAgent,
  askAboutAgents,
  forkAgent,
  openAgent,
  stopAgent,
} from "./actions";
import { isBusy, keyOfAgent, machineOf } from "./agent-store";

/** Whether another one may be made of it; whether its program offers that, only its program knows. */
function canFork({ backend, status }: AgentInfo): boolean {
  return /^(acp|opencode):/.test(backend) && !isBusy(status);
}

/** The menu of an agent, wherever it has a row. */
export function AgentMenu({
  agent,
  children,
}: {
  agent: AgentInfo;
  children: ReactElement;
}) {
  const key = keyOfAgent(agent);
  const here = machineOf(agent.backend) === "";
  return (
    <ContextMenu
      items={() => [
        [{ title: "Open the conversation", run: () => openAgent(key) }],
        [
          canFork(agent) && {
            title: "Fork the conversation",
            run: () => void forkAgent(key),
          },
          here && {
            title: "New agent in its directory…",
            run: () => askAboutAgents({ ask: "new", cwd: agent.cwd }),
          },
          copying("Copy its directory", agent.cwd),
          copying("Copy its id", agent.id),
        ],
        [
          isBusy(agent.status) && {
            title: "Stop it",
            run: () => void stopAgent(key),
          },
          { title: "Archive it", run: () => void archiveAgent(key) },
        ],
      ]}
    >
      {children}
    </ContextMenu>
  );
}
