import type { ChangedFile, View, ViewChanges } from "../bindings";

interface Counts {
  added: number;
  removed: number;
}

export interface SectionRow extends Counts {
  kind: "section";
  key: string;
  view: View;
  /** All of them. */
  files: ChangedFile[];
  open: boolean;
}

export interface DirectoryRow extends Counts {
  kind: "directory";
  key: string;
  view: View;
  /** Those below. */
  files: ChangedFile[];
  /** As it is shown: several parts where there is nothing else in between. */
  name: string;
  depth: number;
  open: boolean;
}

export interface FileRow {
  kind: "file";
  key: string;
  view: View;
  file: ChangedFile;
  name: string;
  depth: number;
}

export type TreeRow = SectionRow | DirectoryRow | FileRow;

interface Directory {
  directories: Map<string, Directory>;
  files: { name: string; file: ChangedFile }[];
}

/** What a file of a view is called here. */
export function keyOfFile(view: View, path: string): string {
  return `${view}\u0000${path}`;
}

/** The files that a row stands for. */
export function filesOf(row: TreeRow): ChangedFile[] {
  return row.kind === "file" ? [row.file] : row.files;
}

/** The files that were looked at, by path: whether they are still what they were then. */
export type Looked = ReadonlyMap<string, boolean>;

/** Whether all that a row stands for was looked at as it is. */
export function isLookedAt(looked: Looked, row: TreeRow): boolean {
  return filesOf(row).every(({ path }) => looked.get(path) === true);
}

export function countsOf(files: ChangedFile[]): Counts {
  const counts = { added: 0, removed: 0 };
  for (const { lines } of files) {
    counts.added += lines?.added ?? 0;
    counts.removed += lines?.removed ?? 0;
  }
  return counts;
}

/** The files as a tree for each view, without what is folded, and with what the filter finds in their paths alone. */
export function treeRows(
  views: ViewChanges[],
  filter: string,
  closed: ReadonlySet<string>,
): TreeRow[] {
  const wanted = filter.trim().toLowerCase();
  const rows: TreeRow[] = [];
  for (const { view, files } of views) {
    const found = files.filter(
      ({ path, from }) =>
        path.toLowerCase().includes(wanted) ||
        (from?.toLowerCase().includes(wanted) ?? false),
    );
    if (found.length === 0) continue;
    const key = `section\u0000${view}`;
    const open = !closed.has(key);
    rows.push({
      kind: "section",
      key,
      view,
      files: found,
      open,
      ...countsOf(found),
    });
    if (open) add(rows, view, treeOf(found), "", 0, closed);
  }
  return rows;
}

function treeOf(files: ChangedFile[]): Directory {
  const root: Directory = { directories: new Map(), files: [] };
  for (const file of files) {
    const parts = file.path.split("/");
    const name = parts.pop() ?? "";
    let at = root;
    for (const part of parts) {
      let below = at.directories.get(part);
      if (!below) {
        below = { directories: new Map(), files: [] };
        at.directories.set(part, below);
      }
      at = below;
    }
    at.files.push({ name, file });
  }
  return root;
}

function add(
  rows: TreeRow[],
  view: View,
  directory: Directory,
  path: string,
  depth: number,
  closed: ReadonlySet<string>,
): void {
  const below = [...directory.directories].sort(([a], [b]) => compare(a, b));
  for (const [first, found] of below) {
    let name = first;
    let here = found;
    for (;;) {
      const [only] = here.directories;
      if (!only || here.directories.size > 1 || here.files.length > 0) break;
      name += `/${only[0]}`;
      here = only[1];
    }
    const full = `${path}${name}/`;
    const key = keyOfFile(view, full);
    const open = !closed.has(key);
    const files = filesBelow(here);
    rows.push({
      kind: "directory",
      key,
      view,
      files,
      name,
      depth,
      open,
      ...countsOf(files),
    });
    if (open) add(rows, view, here, full, depth + 1, closed);
  }
  const files = [...directory.files].sort((a, b) => compare(a.name, b.name));
  for (const { name, file } of files) {
    const key = keyOfFile(view, file.path);
    rows.push({ kind: "file", key, view, file, name, depth });
  }
}

function filesBelow({ directories, files }: Directory): ChangedFile[] {
  return [
    ...files.map(({ file }) => file),
    ...[...directories.values()].flatMap(filesBelow),
  ];
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** A file as it is listed now: in its view, else in the one that it has got to; `null` when it is in none any more. */
export function follow(views: ViewChanges[], row: FileRow): FileRow | null {
  const own = views.filter(({ view }) => view === row.view);
  const others = views.filter(({ view }) => view !== row.view);
  for (const { view, files } of [...own, ...others]) {
    const file = files.find(({ path }) => path === row.file.path);
    if (file) return { ...row, view, file, key: keyOfFile(view, file.path) };
  }
  return null;
}

/** The next file that was not looked at, after this row and then from the first one on. */
export function nextToLookAt(
  rows: TreeRow[],
  row: TreeRow,
  looked: Looked,
): FileRow | null {
  const done = new Set(filesOf(row).map(({ path }) => path));
  const waits = (one: TreeRow): one is FileRow =>
    one.kind === "file" && !done.has(one.file.path) && !isLookedAt(looked, one);
  const at = rows.findIndex(({ key }) => key === row.key);
  return rows.slice(at + 1).find(waits) ?? rows.find(waits) ?? null;
}

/** Where one goes on once all that a row stands for is done with: the next file of its view, else the one before it. */
export function fileAfter(rows: TreeRow[], row: TreeRow): FileRow | null {
  const done = new Set(filesOf(row).map(({ path }) => path));
  const at = rows.indexOf(row);
  const rest = (one: TreeRow): one is FileRow =>
    one.kind === "file" && one.view === row.view && !done.has(one.file.path);
  return (
    rows.slice(at + 1).find(rest) ?? rows.slice(0, at).findLast(rest) ?? null
  );
}
