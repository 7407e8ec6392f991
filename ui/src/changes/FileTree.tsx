import { type CSSProperties, type KeyboardEvent, useEffect } from "react";
import type { Act } from "../bindings";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import { DoneIcon, DownIcon, RightIcon } from "../shared/icons";
import { PrintedLines } from "../shared/printed/PrintedLines";
import { usePrinted } from "../shared/printed/use-printed";
import { useTextScale } from "../shared/settings-store";
import { actsOf, WORDS } from "./acting";
import { Counted } from "./DiffView";
import {
  type FileRow,
  filesOf,
  isLookedAt,
  type Looked,
  type TreeRow,
} from "./tree-rows";
import { changeOf, letterOf, viewName } from "./words";

const ROW = 24;

export interface FileTreeProps {
  rows: TreeRow[];
  /** The key of the row that is current. */
  current: string | null;
  /** What the commits are compared with. */
  base: string | undefined;
  looked: Looked;
  onLook: (row: TreeRow, looked: boolean) => void;
  onCurrent: (row: TreeRow) => void;
  onFold: (key: string, open: boolean) => void;
  onAct: (what: Act, row: TreeRow) => void;
  /** Goes on to the lines of the current file. */
  onEnter: () => void;
}

/** The files that changed, as a tree that is walked with the arrow keys. */
export function FileTree({
  rows,
  current,
  base,
  looked,
  onLook,
  onCurrent,
  onFold,
  onAct,
  onEnter,
}: FileTreeProps) {
  const height = Math.round(ROW * useTextScale());
  const printed = usePrinted(rows.length, height);
  const { list } = printed;
  const at = rows.findIndex(({ key }) => key === current);
  // What becomes current comes into view; what happens to the others does not move it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: when another one is current
  useEffect(() => {
    if (at >= 0) list.scrollToIndex(at, { align: "auto" });
  }, [current, list]);

  function onKeyDown(event: KeyboardEvent) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const next = stepTo(rows, at, event.key);
    const row = rows[at];
    const folds = row && row.kind !== "file";
    if (next !== null) {
      const to = rows[next];
      if (to) onCurrent(to);
    } else if (folds && event.key === "ArrowRight") onFold(row.key, true);
    else if (folds && event.key === "ArrowLeft") onFold(row.key, false);
    else if (folds && (event.key === "Enter" || event.key === " "))
      onFold(row.key, !row.open);
    else if (row && event.key === "Enter") onEnter();
    else if (row && event.key === "l" && !event.repeat)
      onLook(row, !isLookedAt(looked, row));
    else {
      // A key that is held down does it once, not to one file after the other.
      const what = row && !event.repeat && actFor(row, event.key);
      if (!what) return;
      onAct(what, row);
    }
    event.preventDefault();
  }

  const menuOn = (on: Element) => {
    const place = on.closest<HTMLElement>("[data-at]")?.dataset.at;
    const row = place === undefined ? undefined : rows[Number(place)];
    if (!row) return [];
    return [
      actsOn(row).map((what) => ({
        title: titleOfAct(what, row),
        hint: what === "discard" ? "Delete" : "S",
        run: () => onAct(what, row),
      })),
      [
        {
          title: isLookedAt(looked, row) ? "Not looked at" : "Looked at",
          hint: "L",
          run: () => onLook(row, !isLookedAt(looked, row)),
        },
      ],
      row.kind === "file" ? [copying("Copy its path", row.file.path)] : [],
    ];
  };
  return (
    <ContextMenu items={menuOn}>
      <PrintedLines
        printed={printed}
        className="changes-tree"
        role="tree"
        aria-label="Files that changed"
        aria-activedescendant={at >= 0 ? `changes-row-${at}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        data-testid="changes-tree"
        row={(index) => {
          const row = rows[index];
          return (
            row && (
              <Row
                row={row}
                at={index}
                current={row.key === current}
                base={base}
                looked={looked}
                onClick={() => {
                  onCurrent(row);
                  if (row.kind !== "file") onFold(row.key, !row.open);
                }}
              />
            )
          );
        }}
      />
    </ContextMenu>
  );
}

/** What can be done with all that a row stands for. */
function actsOn(row: TreeRow): Act[] {
  const files = filesOf(row);
  const [first] = files;
  const acts = first ? actsOf(row.view, first) : [];
  return acts.filter((what) =>
    files.every((file) => actsOf(row.view, file).includes(what)),
  );
}

/** What a key does with a row. */
function actFor(row: TreeRow, key: string): Act | undefined {
  const acts = actsOn(row);
  if (key === "s") return acts.find((what) => what !== "discard");
  if (key === "Delete") return acts.find((what) => what === "discard");
  return undefined;
}

function titleOfAct(what: Act, row: TreeRow): string {
  const { length } = filesOf(row);
  return length === 1 ? WORDS[what] : `${WORDS[what]} all ${length}`;
}

/** Where a key leads: to another row, or nowhere. */
export function stepTo(
  rows: TreeRow[],
  at: number,
  key: string,
): number | null {
  const row = rows[at];
  const clamp = (to: number) => Math.max(0, Math.min(rows.length - 1, to));
  switch (key) {
    case "ArrowDown":
      return clamp(at + 1);
    case "ArrowUp":
      return clamp(at - 1);
    case "Home":
      return 0;
    case "End":
      return rows.length - 1;
    case "ArrowRight":
      return row && row.kind !== "file" && row.open ? clamp(at + 1) : null;
    case "ArrowLeft": {
      if (!row || (row.kind !== "file" && row.open)) return null;
      const depth = depthOf(row);
      const above = rows
        .slice(0, at)
        .findLastIndex((one) => one.kind !== "file" && depthOf(one) < depth);
      return above >= 0 ? above : null;
    }
    default:
      return null;
  }
}

function depthOf(row: TreeRow): number {
  return row.kind === "section" ? 0 : row.depth + 1;
}

function Row({
  row,
  at,
  current,
  base,
  looked,
  onClick,
}: {
  row: TreeRow;
  at: number;
  current: boolean;
  base: string | undefined;
  looked: Looked;
  onClick: () => void;
}) {
  const Fold = row.kind !== "file" && row.open ? DownIcon : RightIcon;
  const depth = depthOf(row);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
    <div
      id={`changes-row-${at}`}
      className="changes-row"
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={current}
      {...(row.kind !== "file" && { "aria-expanded": row.open })}
      data-kind={row.kind}
      data-looked={isLookedAt(looked, row)}
      data-at={at}
      data-testid={`changes-${row.kind}`}
      title={row.kind === "file" ? titleOf(row) : undefined}
      tabIndex={-1}
      style={{ "--depth": depth } as CSSProperties}
      onClick={onClick}
    >
      {row.kind === "file" ? (
        <span
          className="changes-letter"
          data-change={row.file.kind}
          aria-hidden="true"
        >
          {letterOf(row.file.kind)}
        </span>
      ) : (
        <Fold size={11} />
      )}
      <span className="changes-name">
        {row.kind === "section" ? viewName(row.view, base) : row.name}
      </span>
      {row.kind === "file" && (
        <>
          <span className="only-read">{changeOf(row.file)}</span>
          <Counted file={row.file} />
          <Look still={looked.get(row.file.path)} />
        </>
      )}
      {row.kind === "section" && (
        <span className="changes-count">{row.files.length}</span>
      )}
    </div>
  );
}

/** Whether a file was looked at, and whether that is still what it is. */
function Look({ still }: { still: boolean | undefined }) {
  if (still === undefined) return null;
  const text = still ? "looked at" : "changed since you looked at it";
  return (
    <span className="changes-look" data-still={still} title={text}>
      {still && <DoneIcon size={11} />}
      <span className="only-read">{text}</span>
    </span>
  );
}

function titleOf({ file }: FileRow): string {
  return `${file.path}: ${changeOf(file)}`;
}
