import type { Result, Stop } from "./backend";

/** Asks Rust. A call that did not even arrive is a failed command like any other. */
export async function ask<T>(
  call: () => Promise<Result<T>>,
): Promise<Result<T>> {
  try {
    const result = await call();
    // Tauri's own refusals are plain texts.
    return result.status === "error" && typeof result.error !== "object"
      ? failed(String(result.error))
      : result;
  } catch (cause) {
    return failed(cause instanceof Error ? cause.message : String(cause));
  }
}

function failed(message: string): Result<never> {
  return {
    status: "error",
    error: { code: "failed", message, position: null },
  };
}

/** A subscription whose start is asynchronous, ended by a plain function. */
export function subscription(start: Promise<() => void>): Stop {
  let stop: (() => void) | null = null;
  let ended = false;
  start.then(
    (unlisten) => {
      if (ended) unlisten();
      else stop = unlisten;
    },
    (cause) => console.error("could not listen to an event", cause),
  );
  return () => {
    ended = true;
    stop?.();
  };
}
