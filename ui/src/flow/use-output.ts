import { useCallback, useEffect, useRef, useState } from "react";
import { backend } from "../backend/backend";
import type { OutputLine, OutputPlace } from "../bindings";

/** How much is read without being asked for, in bytes. */
export const AT_FIRST = 1 << 20;
const LOOK_AGAIN_MS = 600;

export interface Loaded {
  /** A new list each time it has changed. */
  lines: OutputLine[];
  next: number;
  total: number;
}

/** Reads what an attempt printed, and goes on while it runs; `more` reads up to so many bytes. */
export function useOutput(
  run: string,
  step: string,
  attempt: number,
  live: boolean,
): {
  loaded: Loaded | null;
  more: (until: number) => void;
  problem: string | null;
} {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const reading = useRef<{ until: number; wake: () => void } | null>(null);
  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let whole: OutputLine[] = [];
    let next: OutputPlace = { at: 0, style: {} };
    let shown = "";
    let first = true;
    let busy = false;
    setLoaded(null);
    setProblem(null);
    const state = { until: AT_FIRST, wake: () => void read() };
    reading.current = state;
    async function read() {
      if (busy) return;
      busy = true;
      for (;;) {
        const piece = await backend.stepLines(run, step, attempt, next);
        if (!wanted) return;
        if (piece.status === "error") {
          setProblem(piece.error.message);
          break;
        }
        const { data } = piece;
        const grew = data.next.at > next.at;
        const open = data.open?.text ?? "";
        next = data.next;
        whole = whole.concat(data.lines);
        if (grew || first || open !== shown) {
          shown = open;
          first = false;
          setLoaded({
            lines: data.open ? [...whole, data.open] : whole,
            next: next.at,
            total: data.total,
          });
        }
        if (next.at >= data.total || next.at >= state.until || !grew) break;
      }
      busy = false;
      if (live && wanted) timer = setTimeout(() => void read(), LOOK_AGAIN_MS);
    }
    void read();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [run, step, attempt, live]);
  const more = useCallback((until: number) => {
    if (!reading.current) return;
    reading.current.until = until;
    reading.current.wake();
  }, []);
  return { loaded, more, problem };
}
