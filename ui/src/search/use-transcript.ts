import { useCallback, useEffect, useRef, useState } from "react";
import { backend } from "../backend/backend";
import type {
  TranscriptConversation,
  TranscriptHit,
  TranscriptMessage,
  TranscriptPage,
} from "../bindings";

/** How many messages are read at once, to each side. */
const MESSAGES = 40;

/** A stretch of a conversation. */
export interface Stretch {
  conversation: TranscriptConversation;
  messages: TranscriptMessage[];
  earlier: boolean;
  later: boolean;
}

export interface Transcript {
  /** What was read; `null`: nothing yet. */
  stretch: Stretch | null;
  /** Why no more could be read. */
  failure: string | null;
  /** Reads on, to one side, where there is more. */
  readOn: (to: "earlier" | "later") => void;
}

/** A conversation as it is read: the messages around the one that one came for, and more as one goes on. */
export function useTranscript(hit: TranscriptHit): Transcript {
  const [stretch, setStretch] = useState<Stretch | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const reading = useRef(false);
  /** Counts up with each message that one comes for: what was asked for an earlier one is let go. */
  const visit = useRef(0);
  const { agent, file } = hit.conversation;

  const read = useCallback(
    async (
      message: string,
      before: number,
      after: number,
      take: (page: TranscriptPage) => (now: Stretch | null) => Stretch | null,
    ) => {
      reading.current = true;
      const asked = visit.current;
      const place = { agent, file, message, before, after };
      const answer = await backend.readTranscript(place);
      if (asked !== visit.current) return;
      reading.current = false;
      if (answer.status === "error") {
        setFailure(answer.error.message);
        return;
      }
      setFailure(null);
      setStretch(take(answer.data));
    },
    [agent, file],
  );

  useEffect(() => {
    visit.current++;
    setStretch(null);
    void read(hit.message, MESSAGES, MESSAGES, (page) => () => page);
  }, [read, hit.message]);

  const readOn = (to: "earlier" | "later") => {
    const end = stretch?.messages.at(to === "earlier" ? 0 : -1);
    if (reading.current || !stretch?.[to] || !end) return;
    const [before, after] = to === "earlier" ? [MESSAGES, 0] : [0, MESSAGES];
    void read(end.key, before, after, (page) => (now) => add(now, page, to));
  };
  return { stretch, failure, readOn };
}

/** A stretch, and what was read on to one side of it, from its end on. */
export function add(
  now: Stretch | null,
  page: TranscriptPage,
  to: "earlier" | "later",
): Stretch {
  if (!now) return page;
  const known = new Set(now.messages.map(({ key }) => key));
  const more = page.messages.filter(({ key }) => !known.has(key));
  // What says nothing is no message: when nothing came, there is nothing to go on from.
  return to === "earlier"
    ? {
        ...now,
        messages: [...more, ...now.messages],
        earlier: page.earlier && more.length > 0,
      }
    : {
        ...now,
        messages: [...now.messages, ...more],
        later: page.later && more.length > 0,
      };
}
