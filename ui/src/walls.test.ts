import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

/** What one file imports. */
interface Import {
  from: string;
  /** A file of ours by its path below `src`, or a package by its name. */
  to: string;
  /** Whether only types come from there: nothing of it is there when the page runs. */
  typesOnly: boolean;
}

const SRC = import.meta.dirname;

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(
  (file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$|^test-/.test(file),
);

function resolved(from: string, to: string): string {
  if (!to.startsWith(".")) return to;
  const path = normalize(join(dirname(from), to));
  return files.find((file) => file.replace(/\.tsx?$/, "") === path) ?? path;
}

const imports: Import[] = files.flatMap((from) => {
  const text = readFileSync(join(SRC, from), "utf8");
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^;"]*?\sfrom\s+)?"([^"]+)"/gm,
  );
  return [...found].map(([, type, to]) => ({
    from,
    to: resolved(from, to ?? ""),
    typesOnly: type !== undefined,
  }));
});

const folder = (file: string) => (file.includes("/") ? file.split("/")[0] : "");

const told = ({ from, to }: Import) => `${from} imports ${to}`;

test("the imports of every file are seen", () => {
  expect(files).toContain("window/App.tsx");
  expect(imports.map(told)).toContain("main.tsx imports window/open.tsx");
  expect(imports.map(told)).toContain(
    "shared/dock/Dock.tsx imports dockview-react",
  );
});

test("a feature knows the backend, what is shared, and itself; only the window knows features", () => {
  const ground = ["backend", "shared"];
  const across = imports.filter(({ from, to }) => {
    const [here, there] = [folder(from), folder(to)];
    if (!files.includes(to) || there === "" || here === there) return false;
    if (here === "window" || here === "twin" || here === "") return false;
    return !ground.includes(there ?? "");
  });
  expect(across.map(told)).toEqual([]);
});

test("the backend knows nothing but itself", () => {
  const up = imports.filter(
    ({ from, to }) =>
      folder(from) === "backend" &&
      files.includes(to) &&
      !["backend", ""].includes(folder(to) ?? ""),
  );
  expect(up.map(told)).toEqual([]);
});

test.each([
  ["dockview-react", "shared/dock"],
  ["@tauri-apps/api", "backend"],
  ["@xyflow/react", "flow"],
  ["@xterm/xterm", "terminal"],
  ["@codemirror/view", "flow/editor"],
  ["@codemirror/state", "flow/editor"],
  ["react-markdown", "shared/prose"],
])("%s is met in %s only", (library, home) => {
  const outside = imports.filter(
    ({ from, to }) =>
      (to === library || to.startsWith(`${library}/`)) &&
      !from.startsWith(`${home}/`) &&
      // The start tells a window from a browser; the bindings are generated.
      !["main.tsx", "bindings.ts"].includes(from),
  );
  expect(outside.map(told)).toEqual([]);
});

test("no file needs itself to be loaded", () => {
  const needs = new Map<string, string[]>();
  for (const { from, to, typesOnly } of imports)
    if (!typesOnly && files.includes(to))
      needs.set(from, [...(needs.get(from) ?? []), to]);
  const done = new Set<string>();
  const circles: string[] = [];
  function walk(file: string, path: string[]): void {
    const at = path.indexOf(file);
    if (at >= 0) circles.push([...path.slice(at), file].join(" → "));
    if (at >= 0 || done.has(file)) return;
    for (const next of needs.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  }
  for (const file of files) walk(file, []);
  expect(circles).toEqual([]);
});

test("the backend's twin is known to tests and to itself alone", () => {
  const known = imports.filter(
    ({ from, to }) => folder(to) === "twin" && folder(from) !== "twin",
  );
  expect(known.map(told)).toEqual([]);
});

test("nothing is kept in the page's own storage, which knows no home", () => {
  const keeps = files.filter((file) =>
    /\b(?:localStorage|sessionStorage|indexedDB|document\.cookie|caches\.open)\b/.test(
      readFileSync(join(SRC, file), "utf8"),
    ),
  );
  expect(keeps).toEqual([]);
});

test("a line under text is written in long form: WebKit takes no style or colour in `text-decoration`", () => {
  const styles = readdirSync(SRC, {
    recursive: true,
    encoding: "utf8",
  }).filter((file) => file.endsWith(".css"));
  expect(styles).toContain("flow/editor/editor.css");
  const short = styles.filter((file) =>
    /\btext-decoration:\s*[^\s;]+\s+[^;\s]/.test(
      readFileSync(join(SRC, file), "utf8"),
    ),
  );
  expect(short).toEqual([]);
});
