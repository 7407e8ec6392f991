import { create } from "zustand";
import {
  type Chord,
  formatKey,
  type KeyPress,
  matches,
  parseKey,
} from "./keys";

/** Something that a person can ask for: by the palette, by a key, by a button. */
export interface Command {
  /** What `keys.json` calls it: `pane.split_right`. */
  id: string;
  title: string;
  /** Its heading in the palette. */
  group: string;
  /** The key that it has unless the person says otherwise. */
  key?: string;
  run: () => void;
  /** Whether it means anything right now; always, when absent. */
  enabled?: () => boolean;
}

interface Commands {
  commands: Command[];
  /** From `keys.json`: another key, or none. */
  keys: Record<string, string | null>;
}

/** Every command there is. A feature registers its own and takes them away when it ends. */
export const useCommands = create<Commands>(() => ({ commands: [], keys: {} }));

export function registerCommands(added: Command[]): () => void {
  useCommands.setState(({ commands }) => ({
    commands: [...commands, ...added],
  }));
  return () => {
    useCommands.setState(({ commands }) => ({
      commands: commands.filter((command) => !added.includes(command)),
    }));
  };
}

export function setKeys(keys: Record<string, string | null>): void {
  useCommands.setState({ keys });
}

/** The key of a command: the person's, else the default; `null` for none. */
export function chordOf(
  command: Command,
  keys: Record<string, string | null>,
): Chord | null {
  const own = keys[command.id];
  if (own === null) return null;
  return parseKey(own ?? command.key ?? "");
}

/** The key of a command as people read it; empty when it has none. */
export function keyOf(id: string): string {
  const { commands, keys } = useCommands.getState();
  const command = commands.find((candidate) => candidate.id === id);
  const chord = command ? chordOf(command, keys) : null;
  return chord ? formatKey(chord) : "";
}

/** Which command a key press means. The person's own keys win over defaults. */
export function commandFor(
  press: KeyPress,
  { commands, keys }: Commands,
): Command | null {
  let byDefault: Command | null = null;
  for (const command of commands) {
    const chord = chordOf(command, keys);
    if (!chord || !matches(chord, press)) continue;
    if (command.enabled && !command.enabled()) continue;
    if (typeof keys[command.id] === "string") return command;
    byDefault ??= command;
  }
  return byDefault;
}

export function runCommand(id: string): void {
  const command = useCommands
    .getState()
    .commands.find((candidate) => candidate.id === id);
  if (command && (!command.enabled || command.enabled())) command.run();
}

let taker: ((event: KeyboardEvent) => void) | null = null;

/** Gives every key to `take` in the place of the commands, until it is stopped: to record one, say. */
export function takeKeys(take: (event: KeyboardEvent) => void): () => void {
  taker = take;
  return () => {
    if (taker === take) taker = null;
  };
}

/** Runs commands by their keys, before anything else on the page sees the key. */
export function listenForKeys(target: Window): () => void {
  function onKey(event: KeyboardEvent) {
    if (taker) {
      event.preventDefault();
      event.stopPropagation();
      taker(event);
      return;
    }
    // While an input method composes, keys are its own.
    if (event.isComposing || event.keyCode === 229) return;
    const command = commandFor(event, useCommands.getState());
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    command.run();
  }
  target.addEventListener("keydown", onKey, { capture: true });
  return () => target.removeEventListener("keydown", onKey, { capture: true });
}
