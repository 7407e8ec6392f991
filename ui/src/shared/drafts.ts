import { useCallback } from "react";
import { create } from "zustand";
import { backend } from "../backend/backend";
import type { Draft } from "../bindings";
import type { Stop } from "./feature";
import { notify } from "./notices";
import { saver } from "./saver";
import { useWindows } from "./windows";

/**
 * What the person typed and did not send, save or start, by where it was typed. Rust keeps it, a moment after each
 * change, and tells other windows: neither a closed tab nor a killed window loses it.
 */
export const useDrafts = create<{ drafts: Record<string, Draft> }>(() => ({
  drafts: {},
}));

/** As long as that what was typed last may be lost with the window. */
const SAVE_AFTER_MS = 200;

/** Reads what earlier windows left, and keeps what is typed from then on. */
export async function startDrafts(): Promise<Stop> {
  const kept = await backend.listDrafts();
  if (kept.status === "ok")
    useDrafts.setState({
      drafts: Object.fromEntries(
        kept.data.map((draft) => [draft.place, draft]),
      ),
    });
  else notify("error", `What was typed is not back: ${kept.error.message}`);
  const unwritten = new Set<string>();
  const saving = saver({
    ms: SAVE_AFTER_MS,
    complaint: "What you type is not kept at the moment",
    async write() {
      for (const place of unwritten) {
        const draft = useDrafts.getState().drafts[place];
        unwritten.delete(place);
        const written = draft
          ? await backend.keepDraft(draft)
          : await backend.dropDraft(place);
        if (written.status === "ok") continue;
        // What is too large stays so until it is changed.
        if (written.error.code === "bad_params") {
          notify("error", `It is not kept: ${written.error.message}`);
          continue;
        }
        unwritten.add(place);
        return written;
      }
      return { status: "ok", data: null };
    },
  });
  let hearing = false;
  const stopHearing = backend.onDraftChanged(({ window, place, draft }) => {
    // What is typed here and not yet written is newer.
    if (window === useWindows.getState().own || unwritten.has(place)) return;
    hearing = true;
    setDraft(place, draft?.text ?? null, draft?.basis ?? null);
    hearing = false;
  });
  const stop = useDrafts.subscribe(({ drafts }, { drafts: before }) => {
    if (hearing) return;
    for (const place of Object.keys({ ...before, ...drafts }))
      if (drafts[place] !== before[place]) unwritten.add(place);
    saving.soon();
  });
  return () => {
    stop();
    stopHearing();
    saving.stop();
  };
}

/** Keeps what was typed in a place; none when there is nothing to be kept any more. */
export function setDraft(
  place: string,
  text: string | null,
  basis: string | null = null,
): void {
  useDrafts.setState(({ drafts: { [place]: _before, ...drafts } }) => ({
    drafts:
      text === null ? drafts : { ...drafts, [place]: { place, text, basis } },
  }));
}

/** Whether something was typed in a place and is kept. */
export function hasDraft(place: string): boolean {
  return useDrafts.getState().drafts[place] !== undefined;
}

/** A text that is typed in a place; it begins as `initial`, and is a draft as long as it is another. */
export function useDraftText(
  place: string,
  initial = "",
): [string, (text: string) => void] {
  const text = useDrafts(({ drafts }) => drafts[place]?.text ?? initial);
  const setText = useCallback(
    (text: string) => setDraft(place, text === initial ? null : text),
    [place, initial],
  );
  return [text, setText];
}

/** The fields of a form, as text; those that are not as they began are a draft. */
export interface DraftFields {
  fields: Record<string, string>;
  /** Whether some of them are not as they began. */
  changed: boolean;
  setFields: (fields: Record<string, string>) => void;
  /** Gives all of them back what they began with. */
  forget: () => void;
}

export function useDraftFields(
  place: string,
  initial: Record<string, string>,
): DraftFields {
  const draft = useDrafts(({ drafts }) => drafts[place]?.text);
  const typed = typedIn(draft);
  return {
    fields: { ...initial, ...typed },
    changed: draft !== undefined,
    setFields(fields) {
      const typed = Object.entries(fields).filter(
        ([name, text]) => text !== initial[name],
      );
      const text = JSON.stringify(Object.fromEntries(typed));
      setDraft(place, typed.length === 0 ? null : text);
    },
    forget: () => setDraft(place, null),
  };
}

/** The fields in a draft; what is none of ours has none. */
function typedIn(draft: string | undefined): Record<string, string> {
  if (draft === undefined) return {};
  try {
    const typed: unknown = JSON.parse(draft);
    const fields = Object.entries(typed as object);
    return Object.fromEntries(
      fields.filter(([, text]) => typeof text === "string"),
    ) as Record<string, string>;
  } catch {
    return {};
  }
}
