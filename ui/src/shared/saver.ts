import type { Result } from "../backend/result";
import { type Later, later } from "./later";
import { notify, withdraw } from "./notices";

/** How long after a failure it is tried again. */
const AGAIN_AFTER_MS = 5_000;

export interface SaverOptions {
  /** How long what changed may wait to be written. */
  ms: number;
  /** What is said when it can't be written, before the reason. */
  complaint: string;
  write: () => Promise<Result<unknown>>;
}

/**
 * Writes what must outlive the window, a while after it changed: one write at a time, and after a failure again until it
 * is written. A failure is told until then.
 */
export function saver({ ms, complaint, write }: SaverOptions): Later {
  let writing = false;
  let changed = false;
  async function save() {
    if (writing) {
      changed = true;
      return;
    }
    writing = true;
    const written = await write();
    writing = false;
    if (written.status === "error") {
      notify(
        "error",
        `${complaint}: ${written.error.message}`,
        undefined,
        complaint,
      );
      again.soon();
    } else withdraw(complaint);
    if (changed) soon.soon();
    changed = false;
  }
  const soon = later(ms, () => void save());
  const again = later(AGAIN_AFTER_MS, () => void save());
  return {
    soon: soon.soon,
    stop() {
      soon.stop();
      again.stop();
    },
  };
}
