/** One line of a change. */
export interface DiffLine {
  kind: "same" | "added" | "removed" | "gap";
  text: string;
}

/** How many unchanged lines are shown around a change. */
const CONTEXT = 3;
/** Above this many pairs of lines, what differs is shown as one removed and one added block. */
const PAIRS = 1_000_000;

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

/** What differs, by the longest common subsequence of lines. */
function changed(a: string[], b: string[]): DiffLine[] {
  if (a.length * b.length > PAIRS)
    return [
      ...a.map((text): DiffLine => ({ kind: "removed", text })),
      ...b.map((text): DiffLine => ({ kind: "added", text })),
    ];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] =
        a[i] === b[j]
          ? at(i + 1, j + 1) + 1
          : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: "same", text: a[i] ?? "" });
      i++;
      j++;
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1)))
      lines.push({ kind: "removed", text: a[i++] ?? "" });
    else lines.push({ kind: "added", text: b[j++] ?? "" });
  }
  return lines;
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
