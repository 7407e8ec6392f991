/** Sequences that move, colour or name: the twin's lines are plain text. */
export const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this removes
  /\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07/g;
