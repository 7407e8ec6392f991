import type { Draft } from "../bindings";
import { findPanel, useDock } from "../shared/dock/dock";
import { useDrafts } from "../shared/drafts";
import { notify } from "../shared/notices";
import { FLOW_FILE, showFlow } from "./actions";
import { draftOfFlow } from "./flow-file";
import { baseName } from "./words";

/** The files that have text which is not saved. */
export function unsavedFlows(drafts: Record<string, Draft>): string[] {
  const prefix = draftOfFlow("");
  return Object.keys(drafts)
    .filter((place) => place.startsWith(prefix))
    .map((place) => place.slice(prefix.length));
}

/** Tells, once the tabs of the last window are back, what is not saved and in none of them. */
export function tellUnsaved(): () => void {
  const stop = useDock.subscribe(({ settled }) => {
    if (!settled) return;
    stop();
    const hidden = unsavedFlows(useDrafts.getState().drafts).filter(
      (path) => !findPanel(({ id }) => id === `${FLOW_FILE}-${path}`),
    );
    const [first] = hidden;
    if (first === undefined) return;
    notify(
      "info",
      hidden.length === 1
        ? `What you wrote in ${baseName(first)} is kept, and not saved.`
        : `What you wrote in ${hidden.length} flows is kept, and not saved.`,
      { label: "Show", run: () => hidden.forEach(showFlow) },
      "unsaved flows",
    );
  });
  return stop;
}
