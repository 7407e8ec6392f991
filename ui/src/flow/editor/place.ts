/** Where in a YAML file something is being written. */
export interface Place {
  /** From the root: a key by its name, an item of a list as `null`. */
  path: (string | null)[];
  /** What is written of the word so far, and where that begins. */
  word: string;
  from: number;
  /** Whether a key, a value, or either may stand here. */
  wants: "key" | "value" | "either";
  /** The keys that are in the same brackets already. */
  beside: string[];
}

const KEY = /^("[^"]*"|'[^']*'|[\w$.-]+)\s*:(?:\s+|$)/;

interface Step {
  indent: number;
  step: string | null;
}

interface Bracket {
  opens: "{" | "[";
  key: string | null;
  keys: string[];
}

const unquoted = (key: string) => key.replace(/^["']|["']$/g, "");

/**
 * Finds what is written at `at`; `null` where nothing can be completed, as in a comment or in a text of several lines.
 *
 * It goes by indentation and brackets alone, so it knows its place in a file that is half written.
 */
export function placeAt(text: string, at: number): Place | null {
  const blocks = new Blocks();
  const brackets = new Brackets();
  const lines = text.slice(0, at).split("\n");
  let offset = 0;
  for (const [number, line] of lines.entries()) {
    const last = number === lines.length - 1;
    if (brackets.open()) {
      brackets.read(line, 0);
      if (last) return brackets.place(blocks.path(), line, offset);
    } else {
      const value = blocks.read(line);
      if (value === null) {
        if (last) return null;
      } else {
        brackets.read(line, value.column);
        if (last && brackets.open())
          return brackets.place(blocks.path(), line, offset);
        if (last) return wordAt(blocks.path(), line, value, offset);
      }
    }
    offset += line.length + 1;
  }
  return null;
}

function wordAt(
  path: Place["path"],
  line: string,
  { column, keyed }: { column: number; keyed: boolean },
  offset: number,
): Place | null {
  const written = line.slice(column);
  if (/[}\]]|\s#/.test(written)) return null;
  const quote = /^["']/.test(written) ? 1 : 0;
  return {
    path,
    word: written.slice(quote),
    from: offset + column + quote,
    wants: keyed ? "value" : "either",
    beside: [],
  };
}

/** The keys and items that a line stands in, by their indentation. */
class Blocks {
  private steps: Step[] = [];
  /** The indentation of the key whose text of several lines is being read. */
  private literal = -1;

  path(): Place["path"] {
    return this.steps.map(({ step }) => step);
  }

  /** Reads a line; where its value begins, and whether a key is before it. `null`: it has none. */
  read(line: string): { column: number; keyed: boolean } | null {
    let column = line.search(/\S|$/);
    if (this.literal >= 0) {
      if (line.trim() === "" || column > this.literal) return null;
      this.literal = -1;
    }
    if (line[column] === "#") return null;
    for (;;) {
      const item = /^-(\s+|$)/.exec(line.slice(column));
      if (!item) break;
      this.leave((one) =>
        one.step === null ? one.indent >= column : one.indent > column,
      );
      this.steps.push({ indent: column, step: null });
      column += item[0].length;
    }
    this.leave((one) => one.indent >= column);
    const key = KEY.exec(line.slice(column));
    if (!key) return { column, keyed: false };
    this.steps.push({ indent: column, step: unquoted(key[1] ?? "") });
    const value = column + key[0].length;
    if (/^[|>][+\-\d]*\s*(?:#.*)?$/.test(line.slice(value))) {
      this.literal = column;
      return null;
    }
    return { column: value, keyed: true };
  }

  private leave(over: (step: Step) => boolean): void {
    for (;;) {
      const last = this.steps.at(-1);
      if (!last || !over(last)) return;
      this.steps.pop();
    }
  }
}

/** The brackets that are open, and what was written since the last mark among them. */
class Brackets {
  private stack: Bracket[] = [];
  private quote: string | null = null;
  private wordFrom = 0;

  open(): boolean {
    return this.stack.length > 0;
  }

  read(line: string, from: number): void {
    this.wordFrom = from;
    for (let at = from; at < line.length; at++) {
      const char = line[at] ?? "";
      const top = this.stack.at(-1);
      const begins = line.slice(this.wordFrom, at).trim() === "";
      if (this.quote !== null) {
        if (char === this.quote) this.quote = null;
        continue;
      }
      if (top && (char === '"' || char === "'") && begins) this.quote = char;
      else if ((char === "{" || char === "[") && (top || begins))
        this.stack.push({ opens: char, key: null, keys: [] });
      else if (!top) continue;
      else if (char === "}" || char === "]") this.stack.pop();
      else if (char === ",") top.key = null;
      else if (char === ":" && /\s|^$/.test(line[at + 1] ?? "")) {
        top.key = unquoted(line.slice(this.wordFrom, at).trim());
        top.keys.push(top.key);
      } else continue;
      if (this.quote === null) this.wordFrom = at + 1;
    }
  }

  place(path: Place["path"], line: string, offset: number): Place {
    const within = this.stack.flatMap(({ opens, key }) =>
      opens === "[" ? [null] : key === null ? [] : [key],
    );
    const top = this.stack.at(-1);
    const before = /^\s*["']?/.exec(line.slice(this.wordFrom))?.[0].length ?? 0;
    const from = this.wordFrom + before;
    return {
      path: [...path, ...within],
      word: line.slice(from),
      from: offset + from,
      wants: top?.opens === "[" ? "either" : top?.key == null ? "key" : "value",
      beside: top?.keys ?? [],
    };
  }
}
