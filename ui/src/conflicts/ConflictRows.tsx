import { type KeyboardEvent, useState } from "react";
import { DownIcon, RightIcon } from "../shared/icons";
import { Sentence } from "../shared/Sentence";
import { Since } from "../shared/Since";
import { keyOf, lines, nameOf, type Said, sideName } from "./conflict-store";
import { PathText } from "./PathText";
import { beQuiet } from "./QuietMenu";
import {
  fileQuietings,
  type Quieting,
  quietingOf,
  quietings,
} from "./quieting";
import { SeverityMark } from "./SeverityMark";
import type { Together } from "./together";

/** What one verdict or several of the same lines look like in a list. */
export function ConflictRows({
  all,
  repositoryName,
  onOpen,
}: {
  all: Together[];
  /** What the repository is called where it must be told from others; null where it is the only one. */
  repositoryName: (repository: string) => string | null;
  onOpen: (said: Said) => void;
}) {
  return (
    <ul>
      {all.map((one) => {
        const repository = repositoryName(one.said[0].repository);
        const row = { one, repository, onOpen };
        return (
          <li key={one.name}>
            {one.said.length > 1 ? (
              <GroupRow {...row} />
            ) : (
              <VerdictRow
                said={one.said[0]}
                repository={repository}
                onOpen={onOpen}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** Worktrees of a group that are named. */
const NAMED = 3;

/** Several worktrees at the same lines: one row, and a row a pair when it is unfolded. */
function GroupRow({
  one: { said, lines: where, worktrees },
  repository,
  onOpen,
}: {
  one: Together;
  repository: string | null;
  onOpen: (said: Said) => void;
}) {
  const [open, setOpen] = useState(false);
  const { verdict } = said[0];
  const more = worktrees.length - NAMED;
  const oldest = Math.min(...said.map(({ verdict }) => verdict.since));
  return (
    <>
      <button
        type="button"
        className="verdict-row"
        data-walk
        data-testid="group-row"
        data-quiet={verdict.quiet}
        aria-expanded={open}
        onKeyDown={quietsBy(said[0], fileQuietings(verdict))}
        onClick={() => setOpen(!open)}
      >
        <SeverityMark verdict={verdict} />
        <RowText
          said={said[0]}
          repository={repository}
          sides={`${worktrees.length} worktrees: ${worktrees.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`}
          where={where.length > 0 ? lines(where) : null}
          since={oldest}
        />
        {open ? <DownIcon size={12} /> : <RightIcon size={12} />}
      </button>
      {open && (
        <ul className="group-pairs">
          {said.map((pair) => (
            <li key={nameOf(keyOf(pair.verdict))}>
              <PairRow said={pair} onOpen={onOpen} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** One pair of a group: all else stands above it. */
function PairRow({
  said,
  onOpen,
}: {
  said: Said;
  onOpen: (said: Said) => void;
}) {
  const { left, right } = said.verdict;
  return (
    <button
      type="button"
      className="pair-row"
      data-walk
      data-testid="pair-row"
      onKeyDown={quietsBy(said, quietings(said.verdict))}
      onClick={() => onOpen(said)}
    >
      {sideName(left)} <span className="faint">and</span> {sideName(right)}
    </button>
  );
}

function VerdictRow({
  said,
  repository,
  onOpen,
}: {
  said: Said;
  repository: string | null;
  onOpen: (said: Said) => void;
}) {
  const { verdict } = said;
  return (
    <button
      type="button"
      className="verdict-row"
      data-walk
      data-testid="verdict-row"
      data-quiet={verdict.quiet}
      onKeyDown={quietsBy(said, quietings(verdict))}
      onClick={() => onOpen(said)}
    >
      <SeverityMark verdict={verdict} />
      <RowText
        said={said}
        repository={repository}
        sides={
          <>
            {sideName(verdict.left)} <span className="faint">and</span>{" "}
            {sideName(verdict.right)}
          </>
        }
        where={verdict.overlaps.length > 0 ? lines(verdict.overlaps) : null}
        since={verdict.since}
      />
    </button>
  );
}

/** The file and what a merge would do; who; where, and since when. */
function RowText({
  said: { verdict },
  repository,
  sides,
  where,
  since,
}: {
  said: Said;
  repository: string | null;
  sides: React.ReactNode;
  where: string | null;
  since: number;
}) {
  const stops = verdict.would_conflict;
  return (
    <span className="verdict-row-text">
      <span className="verdict-row-path">
        {repository && <span className="faint">{repository}</span>}
        <PathText path={verdict.path} />
        <span className="spacer" />
        <span className="verdict-row-merge" data-stops={stops}>
          {stops
            ? "no clean merge"
            : verdict.severity === "breaks"
              ? "merges, may break"
              : "merges"}
        </span>
      </span>
      <span className="verdict-row-sides">{sides}</span>
      <span className="verdict-row-detail">
        <Sentence text={verdict.note ?? where ?? WHERE[verdict.severity]} />
        {" · "}
        <Since at={since} />
      </span>
    </span>
  );
}

const WHERE = {
  same_line: "the same lines",
  breaks: "what the other one uses",
  adjacent_line: "lines next to each other",
  different_area: "different parts",
  identical: "the same change",
};

/** Lets the keys of the row be quiet in one of these ways. */
function quietsBy(said: Said, ways: Quieting[]) {
  return (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const way = quietingOf(event.key, ways);
    if (!way) return;
    event.preventDefault();
    void beQuiet(said, way);
  };
}
