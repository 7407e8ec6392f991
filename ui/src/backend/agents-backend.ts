import type {
  AgentId,
  AgentInfo,
  AgentsEvent,
  Archived,
  BackendAgents,
  BackendId,
  ConversationStep,
  ImportSession,
  MadeWorktree,
  NewAgent,
  PermissionAnswer,
  Prompt,
} from "../bindings";
import type { Result, Stop } from "./result";

/** What the page may ask of agents. */
export interface AgentsBackend {
  /** Every agent as far as it is known; at once, whatever a host does. */
  knownAgents(): Promise<Result<BackendAgents[]>>;
  /** Asks every host how it is; what changed is told. */
  checkAgents(): Promise<Result<null>>;
  startAgent(at: BackendId, agent: NewAgent): Promise<Result<AgentInfo>>;
  importAgent(
    at: BackendId,
    session: ImportSession,
  ): Promise<Result<AgentInfo>>;
  promptAgent(
    at: BackendId,
    agent: AgentId,
    prompt: Prompt,
  ): Promise<Result<null>>;
  stopAgent(at: BackendId, agent: AgentId): Promise<Result<boolean>>;
  answerAgent(
    at: BackendId,
    agent: AgentId,
    permission: string,
    answer: PermissionAnswer,
  ): Promise<Result<null>>;
  archiveAgent(
    at: BackendId,
    agent: AgentId,
    force: boolean,
  ): Promise<Result<Archived>>;
  /** Follows a conversation: all that was said, then what is being said, as fast as it is taken. */
  followAgent(
    at: BackendId,
    agent: AgentId,
    onStep: (step: ConversationStep) => void,
  ): Stop;
  /** Makes a worktree of the repository that a directory is in, with a branch of the same name. */
  addWorktree(directory: string, name: string): Promise<Result<MadeWorktree>>;
  onAgents(listener: (event: AgentsEvent) => void): Stop;
}
