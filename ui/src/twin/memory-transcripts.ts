import type { Backend, Result } from "../backend/backend";
import type {
  SearchRequest,
  TranscriptHit,
  TranscriptMessage,
  TranscriptPage,
} from "../bindings";

/** A conversation that an agent wrote down. */
export type MemoryTranscript = Pick<
  TranscriptPage,
  "conversation" | "messages"
>;

/** A conversation as a test needs it: what the person and the agent say in turns, each a message. */
export function transcript(
  session: string,
  texts: string[],
  directory = "/home/you/shop",
): MemoryTranscript {
  return {
    conversation: {
      agent: "claude",
      file: `/home/you/.claude/projects/shop/${session}.jsonl`,
      session,
      directory,
      title: texts[0] ?? null,
    },
    messages: texts.map(
      (text, index): TranscriptMessage => ({
        key: `${index}.0`,
        when: Date.UTC(2026, 2, 1, 14, index),
        parts: [{ role: index % 2 ? "agent" : "person", name: null, text }],
      }),
    ),
  };
}

/** Finds and reads what agents wrote down, as the backend does. */
export function memoryTranscripts() {
  const transcripts: MemoryTranscript[] = [];

  function hits(request: SearchRequest, regex: RegExp): TranscriptHit[] {
    const { directory } = request;
    return transcripts
      .filter(
        ({ conversation }) =>
          !directory ||
          `${conversation.directory}/`.startsWith(`${directory}/`),
      )
      .flatMap(({ conversation, messages }) =>
        messages.flatMap(({ key, when, parts }) =>
          parts.flatMap(({ role, text }) =>
            text.split("\n").flatMap((content): TranscriptHit[] => {
              const ranges = [...content.matchAll(regex)].map((hit) => ({
                start: hit.index,
                end: hit.index + hit[0].length,
              }));
              const place = { conversation, message: key, role, when };
              return ranges.length > 0 ? [{ ...place, content, ranges }] : [];
            }),
          ),
        ),
      );
  }

  const readTranscript: Backend["readTranscript"] = async (place) => {
    const found = transcripts.find(
      ({ conversation }) => conversation.file === place.file,
    );
    const at = found?.messages.findIndex(({ key }) => key === place.message);
    if (!found || at === undefined || at < 0) {
      const message = `there is no message \`${place.message}\` in \`${place.file}\``;
      return {
        status: "error",
        error: { code: "bad_id", message, position: null },
      };
    }
    const from = Math.max(at - place.before, 0);
    const to = at + 1 + place.after;
    return {
      status: "ok",
      data: {
        conversation: found.conversation,
        messages: found.messages.slice(from, to),
        earlier: from > 0,
        later: to < found.messages.length,
      },
    } satisfies Result<TranscriptPage>;
  };

  return { transcripts, hits, readTranscript };
}
