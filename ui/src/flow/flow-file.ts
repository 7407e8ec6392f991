import { useCallback, useEffect, useRef, useState } from "react";
import { backend } from "../backend/backend";
import type { FlowCheck } from "../bindings";
import { setDraft, useDrafts } from "../shared/drafts";

/** How long typing must rest before the text is looked at. */
const LOOK_AFTER_MS = 150;

export interface Opened {
  /** The text as it is on disk. */
  disk: string;
  text: string;
  /** The text that an editor is to show: what was written in it is in `text` alone. */
  given: { text: string };
  /** It was changed on disk while there are changes here. */
  theirs: boolean;
}

function fromDisk(disk: string): Opened {
  return { disk, text: disk, given: { text: disk }, theirs: false };
}

/** Where what is written into a flow's file is kept until it is saved. */
export function draftOfFlow(path: string): string {
  return `flow:${path}`;
}

/** Keeps what was written into a file; nothing when it is what is on disk. */
function keepWritten(path: string, text: string, disk: string): void {
  setDraft(draftOfFlow(path), text === disk ? null : text, disk);
}

/** A file as it is when it is opened: with what was written into it before and not saved. */
function begin(path: string, disk: string): Opened {
  const draft = useDrafts.getState().drafts[draftOfFlow(path)];
  if (!draft || draft.text === disk) return fromDisk(disk);
  const { text } = draft;
  return { disk, text, given: { text }, theirs: draft.basis !== disk };
}

/** What was written into a file that can't be read any more. */
function beginWithout(path: string): Opened | null {
  const draft = useDrafts.getState().drafts[draftOfFlow(path)];
  return draft ? begin(path, draft.basis ?? "") : null;
}

/** A flow's file: its text, what a person made of it, and what another program did meanwhile. */
export function useFlowFile(path: string) {
  const [opened, setOpened] = useState<Opened | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    setOpened(null);
    setProblem(null);
    const told = (disk: string) => {
      if (!wanted) return;
      setOpened((before) => {
        if (!before) return begin(path, disk);
        if (before.text === before.disk || before.text === disk)
          return before.text === disk
            ? { ...before, disk, theirs: false }
            : fromDisk(disk);
        return { ...before, theirs: disk !== before.disk };
      });
    };
    const stop = backend.followFlow(path, told);
    void backend.readFlow(path).then((read) => {
      if (!wanted) return;
      if (read.status === "ok") told(read.data);
      else {
        setProblem(read.error.message);
        setOpened(beginWithout(path));
      }
    });
    return () => {
      wanted = false;
      stop();
    };
  }, [path]);
  const current = useRef(opened);
  current.current = opened;
  const edit = useCallback(
    (text: string) => {
      const disk = current.current?.disk;
      if (disk !== undefined) keepWritten(path, text, disk);
      setOpened((before) => before && { ...before, text });
    },
    [path],
  );
  const save = useCallback(async () => {
    const now = current.current;
    if (!now || now.text === now.disk) return;
    const saved = await backend.writeFlow(path, now.text, now.disk);
    if (saved.status === "error") {
      setProblem(saved.error.message);
      return;
    }
    setProblem(null);
    // More may have been written while it was saved.
    const text = current.current?.text ?? now.text;
    keepWritten(path, text, now.text);
    setOpened(
      (before) => before && { ...before, disk: now.text, theirs: false },
    );
  }, [path]);
  const read = useCallback(
    async (then: (disk: string, mine: Opened) => Opened) => {
      const disk = await backend.readFlow(path);
      if (disk.status === "error") setProblem(disk.error.message);
      else setOpened((before) => before && then(disk.data, before));
    },
    [path],
  );
  return {
    opened,
    problem,
    edit,
    save,
    takeTheirs: () => {
      setDraft(draftOfFlow(path), null);
      void read(fromDisk);
    },
    keepMine: () =>
      void read((disk, mine) => ({ ...mine, disk, theirs: false })),
  };
}

/** What the engine says of a text, once typing rests. */
export function useCheck(text: string | null): FlowCheck | null {
  const [check, setCheck] = useState<FlowCheck | null>(null);
  useEffect(() => {
    if (text === null) return;
    let wanted = true;
    const timer = setTimeout(async () => {
      const answer = await backend.checkFlow(text);
      if (wanted && answer.status === "ok") setCheck(answer.data);
    }, LOOK_AFTER_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text]);
  return check;
}
