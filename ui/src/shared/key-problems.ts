import type { Command } from "./commands";
import { formatKey, isKey, parseKey } from "./keys";

/**
 * What is wrong with the keys that a person wrote, in the order in which they are written: an id that no command has, a key
 * that no keyboard has, one key for two commands. Defaults that give way to a key of the person's are no mistake. `lines`
 * says where each id is written, as far as that is known.
 */
export function keyProblems(
  commands: Command[],
  keys: Record<string, string | null>,
  lines: Record<string, number> = {},
): string[] {
  const problems: string[] = [];
  const tell = (id: string, what: string) => {
    const line = lines[id];
    problems.push(line === undefined ? what : `Line ${line}: ${what}`);
  };
  const taken = new Map<string, string>();
  for (const [id, text] of Object.entries(keys)) {
    const command = commands.find((one) => one.id === id);
    if (!command) {
      const near = nearest(id, commands);
      tell(
        id,
        `No command is called “${id}”${near ? `; did you mean “${near}”?` : "."}`,
      );
      continue;
    }
    if (text === null) continue;
    const chord = parseKey(text);
    if (!chord || !isKey(chord)) {
      tell(
        id,
        `“${text}” for “${id}” is no key; one is written like “Ctrl+Shift+K”, none is null.`,
      );
      continue;
    }
    const key = formatKey(chord);
    const other = taken.get(key);
    if (other !== undefined)
      tell(id, `${key} is given to “${other}” and to “${id}”.`);
    taken.set(key, id);
  }
  return problems;
}

/** The command whose id is a slip of the fingers away; `null` when none is. */
function nearest(id: string, commands: Command[]): string | null {
  let best: { id: string; away: number } | null = null;
  for (const command of commands) {
    const away = distance(id, command.id);
    if (away <= 3 && away < (best?.away ?? Number.POSITIVE_INFINITY))
      best = { id: command.id, away };
  }
  return best?.id ?? null;
}

/** How many letters must be put in, taken out or changed to make one word of the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const changed = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
