import { useMemo, useState } from "react";
import type { Verdict, VerdictDetails } from "../bindings";
import { Since } from "../shared/Since";
import type { Target, Targets } from "../shared/targets";
import { changeOf, lines } from "./conflict-store";
import { RegionView } from "./HunkView";
import { type Region, regions } from "./regions";

/** What both worktrees changed, region by region. */
export function Sides({
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
  const all = useMemo(() => {
    // All lines of a file that is gone would only hide what the other side does.
    const shown = (side: "left" | "right") =>
      verdict[side].change.kind === "delete" ? [] : (details?.[side] ?? []);
    // Lines of two files have no place beside each other.
    return ofTwoFiles(verdict)
      ? [...regions(shown("left"), []), ...regions([], shown("right"))]
      : regions(shown("left"), shown("right"));
  }, [details, verdict]);
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
        <RegionView key={keyOf(region)} region={region} verdict={verdict} />
      ))}
      {near.length > 0 && elsewhere.length > 0 && (
        <button
          type="button"
          className="link-button verdict-more"
          aria-expanded={more}
          onClick={() => setMore(!more)}
        >
          {more ? "Hide" : "Show"} what they change elsewhere in the{" "}
          {ofTwoFiles(verdict) ? "files" : "file"} ({elsewhere.length})
        </button>
      )}
      {open &&
        elsewhere.map((region) => (
          <RegionView key={keyOf(region)} region={region} verdict={verdict} />
        ))}
    </>
  );
}

/** One side changed what the other side's file uses: the two are different files. */
function ofTwoFiles({ severity, left, right }: Verdict): boolean {
  return severity === "breaks" && left.path !== right.path;
}

/** Tells a region from the others, of either file. */
function keyOf({ left, from }: Region): string {
  return `${left.length > 0 ? "left" : "right"} ${from}`;
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
          {ofTwoFiles(verdict) && path !== verdict.path && ` ${path}`}
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
