import { type RefObject, useLayoutEffect, useRef } from "react";
import type {
  TranscriptHit,
  TranscriptMessage,
  TranscriptPart,
} from "../bindings";
import "./transcript.css";
import { IconButton } from "../shared/Button";
import { ContextMenu } from "../shared/ContextMenu";
import { copying } from "../shared/copying";
import { AgentIcon, CopyIcon } from "../shared/icons";
import { PrintedLine } from "../shared/printed/PrintedLine";
import type { TextRange } from "../shared/printed/pieces";
import { Prose } from "../shared/prose/Prose";
import { conversationLabel, ROLES, saidAt } from "./conversation-label";
import { type Stretch, useTranscript } from "./use-transcript";

/** So close to an end of what was read, in pixels, more is. */
const NEAR_THE_END = 400;

/** A conversation that an agent wrote down, to read, at the message that was found. */
export function TranscriptView({
  hit,
  visit,
}: {
  hit: TranscriptHit;
  /** Counts up when the same message is asked for again. */
  visit: number;
}) {
  const { stretch, failure, readOn } = useTranscript(hit);
  const scroller = useRef<HTMLElement>(null);
  const onMoved = useStay(scroller, stretch, `${hit.message} ${visit}`);

  const conversation = stretch?.conversation ?? hit.conversation;
  const { title, detail } = conversationLabel(conversation, null);
  const copySession = copying("Copy the session's id", conversation.session);
  return (
    <section
      className="history"
      aria-label={`Conversation: ${title}`}
      data-testid="transcript"
    >
      <header className="history-head">
        <AgentIcon size={14} />
        <span className="history-name" title={conversation.file}>
          {[title, detail, "read only"].filter(Boolean).join(" · ")}
        </span>
        <IconButton label={copySession.title} onClick={() => copySession.run()}>
          <CopyIcon size={14} />
        </IconButton>
      </header>
      {failure !== null && (
        <p className="history-end" role="status">
          {failure}
        </p>
      )}
      <ContextMenu items={(on) => itemsOn(on, stretch)}>
        <section
          ref={scroller}
          className="transcript"
          aria-label="What was said"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keys
          tabIndex={0}
          onWheel={onMoved}
          onPointerDown={onMoved}
          onKeyDown={onMoved}
          onScroll={({ currentTarget: view }) => {
            if (view.scrollTop < NEAR_THE_END) readOn("earlier");
            const below =
              view.scrollHeight - view.clientHeight - view.scrollTop;
            if (below < NEAR_THE_END) readOn("later");
          }}
        >
          <div>
            {stretch && !stretch.earlier && (
              <p className="history-end">The conversation begins here.</p>
            )}
            {stretch?.messages.map((message) => (
              <Message
                key={message.key}
                message={message}
                hit={message.key === hit.message ? hit : null}
              />
            ))}
          </div>
        </section>
      </ContextMenu>
    </section>
  );
}

/**
 * Keeps the message that was asked for in view until the person moves, and what is read where it is when more comes before it.
 * Returns what is to be told of the person's moves.
 */
function useStay(
  scroller: RefObject<HTMLElement | null>,
  stretch: Stretch | null,
  asked: string,
): () => void {
  const settled = useRef(false);
  const before = useRef<{ first: string | undefined; height: number }>({
    first: undefined,
    height: 0,
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: another message or another visit asks anew
  useLayoutEffect(() => {
    settled.current = false;
    reveal(scroller.current);
  }, [asked, scroller]);

  useLayoutEffect(() => {
    const view = scroller.current;
    const content = view?.firstElementChild;
    if (!view || !content) return;
    // What is above grows when its Markdown is there.
    const grown = new ResizeObserver(() => {
      if (!settled.current) reveal(view);
    });
    grown.observe(content);
    return () => grown.disconnect();
  }, [scroller]);

  useLayoutEffect(() => {
    const view = scroller.current;
    if (!view) return;
    const first = stretch?.messages[0]?.key;
    const was = before.current;
    if (!settled.current) reveal(view);
    else if (was.first !== undefined && first !== was.first)
      view.scrollTop += view.scrollHeight - was.height;
    before.current = { first, height: view.scrollHeight };
  }, [scroller, stretch]);

  return () => {
    settled.current = true;
  };
}

function reveal(view: HTMLElement | null): void {
  const target =
    view?.querySelector('[data-target="true"] mark') ??
    view?.querySelector('[data-target="true"]');
  // In a page that is not laid out there is nowhere to scroll to.
  target?.scrollIntoView?.({ block: "center", inline: "nearest" });
}

function itemsOn(on: Element, stretch: Stretch | null) {
  const { message } = on.closest<HTMLElement>("[data-message]")?.dataset ?? {};
  const said = stretch?.messages.find(({ key }) => key === message);
  if (!said) return [];
  const text = said.parts.map((part) => part.text).join("\n\n");
  return [[copying("Copy what was said", text)]];
}

function Message({
  message,
  hit,
}: {
  message: TranscriptMessage;
  hit: TranscriptHit | null;
}) {
  // The first line that reads as what was found is it: a transcript has no numbers for its lines.
  const found = hit && message.parts.findIndex((part) => rangesOf(part, hit));
  return (
    <article
      className="transcript-message"
      data-message={message.key}
      data-target={hit !== null}
    >
      {message.parts.map((part, index) => (
        <Part
          // biome-ignore lint/suspicious/noArrayIndexKey: a message's parts are what they are
          key={index}
          part={part}
          when={index === 0 ? message.when : null}
          ranges={(hit && index === found && rangesOf(part, hit)) || null}
        />
      ))}
    </article>
  );
}

function Part({
  part,
  when,
  ranges,
}: {
  part: TranscriptPart;
  when: number | null;
  /** What was found in it, if it was. */
  ranges: TextRange[] | null;
}) {
  const text = ranges ? (
    <pre>
      <PrintedLine text={part.text} ranges={ranges} />
    </pre>
  ) : null;
  const time = when !== null && <time>{saidAt(when)}</time>;
  if (part.role === "person" || part.role === "agent")
    return (
      <div className="transcript-part" data-role={part.role}>
        <p className="transcript-who">
          <b>{ROLES[part.role]}</b>
          {time}
        </p>
        {text ?? <Prose text={part.text} />}
      </div>
    );
  return (
    <details
      className="transcript-part"
      data-role={part.role}
      open={ranges !== null}
    >
      <summary className="transcript-who">
        <b>{[ROLES[part.role], part.name].filter(Boolean).join(" · ")}</b>
        <span className="transcript-begins">{beginning(part.text)}</span>
        {time}
      </summary>
      {text ?? <pre>{part.text}</pre>}
    </details>
  );
}

function beginning(text: string): string {
  return text.trimStart().slice(0, 200).split("\n", 1)[0] ?? "";
}

/** Where in a part's text a hit is; `null`: it is not in this part. */
export function rangesOf(
  { role, text }: TranscriptPart,
  hit: TranscriptHit,
): TextRange[] | null {
  if (role !== hit.role) return null;
  const cutBefore = hit.content.startsWith("…") && !text.includes(hit.content);
  const cutAfter = hit.content.endsWith("…") && !text.includes(hit.content);
  const content = hit.content.slice(
    cutBefore ? 1 : 0,
    cutAfter ? -1 : undefined,
  );
  const line = content === "" ? -1 : text.indexOf(content);
  if (line < 0) return null;
  const moved = line - (cutBefore ? 1 : 0);
  return hit.ranges.map(({ start, end }) => ({
    start: start + moved,
    end: end + moved,
  }));
}
