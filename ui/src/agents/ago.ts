import { useEffect, useState } from "react";
import { howLong } from "../shared/Since";

/** How long ago something was; empty when it is not known. */
export function ago(then: number | null, now: number): string {
  return then === null ? "" : howLong(Math.max(now - then, 0));
}

/** The time, anew every half minute. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
