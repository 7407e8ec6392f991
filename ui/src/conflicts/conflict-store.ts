import { create } from "zustand";
import { backend } from "../backend/backend";
import type {
  BaseLines,
  ConflictGroup,
  ConflictsHappened,
  Quiet,
  QuietAbout,
  RepositoryConflicts,
  Severity,
  Verdict,
  VerdictKey,
  VerdictSide,
} from "../bindings";
import { reportFailure } from "../shared/notices";

/** A verdict and the repository that it is said in. */
export interface Said {
  repository: string;
  verdict: Verdict;
}

export interface ConflictsState {
  /** By repository: what is said, by {@link nameOf}. */
  verdicts: Record<string, Record<string, Verdict>>;
  /** By repository: which of them speak of the same lines; as old as the list. */
  groups: Record<string, ConflictGroup[]>;
  quiets: Record<string, Quiet[]>;
  notes: Record<string, string[]>;
  /** Whether they were asked for. */
  listed: boolean;
  /** Counts up when the lines behind a verdict changed, so that what shows them asks anew. */
  changes: Record<string, number>;
}

export const noConflicts: ConflictsState = {
  verdicts: {},
  groups: {},
  quiets: {},
  notes: {},
  listed: false,
  changes: {},
};

export const useConflicts = create<ConflictsState>(() => noConflicts);

export function keyOf(verdict: Verdict): VerdictKey {
  return {
    path: verdict.path,
    left: verdict.left.worktree,
    right: verdict.right.worktree,
  };
}

/** A verdict's key as one text. */
export function nameOf({ path, left, right }: VerdictKey): string {
  return [path, left, right].join("\u0000");
}

/** What an event makes of the state; `stale`: it says too little, and all is to be asked anew. */
export function applyConflicts(
  state: ConflictsState,
  happened: ConflictsHappened,
): { state: ConflictsState; stale: boolean } {
  if (happened.happened === "lagged") return { state, stale: true };
  const { repository, event } = happened.news;
  const before = state.verdicts[repository] ?? {};
  const changed = (
    name: string,
    verdicts: Record<string, Verdict>,
  ): ConflictsState => ({
    ...state,
    verdicts: { ...state.verdicts, [repository]: verdicts },
    changes: { ...state.changes, [name]: (state.changes[name] ?? 0) + 1 },
  });
  switch (event.event) {
    case "verdict": {
      const name = nameOf(keyOf(event.verdict));
      const verdicts = { ...before, [name]: event.verdict };
      // Which others it goes with comes with the list.
      return { state: changed(name, verdicts), stale: true };
    }
    case "resolved": {
      const name = nameOf(event.key);
      const { [name]: _gone, ...verdicts } = before;
      return { state: changed(name, verdicts), stale: false };
    }
    case "contents":
      // Its lines are others now: they come with the list.
      return { state: changed(nameOf(event.key), before), stale: true };
    case "worktrees":
      return { state, stale: true };
    case "health":
      return { state, stale: false };
  }
}

/** The state as a list of all repositories gives it. */
export function fromList(
  state: ConflictsState,
  all: RepositoryConflicts[],
): ConflictsState {
  const by = <T>(pick: (one: RepositoryConflicts) => T) =>
    Object.fromEntries(all.map((one) => [one.repository, pick(one)]));
  return {
    ...state,
    listed: true,
    verdicts: by(({ verdicts }) =>
      Object.fromEntries(
        verdicts.map((verdict) => [nameOf(keyOf(verdict)), verdict]),
      ),
    ),
    groups: by(({ groups }) => groups),
    quiets: by(({ quiets }) => quiets),
    notes: by(({ notes }) => notes),
  };
}

let asking: Promise<void> | null = null;
let again = false;

/** Asks for everything anew; what is asked meanwhile is one more question. */
export function listConflicts(): Promise<void> {
  if (asking) {
    again = true;
    return asking;
  }
  asking = ask().finally(() => {
    asking = null;
  });
  return asking;
}

