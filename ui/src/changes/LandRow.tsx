import { useState } from "react";
import { backend } from "../backend/backend";
import type { Landing, Outlook } from "../bindings";
import { Button } from "../shared/Button";
import { notify, reportFailure } from "../shared/notices";
import { Sentence } from "../shared/Sentence";
import { takeBack } from "./landing";
import { touched, useTouchesWhile } from "./touched-store";
import { useAnswer } from "./use-answer";
import { commitCount, listed } from "./words";

/** Another worktree that changed the same lines, committed or not. */
export interface Near {
  /** What it is called. */
  name: string;
  worktree: string;
  files: string[];
  /** Shows both sides. */
  open: () => void;
}

/** What can be merged from the base and into it, in words; and what stands in the way. Without either there is nothing. */
export function LandRow({
  worktree,
  visible,
  tick,
  near,
  onConflicts,
}: {
  worktree: string;
  visible: boolean;
  tick: number;
  near: Near[];
  /** Shows where two worktrees do not go together; the other one may be checked out nowhere. */
  onConflicts: (other: string | null, files: string[]) => void;
}) {
  const [baseAt, setBaseAt] = useState<string | null>(null);
  // What happens where the base is counts as well.
  const beside = useTouchesWhile(visible, baseAt ?? worktree);
  const told = useAnswer(worktree, tick + beside, () =>
    backend.landingOutlook(worktree),
  );
  const [working, setWorking] = useState<Landing["way"] | null>(null);
  const outlooks = told.data ?? [];
  const there = outlooks[0]?.base_at ?? null;
  if (told.data && there !== baseAt) setBaseAt(there);
  const others = near.filter((one) => one.worktree !== baseAt);

  async function land(outlook: Outlook, leave_conflicts: boolean) {
    const { way } = outlook;
    setWorking(way);
    const done = await backend.landChanges(worktree, {
      way,
      base: null,
      message: null,
      without_uncommitted: outlook.uncommitted !== null,
      leave_conflicts,
    });
    setWorking(null);
    touched(worktree);
    if (reportFailure(done) || done.status !== "ok") return;
    const { from, into, end } = done.data;
    if (end.end === "nothing")
      notify("info", `All of ${from} was in ${into} already.`);
    else if (end.end === "done")
      notify(
        "warning",
        `${from} is in ${into} now.`,
        { label: "Take back", run: () => void takeBack(worktree, way) },
        `${way} ${worktree}`,
      );
    else if (end.left)
      notify(
        "info",
        `The merge of ${from} waits for ${listed(end.files)} to be resolved.`,
      );
    else {
      notify(
        "warning",
        `Nothing was done: a merge of ${from} into ${into} would stop at ${listed(end.files)}.`,
      );
      onConflicts(outlook.base_at, end.files);
    }
  }

  if (outlooks.length === 0) return null;
  const lands = outlooks.some(({ way }) => way === "land");
  return (
    <div className="changes-land" data-testid="land-row">
      {outlooks.map((outlook) => (
        <Way
          key={outlook.way}
          outlook={outlook}
          working={working === outlook.way}
          disabled={working !== null}
          onLand={(leave) => void land(outlook, leave)}
          onConflicts={(files) => onConflicts(outlook.base_at, files)}
        />
      ))}
      {lands &&
        others.map(({ name, worktree: other, files, open }) => (
          <p key={other} className="changes-near" data-testid="land-near">
            <span>
              {name} changed the same lines, in {listed(files)}.
            </span>
            <button type="button" className="link-button" onClick={open}>
              Look
            </button>
          </p>
        ))}
    </div>
  );
}

/** One way: what it would do, and the button that does it. */
function Way({
  outlook,
  working,
  disabled,
  onLand,
  onConflicts,
}: {
  outlook: Outlook;
  working: boolean;
  disabled: boolean;
  onLand: (leaveConflicts: boolean) => void;
  onConflicts: (files: string[]) => void;
}) {
  const { way, from, into, prospect, uncommitted } = outlook;
  const lands = way === "land";
  const title = lands ? `Land into ${into}` : `Update from ${from}`;
  const stops = prospect.prospect === "conflicts" ? prospect.files : null;
  return (
    <p data-testid={`${way}-way`}>
      <Button
        disabled={disabled || prospect.prospect !== "clean"}
        data-testid={way}
        onClick={() => onLand(false)}
      >
        {working ? "Merging…" : title}
      </Button>
      <span className="faint">
        <Sentence text={inWords(outlook)} />
        {uncommitted !== null && prospect.prospect === "clean" && (
          <Sentence text={` ${sentence(uncommitted)} It stays here.`} />
        )}
      </span>
      {stops && (
        <button
          type="button"
          className="link-button"
          data-testid={`${way}-conflicts`}
          onClick={() => onConflicts(stops)}
        >
          Show where
        </button>
      )}
      {stops && !lands && (
        <button
          type="button"
          className="link-button"
          data-testid="update-here"
          title="Begins the merge, and leaves it to be resolved in this worktree"
          disabled={disabled}
          onClick={() => onLand(true)}
        >
          Update and resolve here
        </button>
      )}
    </p>
  );
}

/** What a landing would come to. */
function inWords({ into, commits, prospect }: Outlook): string {
  const gets = `${into} gets ${commitCount(commits)}`;
  switch (prospect.prospect) {
    case "clean":
      return `${gets}.`;
    case "conflicts":
      return `A merge of ${commitCount(commits)} would stop at ${listed(prospect.files)}.`;
    case "not":
      return sentence(prospect.why);
  }
}

const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
