import type { Quiet, QuietAbout, Verdict } from "../bindings";
import { aboutThis, keyOf } from "./conflict-store";

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
  const key = keyOf(verdict);
  const pair = { glob: null, left: key.left, right: key.right };
  const extension = /[^/](\.[A-Za-z0-9_-]+)$/.exec(verdict.path)?.[1];
  const directory = verdict.path.includes("/")
    ? verdict.path.slice(0, verdict.path.lastIndexOf("/"))
    : null;
  const forGood = (about: QuietAbout) => () => ({
    about,
    until: { until: "removed" as const },
  });
  const everywhere = (glob: string) =>
    forGood({ glob, left: null, right: null });
  return [
    {
      label: "Snooze for an hour",
      hint: "This file, these two worktrees",
      quiet: (now) => ({
        about: aboutThis(key),
        until: { until: "time", at: now + HOUR },
      }),
    },
    {
      label: "Snooze until tomorrow",
      hint: "This file, these two worktrees",
      quiet: (now) => ({
        about: aboutThis(key),
        until: { until: "time", at: tomorrow(now) },
      }),
    },
    {
      label: "Acknowledge",
      hint: "Quiet until it gets worse",
      quiet: () => ({
        about: aboutThis(key),
        until: {
          until: "worse",
          severity: verdict.severity,
          would_conflict: verdict.would_conflict,
        },
      }),
    },
    {
      label: `Mute ${verdict.left.name} with ${verdict.right.name}`,
      hint: "All files, for good",
      quiet: forGood(pair),
    },
    ...(directory
      ? [
          {
            label: `Mute ${directory}/**`,
            hint: "All worktrees, for good",
            quiet: everywhere(`${directory}/**`),
          },
        ]
      : []),
    ...(extension
      ? [
          {
            label: `Mute **/*${extension}`,
            hint: "All worktrees, for good",
            quiet: everywhere(`**/*${extension}`),
          },
        ]
      : []),
  ];
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
  const between =
    about.left && about.right
      ? ` between ${base(about.left)} and ${base(about.right)}`
      : "";
  const when =
    until.until === "time"
      ? `until ${new Date(until.at).toLocaleString([], { dateStyle: "short", timeStyle: "short" })}`
      : until.until === "worse"
        ? "until it gets worse"
        : "for good";
  return `${files}${between}, ${when}`;
}
