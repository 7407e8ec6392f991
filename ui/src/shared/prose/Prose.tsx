import { lazy, memo, Suspense } from "react";
import "./prose.css";

// Its reader is a fifth of the page, and no window needs it before an agent has said something.
const Markdown = lazy(async () => ({
  default: (await import("./Markdown")).Markdown,
}));

/** Above this many characters text is shown as it came: it is read anew with every piece that an agent says. */
const LONGEST = 200_000;

/** What an agent says; as it came until the reader of Markdown is there. */
export const Prose = memo(function Prose({ text }: { text: string }) {
  const plain = <div className="prose plain">{text}</div>;
  if (text.length > LONGEST) return plain;
  return (
    <Suspense fallback={plain}>
      <div className="prose">
        <Markdown text={text} />
      </div>
    </Suspense>
  );
});
