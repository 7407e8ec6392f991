/** What is typed means a text by the words that occur in it, in any order; a letter here and there means nothing. */
export function occurs(text: string, typed: string): number {
  const lower = text.toLowerCase();
  const words = typed.toLowerCase().split(/\s+/);
  return words.every((word) => lower.includes(word)) ? 1 : 0;
}
