import { useCallback, useRef, useState } from "react";
import { backend } from "../backend/backend";
import type { Line, LineId, PaneId } from "../bindings";
import {
  addAfter,
  addBefore,
  emptyWindow,
  indexOfLine,
  type LinesWindow,
} from "./lines-window";

/** How many lines are read at once. */
const CHUNK = 400;
/** So close to an end of what was read, more is. */
const NEAR_THE_END = 30;

export interface HistoryStretch {
  /** The lines that were read, and whether there are more. */
  window: LinesWindow;
  /** Why no more could be read. */
  failure: string | null;
  /** Reads the stretch around a line; none: the newest lines. */
  show: (id: LineId | null) => Promise<void>;
  /** Reads on, where these rows are close to an end of the stretch. */
  readOn: (firstSeen: number, lastSeen: number) => void;
  /** How many lines were put before the first since this was asked last. */
  takePrepended: () => number;
}

/** The stretch of a pane's history that one reads in. */
export function useHistoryStretch(pane: PaneId): HistoryStretch {
  const [window, setWindow] = useState<LinesWindow>(emptyWindow);
  const [failure, setFailure] = useState<string | null>(null);
  const reading = useRef(false);
  const prepended = useRef(0);

  const show = useCallback(
    async (id: LineId | null) => {
      reading.current = true;
      const stretch = await stretchAround(pane, id);
      reading.current = false;
      if (typeof stretch === "string") {
        setFailure(stretch);
        return;
      }
      setFailure(null);
      prepended.current = 0;
      setWindow(stretch);
    },
    [pane],
  );

  const read = useCallback(
    async (
      lines: Parameters<typeof backend.readLines>[1],
      take: (window: LinesWindow, lines: Line[]) => LinesWindow,
    ) => {
      if (reading.current) return;
      reading.current = true;
      const answer = await backend.readLines(pane, lines);
      reading.current = false;
      if (answer.status === "error") {
        setFailure(answer.error.message);
        return;
      }
      setFailure(null);
      setWindow((before) => {
        const after = take(before, answer.data);
        const first = before.lines[0];
        if (first) prepended.current += indexOfLine(after, first.id);
        return after;
      });
    },
    [pane],
  );

  const readOn = useCallback(
    (firstSeen: number, lastSeen: number) => {
      const { lines, moreBefore, moreAfter } = window;
      const first = lines[0];
      const last = lines.at(-1);
      if (!first || !last) return;
      if (moreBefore && firstSeen < NEAR_THE_END)
        void read(
          { from: "before", line: first.id, count: CHUNK },
          (now, more) => addBefore(now, more, CHUNK),
        );
      else if (moreAfter && lastSeen > lines.length - NEAR_THE_END)
        void read(
          // From the last one on, which is known: who follows it is not.
          { from: "after", line: last.id, count: CHUNK + 1 },
          (now, more) => addAfter(now, more, CHUNK + 1),
        );
    },
    [window, read],
  );

  const takePrepended = useCallback(() => {
    const count = prepended.current;
    prepended.current = 0;
    return count;
  }, []);

  return { window, failure, show, readOn, takePrepended };
}

/** The lines around one, or the newest; or why they can't be read. */
async function stretchAround(
  pane: PaneId,
  line: LineId | null,
): Promise<LinesWindow | string> {
  const [before, after] = await Promise.all(
    line === null
      ? [backend.readLines(pane, { from: "newest", count: CHUNK })]
      : [
          backend.readLines(pane, { from: "before", line, count: CHUNK }),
          backend.readLines(pane, { from: "after", line, count: CHUNK }),
        ],
  );
  for (const answer of [before, after])
    if (answer?.status === "error") return answer.error.message;
  const older = before?.status === "ok" ? before.data : [];
  const newer = after?.status === "ok" ? after.data : [];
  return {
    lines: [...older, ...newer],
    moreBefore: older.length >= CHUNK,
    moreAfter: newer.length >= CHUNK,
  };
}
