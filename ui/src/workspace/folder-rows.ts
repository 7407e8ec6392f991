import type { FolderLook } from "../bindings";
import { shortPath } from "../shared/paths";

/** A folder that is offered while a path is typed. */
export interface FolderRow {
  kind: "recent" | "up" | "below";
  path: string;
  /** What is in the field when one goes into it. */
  typed: string;
  repository: boolean;
}

/** A path as a person writes it, as a full one. */
export function fullPath(typed: string, home: string): string {
  return typed.trim().replace(/^~(?=\/|$)/, home);
}

/** What is offered: what was opened before while nothing is typed, then what is there and the way back. */
export function rowsFor(
  typed: string,
  home: string,
  recent: string[],
  { below }: FolderLook,
): FolderRow[] {
  const row = (
    kind: FolderRow["kind"],
    path: string,
    repository = false,
  ): FolderRow => ({
    kind,
    path,
    typed: path === "/" ? "/" : `${shortPath(path, home)}/`,
    repository,
  });
  if (typed.trim() === "") return recent.map((path) => row("recent", path));
  const rows = below.map(({ path, repository }) =>
    row("below", path, repository),
  );
  const path = fullPath(typed, home);
  const up = /^(.*)\/[^/]+\/$/.exec(path)?.[1];
  return up === undefined ? rows : [row("up", up || "/"), ...rows];
}
