import { Fragment } from "react";
import { saidParts } from "./said-parts";

/** A sentence of ours: what stands in back-ticks in it (a name, a path) is set apart as that, and the ticks are gone. */
export function Sentence({ text }: { text: string }) {
  return saidParts(text).map(({ text: part, code }, index) => {
    const key = `${index} ${part}`;
    return code ? (
      <code key={key}>{part}</code>
    ) : (
      <Fragment key={key}>{part}</Fragment>
    );
  });
}
