import type { Backend, Result } from "../backend/backend";
import type {
  ConflictGroup,
  ConflictsHappened,
  Quiet,
  QuietAbout,
  RepositoryConflicts,
  RepositoryView,
  Verdict,
  VerdictDetails,
  VerdictKey,
} from "../bindings";

/** One repository of the twin: what is listed of it, and what each verdict looks like inside. */
export interface MemoryRepository {
  view: RepositoryView;
  conflicts: RepositoryConflicts;
  details: Map<string, VerdictDetails>;
}

/** The twin's repositories, and what a test may do to them. */
export interface MemoryConflicts {
  readonly repositories: Map<string, MemoryRepository>;
  /** Puts a repository there, or another state of it, and tells it. */
  setRepository(repository: MemoryRepository): void;
  /** A verdict appears or says something else. */
  tellVerdict(repository: string, details: VerdictDetails): void;
  /** A verdict no longer holds. */
  resolve(repository: string, key: VerdictKey): void;
  tellConflicts(happened: ConflictsHappened): void;
}

const ok = <T>(data: T): Promise<Result<T>> =>
  Promise.resolve({ status: "ok", data });

const no = <T>(
  code: "bad_id" | "bad_params",
  message: string,
): Promise<Result<T>> =>
  Promise.resolve({
    status: "error",
    error: { code, message, position: null },
  });

const nameOf = (key: VerdictKey) => `${key.path}\n${key.left}\n${key.right}`;

const keyOf = (verdict: Verdict): VerdictKey => ({
  path: verdict.path,
  left: verdict.left.worktree,
  right: verdict.right.worktree,
});

/** Each verdict is a group of its own: the twin's never meet in the same lines. */
const groupOf = (verdict: Verdict): ConflictGroup => ({
  path: verdict.path,
  lines: verdict.overlaps,
  severity: verdict.severity,
  would_conflict: verdict.would_conflict,
  quiet: verdict.quiet,
  note: verdict.note,
  worktrees: [verdict.left.worktree, verdict.right.worktree],
  verdicts: [keyOf(verdict)],
  since: verdict.since,
});

