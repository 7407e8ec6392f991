import { later } from "../shared/later";
import { findFlows } from "./flow-store";

/** How long directories come and go before they are looked through: a window that starts gets to know them one by one. */
const SETTLE_MS = 300;

/**
 * Looks for flows' files in the directories of the person's work: at once, whenever there are others, and when the
 * person comes back to the window, since files come and go elsewhere.
 */
export function followFlowFiles(
  directories: () => string[],
  watch: (changed: () => void) => () => void,
): () => void {
  let known = "";
  function find() {
    const now = directories();
    known = [...now].sort().join("\n");
    void findFlows(now);
  }
  const others = later(SETTLE_MS, find);
  const stop = watch(() => {
    if ([...directories()].sort().join("\n") !== known) others.soon();
  });
  window.addEventListener("focus", find);
  find();
  return () => {
    stop();
    others.stop();
    window.removeEventListener("focus", find);
  };
}

/**
 * What tells these paths apart: of each, the parts between what all begin with and what all end with. The one that has
 * nothing there is told by the part before.
 */
export function apart(paths: string[]): Map<string, string> {
  const parted = paths.map((path) => path.split("/"));
  const [one = []] = parted;
  const least = Math.min(...parted.map((parts) => parts.length));
  let first = 0;
  while (first < least && parted.every((parts) => parts[first] === one[first]))
    first += 1;
  let last = 0;
  while (
    last < least - first &&
    parted.every((parts) => parts.at(-1 - last) === one.at(-1 - last))
  )
    last += 1;
  return new Map(
    parted.map((parts) => {
      const between = parts.slice(first, parts.length - last);
      const told = between.length > 0 ? between : parts.slice(first - 1, first);
      return [parts.join("/"), told.join("/")];
    }),
  );
}

/** For each of several files that have one name, what tells it from the others. */
export function namesakes(
  files: { path: string; name: string }[],
): Map<string, string> {
  const byName = new Map<string, string[]>();
  for (const { name, path } of files)
    byName.set(name, [...(byName.get(name) ?? []), path]);
  const several = [...byName.values()].filter((paths) => paths.length > 1);
  return new Map(several.flatMap((paths) => [...apart(paths)]));
}
