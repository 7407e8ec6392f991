import type { CommandMark, CommandOutput, LineId } from "../bindings";
import { formatDuration } from "../shared/durations";
import { shortPath } from "../shared/paths";

/** A command that its shell marked, with the lines from its prompt to the next one: what belongs together. Pure. */

/** The command of a line: the last one whose prompt is not below it; `null` above the first, and at a prompt where nothing ran. */
export function blockAt(marks: CommandMark[], line: LineId): number | null {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.prompt ?? 0) <= line) low = middle + 1;
    else high = middle;
  }
  const index = low - 1;
  return marks[index] && ran(marks[index]) ? index : null;
}

/** Where a command stands among its shell's; `null` when it is marked no longer. */
export function blockOf(marks: CommandMark[], prompt: LineId): number | null {
  const index = blockAt(marks, prompt);
  return index !== null && marks[index]?.prompt === prompt ? index : null;
}

/** Whether a command was run at this prompt. */
export function ran(mark: CommandMark): boolean {
  return mark.started_at !== null;
}

/** The line after the last one of a command; `null` while there is none. */
export function endOf(marks: CommandMark[], index: number): LineId | null {
  const mark = marks[index];
  const next = marks[index + 1];
  if (!mark) return null;
  if (next) return next.prompt;
  return mark.ended_at === null ? null : mark.output_to;
}

/** The command `step` further than the one at hand; from nowhere, the nearest to the line at the top of the view. */
export function walkFrom(
  marks: CommandMark[],
  current: LineId | null,
  top: LineId,
  step: 1 | -1,
): CommandMark | null {
  const commands = marks.filter(ran);
  if (step < 0) {
    const before = current ?? top;
    return commands.findLast(({ prompt }) => prompt < before) ?? null;
  }
  const after = current ?? top;
  return commands.find(({ prompt }) => prompt > after) ?? null;
}

/** How a command went: `ok after 2.1 s`, `exit status 2 after 3 s`, `runs`. */
export function howItWent({ exit, started_at, ended_at }: CommandMark): string {
  if (started_at === null) return "";
  if (ended_at === null) return "runs";
  const how =
    exit === null ? "ended" : exit === 0 ? "ok" : `exit status ${exit}`;
  return `${how} after ${formatDuration(Math.max(ended_at - started_at, 0))}`;
}

/** Characters of a command where it stands in one line with other words. */
const SHORT = 60;

/** A command in one short line; what it is called when its shell did not tell. */
export function inOneLine(command: string | null): string {
  if (command === null) return "a command";
  const [first = ""] = command.split("\n");
  if (first.length > SHORT) return `${first.slice(0, SHORT)}…`;
  return first === command ? first : `${first} …`;
}

/** A command and what it printed, as one text. */
export function withOutput({ mark, text }: CommandOutput): string {
  const command = mark.command === null ? "" : `$ ${mark.command}\n`;
  return `${command}${text}`.replace(/\n+$/, "");
}

/** The same for somebody who was not there: where it ran, how it went, how long it took and when. */
export function shareText(output: CommandOutput, home: string): string {
  const { mark, cut } = output;
  const facts = [
    howItWent(mark),
    mark.cwd ? `in ${shortPath(mark.cwd, home)}` : "",
    mark.started_at === null ? "" : atTime(mark.started_at),
    cut ? "not all of its output is kept" : "",
  ];
  const told = facts.filter((fact) => fact !== "").join(" · ");
  return `${withOutput(output)}\n\n[${told}]`;
}

/** A day and a time, as people write them. */
export function atTime(ms: number): string {
  return new Date(ms).toLocaleString([], {
    dateStyle: "medium",
    timeStyle: "short",
  });
}
