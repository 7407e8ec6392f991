import type { Channel } from "@tauri-apps/api/core";
import type {
  AgentId,
  BackendId,
  ConversationStep,
  commands,
  events,
  PaneId,
  ViewOptions,
} from "../bindings";
import type { BackendError, Result, Stop } from "./result";

export type { BackendError, Result, Stop };

type Commands = typeof commands;
type Events = typeof events;

/** An argument as the page gives it: in the place of a channel, who listens to it. */
type Given<Argument> =
  Argument extends Channel<infer Told> ? (told: Told) => void : Argument;

type GivenAll<Arguments extends unknown[]> = {
  [Place in keyof Arguments]: Given<Arguments[Place]>;
};

/** Every command. */
export type Asks = {
  [Name in keyof Commands]: (
    ...given: GivenAll<Parameters<Commands[Name]>>
  ) => ReturnType<Commands[Name]>;
};

type Told<Name extends keyof Events> = Parameters<
  Parameters<Events[Name]["listen"]>[0]
>[0]["payload"];

/** Every event: `onRunsChanged` for `runsChanged`. */
export type Follows = {
  [Name in keyof Events as `on${Capitalize<Name>}`]: (
    listener: (told: Told<Name>) => void,
  ) => Stop;
};

/** The commands that the page gives and ends in another way. */
type Otherwise =
  | "attachPane"
  | "followFlow"
  | "unfollowFlow"
  | "followAgent"
  | "nextOfAgent"
  | "unfollowAgent";

/**
 * The one door to Rust: its commands and events as they are generated, and what a window has beside them.
 * `tauri-backend.ts` is the real one; `twin/` has its twin for tests and for a plain browser.
 */
export interface Backend extends Omit<Asks, Otherwise>, Follows {
  /** Streams a pane: a snapshot first, then output; each frame as bytes (see `frames.ts`). */
  attachPane(
    pane: PaneId,
    scrollbackRows: ViewOptions["scrollback_rows"],
    onFrame: (frame: ArrayBuffer) => void,
  ): ReturnType<Asks["attachPane"]>;
  /** Tells the text of a flow's file whenever it changes on disk. */
  followFlow(path: string, listener: (text: string) => void): Stop;
  /** Follows a conversation: all that was said, then what is being said, as fast as it is taken. */
  followAgent(
    at: BackendId,
    agent: AgentId,
    onStep: (step: ConversationStep) => void,
  ): Stop;
  /** What the window is called on the desktop. */
  setTitle(title: string): void;
  /** How large everything in the window is; 1 as it was drawn for. */
  setZoom(factor: number): void;
  /** Folders and files that were dropped on the window, as paths, and where. */
  onDrop(
    listener: (paths: string[], at: { x: number; y: number }) => void,
  ): Stop;
}

/** The backend in use; set once, before anything is drawn. */
export let backend: Backend = absent();

export function installBackend(chosen: Backend): void {
  backend = chosen;
}

function absent(): Backend {
  return new Proxy({} as Backend, {
    get(_target, name) {
      throw new Error(`no backend is installed: \`${String(name)}\` was asked`);
    },
  });
}
