import { type Command, chordOf } from "../shared/commands";
import { type Chord, formatKey, isTyped } from "../shared/keys";
import { finds } from "./sheet-store";

type Keys = Record<string, string | null>;

/** A command with its key. */
export interface KeyRow {
  command: Command;
  /** As people read it; empty for none. */
  key: string;
  /** Whether the person chose it. */
  own: boolean;
  /** Other commands with the same key, of which one alone can have it. */
  shared: Command[];
}

/** Every command that a search finds, under its heading. Pure. */
export function keyGroups(
  commands: Command[],
  keys: Keys,
  query: string,
  changedOnly: boolean,
): [string, KeyRow[]][] {
  const groups = new Map<string, KeyRow[]>();
  for (const command of commands) {
    const { id, title, group } = command;
    const chord = chordOf(command, keys);
    const key = chord ? formatKey(chord) : "";
    const own = id in keys;
    if (changedOnly && !own) continue;
    if (!finds(query, `${title} ${id} ${group} ${key}`)) continue;
    const shared = chord ? holdersOf(chord, commands, keys, id) : [];
    groups.set(group, [
      ...(groups.get(group) ?? []),
      { command, key, own, shared },
    ]);
  }
  return [...groups];
}

/** The commands other than `id` that have a key. Pure. */
export function holdersOf(
  chord: Chord,
  commands: Command[],
  keys: Keys,
  id: string,
): Command[] {
  const key = formatKey(chord);
  return commands.filter((other) => {
    if (other.id === id) return false;
    const theirs = chordOf(other, keys);
    return theirs !== null && formatKey(theirs) === key;
  });
}

/** What a person should know of a key before it is a command's; `refused`: it can't be. Pure. */
export function warningOf(
  chord: Chord,
): { text: string; refused: boolean } | null {
  const key = formatKey(chord);
  if (isTyped(chord))
    return {
      text: `${key} is what one types: no program would get it any more.`,
      refused: true,
    };
  const { ctrl, shift, alt, meta } = chord;
  if (ctrl && !shift && !alt && !meta && /^[a-z]$/.test(chord.key))
    return {
      text: `Programs in panes will not get ${key} any more.`,
      refused: false,
    };
  return null;
}
