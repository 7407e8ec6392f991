import { Fragment, memo, type ReactNode } from "react";

/** What an agent says: Markdown as far as it helps reading. Everything is text; nothing in it becomes HTML. */
export const Prose = memo(function Prose({ text }: { text: string }) {
  return (
    <div className="prose">
      {blocks(text).map((block, index) =>
        block.code === null ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks only ever grow at the end
          <p key={index}>{inline(block.text)}</p>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks only ever grow at the end
          <pre key={index} data-language={block.code}>
            {block.text}
          </pre>
        ),
      )}
    </div>
  );
});

interface Block {
  /** The language of a block of code; `null` for words. */
  code: string | null;
  text: string;
}

/** Cuts text at its fences and blank lines; a fence that is not closed yet goes to the end. */
export function blocks(text: string): Block[] {
  const found: Block[] = [];
  let fence: string | null = null;
  let lines: string[] = [];
  const flush = (code: string | null) => {
    const joined = lines.join("\n");
    if (code !== null || joined.trim() !== "")
      found.push({ code, text: joined });
    lines = [];
  };
  for (const line of text.split("\n")) {
    const mark = /^\s*(`{3,}|~{3,})\s*([\w+#.-]*)/.exec(line);
    if (fence !== null) {
      if (mark && mark[2] === "") {
        flush(fence);
        fence = null;
      } else lines.push(line);
    } else if (mark) {
      flush(null);
      fence = mark[2] ?? "";
    } else if (line.trim() === "") flush(null);
    else lines.push(line);
  }
  flush(fence);
  return found;
}

const PIECES = /(`[^`\n]+`|\*\*[^*\n]+\*\*|^#{1,6} .+$)/gm;

function inline(text: string): ReactNode[] {
  return text.split(PIECES).map((piece, index) => {
    const key = `${index}`;
    if (/^`[^`]+`$/.test(piece))
      return <code key={key}>{piece.slice(1, -1)}</code>;
    if (/^\*\*[^*]+\*\*$/.test(piece))
      return <strong key={key}>{piece.slice(2, -2)}</strong>;
    if (/^#{1,6} /.test(piece))
      return <strong key={key}>{piece.replace(/^#+ /, "")}</strong>;
    return <Fragment key={key}>{piece}</Fragment>;
  });
}
