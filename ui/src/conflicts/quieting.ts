import type { Quiet, QuietAbout, Verdict } from "../bindings";
import { aboutThis, globOf, keyOf } from "./conflict-store";

/** One way to be quiet about a verdict, as a menu offers it. */
export interface Quieting {
  label: string;
  /** What it does, for a hint. */
  hint: string;
  quiet: (now: number) => Quiet;
}

const HOUR = 60 * 60 * 1000;

/** The ways to be quiet about a verdict, the mildest first. */
export function quietings(verdict: Verdict): Quieting[] {
  const { left, right } = verdict;
  const mute = (label: string, hint: string, about: Partial<QuietAbout>) => ({
    label,
    hint,
    quiet: () => ({
      about: { glob: null, left: null, right: null, ...about },
      until: { until: "removed" as const },
    }),
  });
  const extension = /[^/](\.[A-Za-z0-9_-]+)$/.exec(verdict.path)?.[1];
  const slash = verdict.path.lastIndexOf("/");
  const globs = [
    ...(slash > 0 ? [`${verdict.path.slice(0, slash)}/**`] : []),
    ...(extension ? [`**/*${extension}`] : []),
  ];
  return [
    ...mildly(
      verdict,
      aboutThis(keyOf(verdict)),
      "This file, these two worktrees",
    ),
    mute(`Mute ${left.name} with ${right.name}`, "All files, for good", {
      left: left.worktree,
      right: right.worktree,
    }),
    ...[left, right].map(({ name, worktree }) =>
      mute(`Mute ${name}`, "All files, whatever the other one, for good", {
        left: worktree,
      }),
    ),
    ...globs.map((glob) =>
      mute(`Mute ${glob}`, "All worktrees, for good", { glob }),
    ),
  ];
}

/** The ways to be quiet about a file in all worktrees, the mildest first. */
export function fileQuietings(verdict: Verdict): Quieting[] {
  const about = { glob: globOf(verdict.path), left: null, right: null };
  return [
    ...mildly(verdict, about, "This file, all worktrees"),
    {
      label: "Mute this file",
      hint: "All worktrees, for good",
      quiet: () => ({ about, until: { until: "removed" } }),
    },
  ];
}

/** Those that end by themselves. */
function mildly(
  { severity, would_conflict }: Verdict,
  about: QuietAbout,
  hint: string,
): Quieting[] {
  return [
    {
      label: "Snooze for an hour",
      hint,
      quiet: (now) => ({ about, until: { until: "time", at: now + HOUR } }),
    },
    {
      label: "Snooze until tomorrow",
      hint,
      quiet: (now) => ({ about, until: { until: "time", at: tomorrow(now) } }),
    },
    {
      label: "Acknowledge",
      hint: "Quiet until it gets worse",
      quiet: () => ({
        about,
        until: { until: "worse", severity, would_conflict },
      }),
    },
  ];
}

/** The way that a key stands for: s snoozes, a acknowledges, m mutes. */
export function quietingOf(key: string, ways: Quieting[]): Quieting | null {
  const [snooze, , acknowledge, mute] = ways;
  return { s: snooze, a: acknowledge, m: mute }[key] ?? null;
}

/** Eight in the morning of the next day, where the person is. */
export function tomorrow(now: number): number {
  const day = new Date(now);
  day.setDate(day.getDate() + 1);
  day.setHours(8, 0, 0, 0);
  return day.getTime();
}

/** A wish for quiet, as a person reads it. */
export function wishInWords({ about, until }: Quiet): string {
  const base = (path: string) => path.split("/").filter(Boolean).pop() ?? path;
  const files = about.glob ?? "all files";
  const sides = [about.left, about.right].flatMap((side) =>
    side ? [base(side)] : [],
  );
  const between =
    sides.length > 1
      ? ` between ${sides.join(" and ")}`
      : sides.length > 0
        ? ` of ${sides[0]}`
        : "";
  const when =
    until.until === "time"
      ? `until ${new Date(until.at).toLocaleString([], { dateStyle: "short", timeStyle: "short" })}`
      : until.until === "worse"
        ? "until it gets worse"
        : "for good";
  return `${files}${between}, ${when}`;
}
