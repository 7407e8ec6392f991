import { useEffect, useMemo, useState } from "react";
import { backend } from "../backend/backend";
import type {
  HunkView,
  RowChange,
  Verdict,
  VerdictDetails,
  VerdictKey,
} from "../bindings";
import { Button } from "../shared/Button";
import { Since } from "../shared/Since";
import {
  changeOf,
  lines,
  nameOf,
  sentence,
  useConflicts,
} from "./conflict-store";
import { QuietMenu } from "./QuietMenu";
import {
  cappedRows,
  differing,
  mergedPieces,
  type Region,
  regions,
} from "./regions";
import { SeverityMark } from "./SeverityMark";
import { TellDialog } from "./TellDialog";
import type { Target, Targets } from "./targets";
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

/** Both sides of a verdict in their context, and what to do about it. */
export function VerdictView({
  repository,
  verdictKey,
  targets,
  onTerminal,
}: VerdictViewProps) {
  const { path, left, right } = verdictKey;
  const name = nameOf(verdictKey);
  const change = useConflicts((state) => state.changes[name] ?? 0);
  const verdict = useConflicts(
    (state) => state.verdicts[repository]?.[name] ?? null,
  );
  const listed = useConflicts((state) => state.listed);
  const [loaded, setLoaded] = useState<Loaded>({ status: "loading" });
  const [telling, setTelling] = useState<"left" | "right" | null>(null);
  const [merging, setMerging] = useState(false);
  const resolved = listed && verdict === null;

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

  const details = loaded.status === "ok" ? loaded.details : null;
  // What is in the list is newer than what the lines came with.
  const shown = verdict ?? details?.verdict ?? null;

  return (
    <section
      className="verdict"
      aria-label={`Conflict in ${path}`}
      data-testid="verdict"
    >
      <header className="verdict-head">
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
            shown && (
              <p>
                <SeverityMark verdict={shown} /> {sentence(shown)}{" "}
                <span className="faint">
                  · <Since at={shown.since} />
                </span>
              </p>
            )
          )}
        </div>
        {shown && !resolved && (
          <div className="verdict-actions">
            {details?.merged != null && (
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
          {merging && details?.merged != null ? (
            <MergePreview text={details.merged} verdict={shown} />
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

/** A path whose last part stands out; its directory is cut at the beginning, which takes text from right to left. */
export function PathText({ path }: { path: string }) {
  const cut = path.lastIndexOf("/") + 1;
  return (
    <span className="path-text">
      {cut > 0 && (
        <span className="path-dir">{`\u200e${path.slice(0, cut)}\u200e`}</span>
      )}
      <span className="path-name">{path.slice(cut)}</span>
    </span>
  );
}

function Sides({
  verdict,
  details,
  targets,
  onTerminal,
  onTell,
}: {
  verdict: Verdict;
  details: VerdictDetails | null;
  targets: Targets;
  onTerminal: (worktree: string) => void;
  onTell: (side: "left" | "right") => void;
}) {
  const all = useMemo(
    () => (details ? regions(details.left, details.right) : []),
    [details],
  );
  const near = all.filter(({ meets }) => meets);
  const elsewhere = all.filter(({ meets }) => !meets);
  const [more, setMore] = useState(false);
  const open = near.length === 0 || more;
  return (
    <>
      <div className="sides sides-heads">
        {(["left", "right"] as const).map((side) => (
          <SideHead
            key={side}
            verdict={verdict}
            side={side}
            targets={targets[side]}
            onTerminal={onTerminal}
            onTell={() => onTell(side)}
          />
        ))}
      </div>
      {details && all.length === 0 && (
        <p className="verdict-note">
          {verdict.note?.startsWith("announced")
            ? "There is nothing on disk yet to show side by side."
            : "This file is not one that can be shown by lines."}
        </p>
      )}
      {near.map((region) => (
        <RegionView key={region.from} region={region} verdict={verdict} />
      ))}
      {near.length > 0 && elsewhere.length > 0 && (
        <button
          type="button"
          className="link-button verdict-more"
          aria-expanded={more}
          onClick={() => setMore(!more)}
        >
          {more ? "Hide" : "Show"} what they change elsewhere in the file (
          {elsewhere.length})
        </button>
      )}
      {open &&
        elsewhere.map((region) => (
          <RegionView key={region.from} region={region} verdict={verdict} />
        ))}
    </>
  );
}

function SideHead({
  verdict,
  side,
  targets,
  onTerminal,
  onTell,
}: {
  verdict: Verdict;
  side: "left" | "right";
  targets: Target[];
  onTerminal: (worktree: string) => void;
  onTell: () => void;
}) {
  const { name, branch, agent, since, worktree, ranges, path } = verdict[side];
  const target = targets.find(({ shell }) => !shell) ?? targets[0] ?? null;
  const change = changeOf(verdict[side]);
  return (
    <div className="side-head" data-testid={`side-${side}`}>
      <div className="side-who">
        <span className="side-name" title={worktree}>
          {name}
        </span>
        {agent && <span className="side-agent">{agent}</span>}
        {branch && branch !== name && (
          <span className="side-branch" title={`On branch ${branch}`}>
            {branch}
          </span>
        )}
      </div>
      <div className="side-what">
        <span title={path === verdict.path ? undefined : path}>
          {change}
          {ranges.length > 0 && change === "changed" && `: ${lines(ranges)}`}
        </span>
        <span className="faint">
          <Since at={since} />
        </span>
        <span className="spacer" />
        {target ? (
          <>
            <button type="button" className="link-button" onClick={target.open}>
              Open {target.kind === "pane" ? "its pane" : "the agent"}
            </button>
            <button
              type="button"
              className="link-button"
              data-testid={`tell-${side}`}
              onClick={onTell}
            >
              Tell {agent ?? "it"}…
            </button>
          </>
        ) : (
          <button
            type="button"
            className="link-button"
            onClick={() => onTerminal(worktree)}
          >
            Open a terminal there
          </button>
        )}
      </div>
    </div>
  );
}

function RegionView({ region, verdict }: { region: Region; verdict: Verdict }) {
  return (
    <div
      className="sides region"
      data-meets={region.meets}
      data-testid="region"
    >
      {(["left", "right"] as const).map((side) => (
        <div
          key={side}
          className="hunks"
          data-side={side}
          data-name={verdict[side].name}
        >
          {region[side].length === 0 ? (
            <p className="hunk-none">
              {verdict[side].change.kind === "delete"
                ? "The file is deleted."
                : "Nothing changed here."}
            </p>
          ) : (
            region[side].map((hunk) => (
              <Hunk key={`${hunk.base.start}-${hunk.base.end}`} hunk={hunk} />
            ))
          )}
        </div>
      ))}
    </div>
  );
}

const SIGNS: Record<RowChange, string> = {
  same: " ",
  removed: "−",
  added: "+",
};

function Hunk({ hunk }: { hunk: HunkView }) {
  const { rows, more } = cappedRows(hunk.rows);
  const parts = differing(rows);
  return (
    <pre className="hunk" data-meets={hunk.meets}>
      {rows.map((row, index) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name, and are replaced as a whole
          key={index}
          className="hunk-row"
          data-change={row.change}
        >
          <span className="hunk-number">
            {row.change === "removed" ? row.base_line : row.line}
          </span>
          <span className="hunk-sign">{SIGNS[row.change]}</span>
          <span className="hunk-text">
            {parts[index]?.map(({ text, differs }, part) =>
              differs ? (
                // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name
                <mark key={part}>{text}</mark>
              ) : (
                text
              ),
            )}
          </span>
        </div>
      ))}
      {more > 0 && <div className="hunk-more">… {more} more lines</div>}
    </pre>
  );
}

function MergePreview({ text, verdict }: { text: string; verdict: Verdict }) {
  const [whole, setWhole] = useState(false);
  const pieces = useMemo(() => mergedPieces(text, whole), [text, whole]);
  const stops = pieces.some(
    (piece) =>
      piece.kind === "lines" &&
      piece.rows.some(({ part }) => part === "marker"),
  );
  return (
    <div className="merge" data-testid="merge-preview">
      <p className="merge-legend">
        {stops ? (
          <>
            What a merge would write:{" "}
            <b data-part="left">{verdict.left.name}</b> above,{" "}
            <b data-part="right">{verdict.right.name}</b> below the line of
            equals signs.
          </>
        ) : (
          "A merge goes through by itself: it would write this file."
        )}{" "}
        <button
          type="button"
          className="link-button"
          onClick={() => setWhole(!whole)}
        >
          {whole ? "Only around the conflicts" : "Show the whole file"}
        </button>
      </p>
      <pre className="hunk merge-text">
        {pieces.map((piece, index) =>
          piece.kind === "skipped" ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other name
            <div key={index} className="hunk-more">
              … {piece.count} {piece.count === 1 ? "line" : "lines"}
            </div>
          ) : (
            piece.rows.slice(0, 4000).map((row) => (
              <div key={row.number} className="hunk-row" data-part={row.part}>
                <span className="hunk-number">{row.number}</span>
                <span className="hunk-text">{row.text}</span>
              </div>
            ))
          ),
        )}
      </pre>
    </div>
  );
}
