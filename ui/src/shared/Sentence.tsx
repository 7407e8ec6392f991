/** A sentence of ours: what stands in back-ticks in it (a name, a path) is set apart as that, and the ticks are gone. */
export function Sentence({ text }: { text: string }) {
  return text.split("`").map((part, index, parts) => {
    const closed = index < parts.length - 1;
    if (index % 2 === 0) return part;
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text are where they are
    return closed ? <code key={index}>{part}</code> : `\`${part}`;
  });
}
