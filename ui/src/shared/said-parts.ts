/** A part of a sentence; code: a name, or something else that is meant letter by letter. */
export interface SaidPart {
  text: string;
  code: boolean;
}

/** The parts of a sentence as the backend writes them, with names between back-ticks. */
export function saidParts(sentence: string): SaidPart[] {
  const parts = sentence.split("`");
  // One that has no other is a back-tick.
  if (parts.length % 2 === 0) {
    const last = parts.pop();
    parts.push(`${parts.pop() ?? ""}\`${last ?? ""}`);
  }
  return parts
    .map((text, index) => ({ text, code: index % 2 === 1 }))
    .filter(({ text }) => text !== "");
}

/** Such a sentence where nothing but letters can be drawn: names are quoted. */
export function saidInLetters(sentence: string): string {
  return saidParts(sentence)
    .map(({ text, code }) => (code ? `“${text}”` : text))
    .join("");
}
