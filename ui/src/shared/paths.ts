/** The last part of a path; `~` for home. */
export function baseName(path: string, home = ""): string {
  if (home !== "" && path === home) return "~";
  return path.replace(/\/+$/, "").split("/").pop() || "/";
}

/** A path with home as `~`. */
export function shortPath(path: string, home = ""): string {
  if (home !== "" && (path === home || path.startsWith(`${home}/`)))
    return `~${path.slice(home.length)}`;
  return path;
}
