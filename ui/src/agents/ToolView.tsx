import { memo, useState } from "react";
import type { FileChange, ToolCall, ToolDetail, ToolStatus } from "../bindings";
import {
  DoneIcon,
  EndedIcon,
  FailedIcon,
  RightIcon,
  WorkingIcon,
} from "../shared/icons";
import { type DiffLine, diffLines, unifiedLines } from "./diff";

const ICONS: Record<ToolStatus, typeof DoneIcon> = {
  running: WorkingIcon,
  completed: DoneIcon,
  failed: FailedIcon,
  cancelled: EndedIcon,
};

const STATES: Record<ToolStatus, string> = {
  running: "working",
  completed: "done",
  failed: "failed",
  cancelled: "idle",
};

/** One use of a tool: a line, and below it, on demand, what it is about. A change of a file is open from the start. */
export const ToolView = memo(function ToolView({ call }: { call: ToolCall }) {
  const changes = changesOf(call.detail);
  const [open, setOpen] = useState<boolean | null>(null);
  const more = hasMore(call, changes);
  const shown = more && (open ?? (changes.length > 0 || call.error !== null));
  const Icon = ICONS[call.status];
  return (
    <div className="tool" data-status={call.status}>
      <button
        type="button"
        className="tool-line"
        aria-expanded={more ? shown : undefined}
        disabled={!more}
        onClick={() => setOpen(!shown)}
      >
        <span
          className="state"
          data-state={STATES[call.status]}
          title={call.status}
        >
          <Icon size={13} />
        </span>
        <span className="tool-name">{call.name || call.detail?.kind}</span>
        <span className="tool-title">{about(call)}</span>
        {changes.length > 0 && <Counts changes={changes} />}
        {more && (
          <span className="tool-fold" data-open={shown}>
            <RightIcon size={12} />
          </span>
        )}
      </button>
      {shown && <ToolMore call={call} changes={changes} />}
    </div>
  );
});

/** What a tool call is about, in a line. */
export function about(call: Pick<ToolCall, "detail" | "title">): string {
  const paths = call.detail?.paths?.join(", ") ?? "";
  return (call.detail?.command ?? paths) || (call.title ?? "");
}

function hasMore(call: ToolCall, changes: Change[]): boolean {
  return (
    changes.length > 0 ||
    call.error !== null ||
    Boolean(call.detail?.output) ||
    Boolean(call.detail?.input) ||
    about(call).includes("\n")
  );
}

/** What a call changes in one file, as lines. */
export interface Change {
  path: string | null;
  lines: DiffLine[];
}

/** What a call changes, file by file; nothing when it changes nothing, or does not tell. */
export function changesOf(detail: ToolDetail | null): Change[] {
  return (detail?.changes ?? []).map((change) => ({
    path: change.path ?? null,
    lines: linesOf(change),
  }));
}

function linesOf({ old_text = null, new_text = null }: FileChange): DiffLine[] {
  if (old_text === null && new_text !== null) {
    const unified = unifiedLines(new_text);
    if (unified) return unified;
  }
  return diffLines(old_text ?? "", new_text ?? "");
}

function Counts({ changes }: { changes: Change[] }) {
  const lines = changes.flatMap((change) => change.lines);
  const count = (kind: DiffLine["kind"]) =>
    lines.filter((line) => line.kind === kind).length;
  return (
    <span className="diff-counts">
      <span className="added">+{count("added")}</span>{" "}
      <span className="removed">−{count("removed")}</span>
    </span>
  );
}

function ToolMore({ call, changes }: { call: ToolCall; changes: Change[] }) {
  return (
    <div className="tool-more">
      {about(call).includes("\n") && <pre>{about(call)}</pre>}
      <Changes changes={changes} />
      {call.detail?.input && <pre>{call.detail.input}</pre>}
      {call.detail?.output && <pre>{call.detail.output}</pre>}
      {call.error && <p className="tool-error">{call.error}</p>}
    </div>
  );
}

/** Every change of a call; each under its file's name, when there are several. */
export function Changes({ changes }: { changes: Change[] }) {
  return changes.map(({ path, lines }, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the same file may be changed twice, and the list is replaced as a whole
    <section key={index} className="change" aria-label={path ?? "A change"}>
      {changes.length > 1 && path !== null && (
        <header className="change-path">{path}</header>
      )}
      <Diff lines={lines} />
    </section>
  ));
}

/** How many lines of a change are shown before the person asks for the rest. */
const SHOWN = 60;

/** A change, line by line: a sign and a colour for each. */
export function Diff({ lines }: { lines: DiffLine[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? lines : lines.slice(0, SHOWN);
  return (
    <div className="diff">
      {shown.map((line, index) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: a line of a change has no other name
          key={index}
          className="diff-line"
          data-kind={line.kind}
        >
          <span className="diff-sign" aria-hidden="true">
            {SIGNS[line.kind]}
          </span>
          <span className="diff-text">{line.text}</span>
        </div>
      ))}
      {shown.length < lines.length && (
        <button
          type="button"
          className="link-button diff-rest"
          onClick={() => setAll(true)}
        >
          {lines.length - shown.length} more lines
        </button>
      )}
    </div>
  );
}

const SIGNS: Record<DiffLine["kind"], string> = {
  same: " ",
  added: "+",
  removed: "−",
  gap: "⋯",
};
