import { diffArrays } from "diff";

/** One line of a change. */
export interface DiffLine {
  kind: "same" | "added" | "removed" | "gap";
  text: string;
}

/** How many unchanged lines are shown around a change. */
const CONTEXT = 3;
/** Above this many lines removed and added, what differs is shown as one removed and one added block. */
const EDITS = 1_000;

/** The lines of a change of `before` into `after`, with a little of what is around them. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = linesOf(before);
  const b = linesOf(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  )
    tail++;
  const same = (text: string): DiffLine => ({ kind: "same", text });
  return folded([
    ...a.slice(0, head).map(same),
    ...changed(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(same),
  ]);
}

function linesOf(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

/** What differs; the search for it costs the lines times the edits, however far apart those are. */
function changed(a: string[], b: string[]): DiffLine[] {
  const parts = diffArrays(a, b, { maxEditLength: EDITS }) ?? [
    { value: a, removed: true, added: false },
    { value: b, removed: false, added: true },
  ];
  return parts.flatMap(({ value, removed, added }) => {
    const kind = removed ? "removed" : added ? "added" : "same";
    return value.map((text): DiffLine => ({ kind, text }));
  });
}

/** Leaves out what is far from any change. */
function folded(lines: DiffLine[]): DiffLine[] {
  const near = new Set<number>();
  lines.forEach((line, index) => {
    if (line.kind === "same") return;
    for (let by = -CONTEXT; by <= CONTEXT; by++) near.add(index + by);
  });
  const shown: DiffLine[] = [];
  lines.forEach((line, index) => {
    if (near.has(index)) shown.push(line);
    else if (shown.at(-1)?.kind !== "gap" && shown.length > 0)
      shown.push({ kind: "gap", text: "" });
  });
  if (shown.at(-1)?.kind === "gap") shown.pop();
  return shown;
}

/** The lines of a unified diff; `null` when the text is none. */
export function unifiedLines(text: string): DiffLine[] | null {
  if (!/^(diff --git |--- |@@ )/m.test(text)) return null;
  return linesOf(text)
    .filter((line) => !/^(diff |index |--- |\+\+\+ )/.test(line))
    .map((line): DiffLine => {
      if (line.startsWith("@@")) return { kind: "gap", text: line };
      if (line.startsWith("+")) return { kind: "added", text: line.slice(1) };
      if (line.startsWith("-")) return { kind: "removed", text: line.slice(1) };
      return { kind: "same", text: line.slice(1) };
    });
}