async function ask(): Promise<void> {
  do {
    again = false;
    const listed = await backend.listConflicts();
    if (reportFailure(listed)) return;
    if (listed.status === "ok")
      useConflicts.setState((state) => fromList(state, listed.data));
  } while (again);
}

/** Lists the conflicts and follows what becomes of them. */
export function startConflicts(): () => void {
  const stop = backend.onConflictsChanged((happened) => {
    const { state, stale } = applyConflicts(useConflicts.getState(), happened);
    useConflicts.setState(state);
    if (stale) void listConflicts();
  });
  // Repositories come and go: what is said of them comes with them.
  const stopList = backend.onRepositoriesChanged((repositories) => {
    const watched = repositories.filter(
      ({ state }) => state.state === "watched",
    );
    const { verdicts } = useConflicts.getState();
    const known = Object.keys(verdicts);
    if (
      watched.length !== known.length ||
      watched.some(({ repository }) => !(repository in verdicts))
    )
      void listConflicts();
  });
  void listConflicts();
  return () => {
    stop();
    stopList();
  };
}

const RANKS: Record<Severity, number> = {
  same_line: 4,
  breaks: 3,
  adjacent_line: 2,
  different_area: 1,
  identical: 0,
};

/** Whether it deserves a warning: a merge would stop, or the lines are near each other. */
export function warns(verdict: Verdict): boolean {
  return verdict.would_conflict || RANKS[verdict.severity] >= 2;
}

function byWorst(a: Said, b: Said): number {
  return (
    Number(b.verdict.would_conflict) - Number(a.verdict.would_conflict) ||
    RANKS[b.verdict.severity] - RANKS[a.verdict.severity] ||
    b.verdict.since - a.verdict.since ||
    a.verdict.path.localeCompare(b.verdict.path)
  );
}

export interface Groups {
  /** What a person should look at, the worst first. */
  warnings: Said[];
  /** The same files, apart or alike: information. */
  apart: Said[];
  /** What a person quieted. */
  quiet: Said[];
}

/** All verdicts, by how much they ask of a person. */
export function grouped(verdicts: ConflictsState["verdicts"]): Groups {
  const groups: Groups = { warnings: [], apart: [], quiet: [] };
  for (const [repository, said] of Object.entries(verdicts))
    for (const verdict of Object.values(said)) {
      const group = verdict.quiet
        ? groups.quiet
        : warns(verdict)
          ? groups.warnings
          : groups.apart;
      group.push({ repository, verdict });
    }
  for (const group of Object.values(groups)) group.sort(byWorst);
  return groups;
}

/** Snoozes, acknowledges or mutes; whether that was kept. */
export async function quietConflicts(
  repository: string,
  quiet: Quiet,
): Promise<boolean> {
  if (reportFailure(await backend.quietConflicts(repository, quiet)))
    return false;
  await listConflicts();
  return true;
}

export async function unquietConflicts(
  repository: string,
  about: QuietAbout,
): Promise<void> {
  if (!reportFailure(await backend.unquietConflicts(repository, about)))
    await listConflicts();
}

/** What a wish for quiet is about, when it is about this verdict alone. */
export function aboutThis({ path, left, right }: VerdictKey): QuietAbout {
  return { glob: globOf(path), left, right };
}

/** A glob that matches one path and nothing else. */
export function globOf(path: string): string {
  return path.replaceAll("\\", "\\\\").replace(/[[\]{}?*]/g, "[$&]");
}

// ---- Words

export const SEVERITIES: Record<Severity, string> = {
  same_line: "Same lines",
  breaks: "One breaks what the other uses",
  adjacent_line: "Lines next to each other",
  different_area: "Same file, elsewhere",
  identical: "The same change",
};