export function memoryConflicts() {
  const repositories = new Map<string, MemoryRepository>();
  const repositoryListeners = new Set<(all: RepositoryView[]) => void>();
  const conflictListeners = new Set<(happened: ConflictsHappened) => void>();

  const views = () => [...repositories.values()].map(({ view }) => view);

  function tellRepositories() {
    for (const listener of repositoryListeners) listener(views());
  }

  function tellConflicts(happened: ConflictsHappened) {
    for (const listener of conflictListeners) listener(happened);
  }

  function within<T>(
    id: string,
    act: (repository: MemoryRepository) => Promise<Result<T>>,
  ): Promise<Result<T>> {
    const repository = repositories.get(id);
    return repository
      ? act(repository)
      : no("bad_id", `repository \`${id}\` is not watched`);
  }

  /** Counts what the worktrees have a part in, as the real one does. */
  function count({ view, conflicts }: MemoryRepository) {
    const warnings = conflicts.verdicts.filter(
      (verdict) =>
        !verdict.quiet &&
        (verdict.would_conflict ||
          verdict.severity === "same_line" ||
          verdict.severity === "breaks" ||
          verdict.severity === "adjacent_line"),
    );
    for (const worktree of view.worktrees) {
      const part = warnings.filter(({ left, right }) =>
        [left.worktree, right.worktree].includes(worktree.path),
      );
      worktree.conflicts = part.length;
      worktree.would_conflict = part.filter(
        (verdict) => verdict.would_conflict,
      ).length;
      worktree.worst = part.some(({ severity }) => severity === "same_line")
        ? "same_line"
        : (part[0]?.severity ?? null);
    }
  }

  function covers({ about, until }: Quiet, verdict: Verdict): boolean {
    const sides = [verdict.left.worktree, verdict.right.worktree];
    return (
      (!about.left || sides.includes(about.left)) &&
      (!about.right || sides.includes(about.right)) &&
      (!about.glob || about.glob === verdict.path) &&
      (until.until !== "time" || until.at > Date.now())
    );
  }

  function requiet(repository: MemoryRepository) {
    const { conflicts } = repository;
    conflicts.verdicts = conflicts.verdicts.map((verdict) => {
      const quiet = conflicts.quiets.some((one) => covers(one, verdict));
      if (quiet === verdict.quiet) return verdict;
      const changed = { ...verdict, quiet };
      tellConflicts({
        happened: "news",
        news: {
          repository: conflicts.repository,
          event: { event: "verdict", verdict: changed },
        },
      });
      return changed;
    });
    count(repository);
    tellRepositories();
  }

  const sameAbout = (a: QuietAbout, b: QuietAbout) =>
    (a.glob ?? null) === (b.glob ?? null) &&
    (a.left ?? null) === (b.left ?? null) &&
    (a.right ?? null) === (b.right ?? null);

  return {
    repositories,
    setRepository(repository) {
      repositories.set(repository.view.repository, repository);
      count(repository);
      tellRepositories();
      tellConflicts({ happened: "lagged" });
    },
    tellVerdict(id, details) {
      const repository = repositories.get(id);
      if (!repository) return;
      const { verdict } = details;
      const name = nameOf(keyOf(verdict));
      repository.details.set(name, details);
      const { conflicts } = repository;
      conflicts.verdicts = [
        ...conflicts.verdicts.filter((one) => nameOf(keyOf(one)) !== name),
        verdict,
      ];
      count(repository);
      tellRepositories();
      tellConflicts({
        happened: "news",
        news: { repository: id, event: { event: "verdict", verdict } },
      });
    },
    resolve(id, key) {
      const repository = repositories.get(id);
      if (!repository) return;
      const { conflicts } = repository;
      conflicts.verdicts = conflicts.verdicts.filter(
        (one) => nameOf(keyOf(one)) !== nameOf(key),
      );
      repository.details.delete(nameOf(key));
      count(repository);
      tellRepositories();
      tellConflicts({
        happened: "news",
        news: { repository: id, event: { event: "resolved", key } },
      });
    },
    tellConflicts,

    listRepositories: () => ok(views()),
    addRepository: (path) => {
      const found = views().find(({ root }) => root === path);
      return found
        ? ok(found)
        : no("bad_params", `\`${path}\` is not in a git repository`);
    },
    removeRepository: (id) =>
      within(id, () => {
        repositories.delete(id);
        tellRepositories();
        return ok(null);
      }),
    rescanRepository: (id) => within(id, () => ok(null)),
    repositoryPicture: (id) =>
      within(id, ({ view, conflicts }) =>
        ok({
          repository: id,
          worktrees: view.worktrees.map((worktree) => ({
            id: worktree.path,
            name: worktree.name,
            branch: worktree.branch,
            head: null,
            main: worktree.main,
            agent: worktree.agent,
            changed_files: worktree.changed_files,
            present: worktree.present,
          })),
          entries: entriesOf(conflicts.verdicts),
          verdicts: conflicts.verdicts,
          groups: conflicts.verdicts.map(groupOf),
          notes: conflicts.notes,
          incomplete: false,
          health: {
            state: "live",
            reasons: [],
            watches: 40,
            scanned_at: Date.now(),
          },
        }),
      ),
    listConflicts: () =>
      ok([...repositories.values()].map(({ conflicts }) => conflicts)),
    conflictDetails: (id, key) =>
      within(id, ({ details }) => {
        const found = details.get(nameOf(key));
        return found
          ? ok(found)
          : no(
              "bad_id",
              `nothing is said of \`${key.path}\` in this pair of worktrees any more`,
            );
      }),
    quietConflicts: (id, quiet) =>
      within(id, (repository) => {
        const { conflicts } = repository;
        conflicts.quiets = [
          ...conflicts.quiets.filter(
            (one) => !sameAbout(one.about, quiet.about),
          ),
          quiet,
        ];
        requiet(repository);
        return ok(null);
      }),
    unquietConflicts: (id, about) =>
      within(id, (repository) => {
        const { conflicts } = repository;
        const before = conflicts.quiets.length;
        conflicts.quiets = conflicts.quiets.filter(
          (one) => !sameAbout(one.about, about),
        );
        requiet(repository);
        return ok(conflicts.quiets.length !== before);
      }),
    onRepositoriesChanged: (listener) => {
      repositoryListeners.add(listener);
      return () => repositoryListeners.delete(listener);
    },
    onConflictsChanged: (listener) => {
      conflictListeners.add(listener);
      return () => conflictListeners.delete(listener);
    },
  } satisfies MemoryConflicts & Partial<Backend>;
}

/** What the worktrees touch, as far as the verdicts show it. */
function entriesOf(verdicts: Verdict[]) {
  const entries = new Map(
    verdicts.flatMap((verdict) =>
      [verdict.left, verdict.right].map((side) => [
        `${side.worktree}\n${verdict.path}`,
        {
          path: verdict.path,
          worktree: side.worktree,
          agent: side.agent,
          base: verdict.base,
          change: side.change,
          ranges: side.ranges,
          status: side.status,
          since: side.since,
        },
      ]),
    ),
  );
  return [...entries.values()];
}
