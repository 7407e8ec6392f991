import {
  type FormEvent,
  type KeyboardEvent,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { create } from "zustand";
import { backend } from "../backend/backend";
import type { FolderLook } from "../bindings";
import { Button } from "../shared/Button";
import { Dialog } from "../shared/Dialog";
import { useDraftText } from "../shared/drafts";
import { FolderIcon } from "../shared/icons";
import { shortPath } from "../shared/paths";
import { useWindowState } from "../shared/window-state";
import { type FolderRow, fullPath, rowsFor } from "./folder-rows";
import "./folder-dialog.css";
import { Sentence } from "../shared/Sentence";

const useFolderDialog = create<{ open: boolean }>(() => ({ open: false }));

export function askForFolder(): void {
  useFolderDialog.setState({ open: true });
}

function close(): void {
  useFolderDialog.setState({ open: false });
}

interface FolderDialogProps {
  home: string;
  /** Opens a folder; why not, if it can't. */
  onFolder: (path: string) => Promise<string | null>;
}

/** Asks for a folder: by its path, which is completed, or out of those that were opened before. */
export function FolderDialog(props: FolderDialogProps) {
  const open = useFolderDialog((state) => state.open);
  return open && <OpenFolder {...props} />;
}

/** What is typed and offered, which of it is chosen, and what keys do. */
function useFolderForm({ home, onFolder }: FolderDialogProps) {
  const [typed, setTyped] = useDraftText("open-folder");
  const [problem, setProblem] = useState<string | null>(null);
  const [at, setAt] = useState(-1);
  const field = useRef<HTMLInputElement>(null);
  const look = useLook(fullPath(typed, home));
  const recent = useWindowState((state) => state.folders);
  const rows = rowsFor(typed, home, recent, look);
  useEffect(() => field.current?.select(), []);

  function type(text: string) {
    setTyped(text);
    setProblem(null);
    setAt(-1);
  }
  async function openFolder(path: string) {
    const wrong = await onFolder(path);
    if (wrong === null) {
      setTyped("");
      close();
    } else {
      setProblem(wrong);
      field.current?.focus();
    }
  }
  function descend(row: FolderRow) {
    type(row.typed);
    field.current?.focus();
  }
  function submit(event: FormEvent) {
    event.preventDefault();
    const path = rows[at]?.path ?? fullPath(typed, home);
    if (path !== "") void openFolder(path);
  }
  function onKey(event: KeyboardEvent) {
    const step =
      event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      // One before the first is the field itself.
      const places = rows.length + 1;
      setAt((now) => ((now + 1 + step + places) % places) - 1);
    }
    const row = rows[at] ?? (rows.length === 1 ? rows[0] : undefined);
    if (event.key === "Tab" && !event.shiftKey && row) {
      event.preventDefault();
      descend(row);
    }
  }

  return {
    ...{ typed, type, problem, field, submit, onKey },
    ...{ rows, at, more: look.more },
    pick: (row: FolderRow) =>
      row.kind === "recent" ? void openFolder(row.path) : descend(row),
  };
}

function OpenFolder(props: FolderDialogProps) {
  const { home } = props;
  const form = useFolderForm(props);
  const { typed, problem, rows, at } = form;
  const id = useId();
  return (
    <Dialog
      title="Open a folder"
      description="A terminal starts there. You can also drop a folder on the sidebar."
      onClose={close}
      testId="folder-dialog"
    >
      <form onSubmit={form.submit}>
        <input
          ref={form.field}
          className="text-input"
          role="combobox"
          aria-label="Path of the folder"
          aria-expanded={rows.length > 0}
          aria-controls={`${id}-rows`}
          aria-activedescendant={at < 0 ? undefined : `${id}-${at}`}
          aria-invalid={problem !== null}
          aria-describedby={`${id}-problem`}
          autoComplete="off"
          spellCheck={false}
          placeholder="~/code/project"
          data-testid="folder-path"
          value={typed}
          onChange={(event) => form.type(event.target.value)}
          onKeyDown={form.onKey}
        />
        <p id={`${id}-problem`} className="folder-problem" role="alert">
          {problem !== null && <Sentence text={problem} />}
        </p>
        <FolderRows
          id={id}
          rows={rows}
          at={at}
          home={home}
          nothing={
            typed.trim() === ""
              ? "What you open is offered here the next time."
              : "No folder there begins so."
          }
          onPick={form.pick}
        />
        {form.more && (
          <p className="faint">There are more: type how its name begins.</p>
        )}
        <p className="folder-help faint">
          <kbd>Tab</kbd> goes into a folder, <kbd>Enter</kbd> opens it.
        </p>
        <div className="dialog-buttons">
          <Button onClick={close}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            disabled={typed.trim() === "" && at < 0}
          >
            Open
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function FolderRows({
  id,
  rows,
  at,
  home,
  nothing,
  onPick,
}: {
  id: string;
  rows: FolderRow[];
  at: number;
  home: string;
  /** What is said when there are none. */
  nothing: string;
  onPick: (row: FolderRow) => void;
}) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  return (
    <div
      ref={list}
      id={`${id}-rows`}
      className="folder-rows"
      role="listbox"
      aria-label={
        rows[0]?.kind === "recent" ? "Opened before" : "Folders there"
      }
    >
      {rows.length === 0 && <p className="empty">{nothing}</p>}
      {rows.map((row, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
        <div
          key={row.path}
          id={`${id}-${index}`}
          className="folder-row"
          role="option"
          tabIndex={-1}
          aria-selected={index === at}
          data-testid="folder-row"
          onClick={() => onPick(row)}
        >
          <FolderIcon size={14} />
          <span className="folder-name">
            {row.kind === "up" ? ".." : shortPath(row.path, home)}
          </span>
          {row.repository && <span className="faint">git</span>}
        </div>
      ))}
    </div>
  );
}

const NOWHERE: FolderLook = { problem: null, below: [], more: false };

/** What is below a path while it is typed; what was there before, until the answer comes. */
function useLook(path: string): FolderLook {
  const [look, setLook] = useState(NOWHERE);
  useEffect(() => {
    let wanted = true;
    if (path === "") setLook(NOWHERE);
    else
      void backend.lookForFolders(path).then((answer) => {
        if (wanted && answer.status === "ok") setLook(answer.data);
      });
    return () => {
      wanted = false;
    };
  }, [path]);
  return look;
}