/** What a merge would do, and how near the changes are, in one sentence, with names between back-ticks. */
export function sentence(verdict: Verdict): string {
  const { severity, would_conflict: stops, note } = verdict;
  if (note?.startsWith("announced"))
    return "One side announced its change; it is not on disk yet.";
  const what = note
    ? severity === "breaks"
      ? // It begins with the name of a worktree.
        note
      : `${note.charAt(0).toUpperCase()}${note.slice(1)}`
    : severity === "same_line"
      ? verdict.overlaps.length > 0
        ? `Both change ${lines(verdict.overlaps)}`
        : "Both change the same lines"
      : severity === "adjacent_line"
        ? "Their changes are 1 to 5 lines apart"
        : severity === "identical"
          ? "Both made the same change"
          : "They change different parts of the file";
  const merge = stops
    ? "a merge would stop here."
    : severity === "breaks"
      ? "a merge would go through, and may not work."
      : "a merge would go through.";
  return `${what}; ${merge}`;
}

/** `line 4`, `lines 4–7, 12`, `the place before line 3`. */
export function lines(ranges: BaseLines[]): string {
  const places = ranges.filter(({ start, end }) => end <= start);
  const replaced = ranges.filter(({ start, end }) => end > start);
  const numbers = replaced.map(({ start, end }) =>
    end - start === 1 ? `${start}` : `${start}–${end - 1}`,
  );
  const one =
    replaced.length === 1 &&
    (replaced[0]?.end ?? 0) - (replaced[0]?.start ?? 0) === 1;
  const texts = [
    ...(numbers.length > 0
      ? [`${one ? "line" : "lines"} ${capped(numbers).join(", ")}`]
      : []),
    ...(places.length > 0
      ? [
          places.length === 1
            ? `the place before line ${places[0]?.start}`
            : `${places.length} places between lines`,
        ]
      : []),
  ];
  return texts.join(" and ");
}

function capped(numbers: string[]): string[] {
  return numbers.length > 6 ? [...numbers.slice(0, 5), "…"] : numbers;
}

/** What a side did to the file, in a word or two. */
export function changeOf({ change, status }: VerdictSide): string {
  if (status === "pending") return "about to change it";
  switch (change.kind) {
    case "modify":
      return "changed";
    case "create":
      return "new";
    case "delete":
      return "deleted";
    case "rename":
      return `renamed to ${change.to}`;
    case "mode":
      return "mode changed";
    case "binary":
      return "changed, not text";
    case "symlink":
      return "symbolic link";
    case "submodule":
      return "submodule";
  }
}

/** A side as people call it: its worktree, and who works there. */
export function sideName({ name, agent }: VerdictSide): string {
  return agent ? `${name} (${agent})` : name;
}

/** What to tell whoever works on one side, as one line: a line's end would be an Enter to some programs. */
export function message(verdict: Verdict, to: "left" | "right"): string {
  const mine = verdict[to];
  const theirs = verdict[to === "left" ? "right" : "left"];
  const where =
    verdict.overlaps.length > 0
      ? ` (${lines(verdict.overlaps)} of the version that you both started from)`
      : "";
  const who = theirs.agent
    ? `${theirs.agent} in the worktree`
    : "Somebody in the worktree";
  const branch = theirs.branch ? ` on branch ${theirs.branch}` : "";
  const near =
    verdict.severity === "same_line"
      ? "changes the same lines as you"
      : verdict.severity === "adjacent_line"
        ? "changes lines right next to yours"
        : "changes the same file as you";
  const file = `${theirs.worktree}/${theirs.path}`;
  const merge = verdict.would_conflict
    ? " As both stand now, a merge would stop there."
    : "";
  const what =
    theirs.change.kind === "delete"
      ? `It deleted ${verdict.path}, which you change.`
      : `It ${near} in ${mine.path}${where}.${merge} Its version is ${file}.`;
  return `A heads-up on a conflict: ${who} ${theirs.worktree}${branch} works on this, too. ${what} Please look at it before you go on, and keep your change apart from it or fit the two together.`;
}
