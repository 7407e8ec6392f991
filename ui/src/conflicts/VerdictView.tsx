import { useEffect, useState } from "react";
import { backend } from "../backend/backend";
import type { Verdict, VerdictDetails, VerdictKey } from "../bindings";
import { Button } from "../shared/Button";
import { Sentence } from "../shared/Sentence";
import { Since } from "../shared/Since";
import type { Targets } from "../shared/targets";
import { nameOf, sentence, useConflicts } from "./conflict-store";
import { MergePreview } from "./MergePreview";
import { PathText } from "./PathText";
import { QuietMenu } from "./QuietMenu";
import { SeverityMark } from "./SeverityMark";
import { TellDialog } from "./TellDialog";
import { Sides } from "./VerdictSides";
import "./conflicts.css";

export interface VerdictViewProps {
  repository: string;
  verdictKey: VerdictKey;
  targets: Targets;
  /** Opens a terminal in a worktree in which nobody works. */
  onTerminal: (worktree: string) => void;
}

type Loaded =
  | { status: "loading" }
  | { status: "ok"; details: VerdictDetails }
  | { status: "error"; message: string };

/** What is known of a verdict in its lines; asked anew whenever they changed, until it is resolved. */
function useDetails(
  repository: string,
  verdictKey: VerdictKey,
  resolved: boolean,
): Loaded {
  const { path, left, right } = verdictKey;
  const change = useConflicts(
    (state) => state.changes[nameOf(verdictKey)] ?? 0,
  );
  const [loaded, setLoaded] = useState<Loaded>({ status: "loading" });
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked anew whenever the lines changed
  useEffect(() => {
    if (resolved) return;
    let stopped = false;
    void backend
      .conflictDetails(repository, { path, left, right })
      .then((answer) => {
        if (stopped) return;
        setLoaded(
          answer.status === "ok"
            ? { status: "ok", details: answer.data }
            : { status: "error", message: answer.error.message },
        );
      });
    return () => {
      stopped = true;
    };
  }, [repository, path, left, right, change, resolved]);
  return loaded;
}

/** Both sides of a verdict in their context, and what to do about it. */
export function VerdictView({
  repository,
  verdictKey,
  targets,
  onTerminal,
}: VerdictViewProps) {
  const verdict = useConflicts(
    (state) => state.verdicts[repository]?.[nameOf(verdictKey)] ?? null,
  );
  const listed = useConflicts((state) => state.listed);
  const resolved = listed && verdict === null;
  const loaded = useDetails(repository, verdictKey, resolved);
  const [telling, setTelling] = useState<"left" | "right" | null>(null);
  const [merging, setMerging] = useState(false);
  const details = loaded.status === "ok" ? loaded.details : null;
  const merged = details?.merged ?? null;
  // What is in the list is newer than what the lines came with.
  const shown = verdict ?? details?.verdict ?? null;

  return (
    <section
      className="verdict"
      aria-label={`Conflict in ${verdictKey.path}`}
      data-testid="verdict"
    >
      <header className="verdict-head">
        <What path={verdictKey.path} verdict={shown} resolved={resolved} />
        {shown && !resolved && (
          <div className="verdict-actions">
            {merged !== null && (
              <Button
                aria-pressed={merging}
                data-testid="verdict-merge"
                onClick={() => setMerging(!merging)}
              >
                {merging ? "Show both sides" : "Preview the merge"}
              </Button>
            )}
            <QuietMenu said={{ repository, verdict: shown }} />
          </div>
        )}
      </header>
      {loaded.status === "error" && !resolved && (
        <p className="verdict-error" role="alert">
          {loaded.message}
        </p>
      )}
      {shown && (
        <div className="verdict-body" data-stale={resolved}>
          {merging && merged !== null ? (
            <MergePreview text={merged} verdict={shown} />
          ) : (
            <Sides
              verdict={shown}
              details={details}
              targets={targets}
              onTerminal={onTerminal}
              onTell={setTelling}
            />
          )}
        </div>
      )}
      {telling && shown && (
        <TellDialog
          verdict={shown}
          to={telling}
          targets={targets[telling]}
          onClose={() => setTelling(null)}
        />
      )}
    </section>
  );
}

/** Which file it is, and what is said of it. */
function What({
  path,
  verdict,
  resolved,
}: {
  path: string;
  verdict: Verdict | null;
  resolved: boolean;
}) {
  return (
    <div className="verdict-what">
      <h2 title={path}>
        <PathText path={path} />
      </h2>
      {resolved ? (
        <p className="verdict-resolved" data-testid="verdict-resolved">
          This is resolved: nothing is said of this file in this pair of
          worktrees any more.
        </p>
      ) : (
        verdict && (
          <p>
            <SeverityMark verdict={verdict} />{" "}
            <Sentence text={sentence(verdict)} />{" "}
            <span className="faint">
              · <Since at={verdict.since} />
            </span>
          </p>
        )
      )}
    </div>
  );
}
