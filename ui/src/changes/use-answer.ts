import { useEffect, useRef, useState } from "react";
import type { Result } from "../backend/backend";

/** What came of a question so far. */
export interface Answer<T> {
  /** The last good one. */
  data: T | null;
  /** Why there is no newer one. */
  failed: string | null;
}

const NONE = { data: null, failed: null };

/**
 * Asks, and asks anew whenever `tick` is another one; an answer stays until there is a newer one. A question is asked once at
 * a time, and between two of them there is as much rest as the last one took: who writes without end is followed at half of the machine's
 * pace. No `key`: nothing is asked.
 */
export function useAnswer<T>(
  key: string | null,
  tick: number,
  ask: () => Promise<Result<T>>,
): Answer<T> {
  const [answer, setAnswer] = useState<{ key: string } & Answer<T>>();
  const latest = useRef(ask);
  latest.current = ask;
  const running = useRef<{ key: string; again: boolean } | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each tick is a reason to ask
  useEffect(() => {
    if (key === null) {
      running.current = null;
      return;
    }
    if (running.current?.key === key) {
      running.current.again = true;
      return;
    }
    const own = { key, again: false };
    running.current = own;
    void (async () => {
      do {
        own.again = false;
        const began = performance.now();
        const told = await latest.current();
        if (running.current !== own) return;
        setAnswer((before) => {
          if (told.status === "ok")
            return { key, data: told.data, failed: null };
          const data = before?.key === key ? before.data : null;
          return { key, data, failed: told.error.message };
        });
        if (own.again)
          await new Promise((resolve) =>
            setTimeout(resolve, performance.now() - began),
          );
        if (running.current !== own) return;
      } while (own.again);
      running.current = null;
    })();
  }, [key, tick]);

  useEffect(
    () => () => {
      running.current = null;
    },
    [],
  );
  return answer && answer.key === key ? answer : NONE;
}
