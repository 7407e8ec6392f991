/** Something that is done a while after it was asked for, however often it was asked for meanwhile. */
export interface Later {
  soon(): void;
  /** Stops; what was asked for is not done any more. */
  stop(): void;
}

/** Does `work` at most once in `ms`; at once when the page goes away before. */
export function later(ms: number, work: () => void): Later {
  let timer: ReturnType<typeof setTimeout> | null = null;
  function run() {
    timer = null;
    work();
  }
  function now() {
    if (timer === null) return;
    clearTimeout(timer);
    run();
  }
  window.addEventListener("pagehide", now);
  return {
    soon() {
      timer ??= setTimeout(run, ms);
    },
    stop() {
      window.removeEventListener("pagehide", now);
      if (timer !== null) clearTimeout(timer);
    },
  };
}
