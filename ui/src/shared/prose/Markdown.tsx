import { type MouseEvent, type ReactNode, useRef } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import rehypeHighlight from "rehype-highlight";
import remarkGfm from "remark-gfm";
import type {} from "remark-parse";
import type { Processor } from "unified";
import { backend } from "../../backend/backend";
import { IconButton } from "../Button";
import { copying } from "../copying";
import { CopyIcon } from "../icons";
import { reportFailure } from "../notices";

const PLUGINS = [remarkGfm, withoutHtml];
// What names no language is not guessed at.
const AFTER = [largeAsItIs, rehypeHighlight];

/** More code than this, in characters, is not coloured: it is read anew with every piece that an agent says. */
const COLOURED_AT_MOST = 20_000;

/** Keeps large blocks of code from being coloured. */
function largeAsItIs() {
  return (tree: Root) => {
    for (const pre of tree.children) {
      const code = pre.type === "element" ? pre.children[0] : undefined;
      const text = code?.type === "element" ? code.children[0] : undefined;
      if (code?.type !== "element" || text?.type !== "text") continue;
      if (text.value.length > COLOURED_AT_MOST)
        code.properties.className = ["no-highlight"];
    }
  };
}

/** HTML is no part of the language here: its letters are text like any other, and what follows them is read as Markdown. */
function withoutHtml(this: Processor): void {
  const data = this.data();
  data.micromarkExtensions ??= [];
  data.micromarkExtensions.push({
    disable: { null: ["htmlFlow", "htmlText"] },
  });
}

/**
 * What an agent says, as Markdown (GitHub's: lists, tables, links, code). Nothing in it becomes HTML, no picture is loaded, and a
 * link shows where it goes and is opened by the system only when it is http(s).
 */
export function Markdown({ text }: { text: string }) {
  return (
    <ReactMarkdown
      remarkPlugins={PLUGINS}
      rehypePlugins={AFTER}
      components={COMPONENTS}
    >
      {text}
    </ReactMarkdown>
  );
}

const COMPONENTS: Components = {
  a: ({ href, children }) => <Link href={href}>{children}</Link>,
  // The page loads nothing from outside: a picture is the link to it.
  img: ({ src, alt }) => (
    <Link href={typeof src === "string" ? src : undefined}>
      {alt || "picture"}
    </Link>
  ),
  pre: ({ children, node }) => (
    <Code language={languageOf(node)}>{children}</Code>
  ),
  // A wide table scrolls by itself, not the conversation.
  table: ({ children }) => (
    <div className="prose-table">
      <table>{children}</table>
    </div>
  ),
  // What a list of tasks ticks is the agent's to say, not the reader's.
  input: ({ checked }) => (
    <span role="img" aria-label={checked ? "done" : "open"}>
      {checked ? "☑" : "☐"}
    </span>
  ),
};

/** A block of code, which can be copied. */
function Code({
  language,
  children,
}: {
  language: string;
  children: ReactNode;
}) {
  const block = useRef<HTMLPreElement>(null);
  const copy = () => copying("", block.current?.textContent ?? "").run();
  return (
    <div className="prose-code">
      <pre ref={block} data-language={language}>
        {children}
      </pre>
      <IconButton label="Copy the code" onClick={copy}>
        <CopyIcon size={13} />
      </IconButton>
    </div>
  );
}

function Link({
  href,
  children,
}: {
  href: string | undefined;
  children?: React.ReactNode;
}) {
  if (!href || !/^https?:\/\//i.test(href)) return <span>{children}</span>;
  const open = (event: MouseEvent) => {
    event.preventDefault();
    void backend.openLink(href).then(reportFailure);
  };
  return (
    <a href={href} title={href} onClick={open} onAuxClick={open}>
      {children}
    </a>
  );
}

/** What the page makes of Markdown, as the plugins see it. */
type Root = Parameters<ReturnType<typeof rehypeHighlight>>[0];

type PreNode = Parameters<
  Extract<NonNullable<Components["pre"]>, (...given: never) => unknown>
>[0]["node"];

/** The language that a block of code names after its fence. */
function languageOf(pre: PreNode): string {
  const code = pre?.children[0];
  const names =
    code?.type === "element" ? code.properties.className : undefined;
  const named = Array.isArray(names)
    ? names.find((name) => String(name).startsWith("language-"))
    : undefined;
  return named === undefined ? "" : String(named).slice("language-".length);
}
