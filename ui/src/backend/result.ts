import type { Error as BackendError } from "../bindings";

export type { BackendError };

/** What a command came to: a failed command is a value with a code. */
export type Result<T> =
  | { status: "ok"; data: T }
  | { status: "error"; error: BackendError };

/** Ends a subscription. */
export type Stop = () => void;
