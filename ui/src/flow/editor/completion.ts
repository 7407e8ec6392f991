import type {
  Completion,
  CompletionContext,
  CompletionResult,
} from "@codemirror/autocomplete";
import flowSchema from "../../../../docs/flow.schema.json";
import { type Place, placeAt } from "./place";

/** The parts of a JSON Schema that say what can be written. */
interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  type?: string | string[];
  description?: string;
}

const root: Schema & { $defs: Record<string, Schema> } = flowSchema;

/** A schema without references: each of the forms that it allows. */
function formsOf(schema: Schema): Schema[] {
  const name = schema.$ref?.replace("#/$defs/", "");
  const meant = name === undefined ? undefined : root.$defs[name];
  const forms = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (meant) forms.push(meant);
  return forms.length > 0 ? forms.flatMap(formsOf) : [schema];
}

/** What the schema says of a place. */
function schemasAt(path: Place["path"]): Schema[] {
  let schemas = formsOf(root);
  for (const step of path)
    schemas = schemas.flatMap(({ items, properties, additionalProperties }) => {
      const next =
        step === null ? items : (properties?.[step] ?? additionalProperties);
      return typeof next === "object" ? formsOf(next) : [];
    });
  return schemas;
}

function keysAt(schemas: Schema[], present: ReadonlySet<string>): Completion[] {
  return schemas
    .flatMap(({ properties }) => Object.entries(properties ?? {}))
    .filter(([key]) => !present.has(key))
    .map(([key, { description }]) => ({
      label: key,
      type: "property",
      apply: `${key}: `,
      ...(description !== undefined && { info: description }),
    }));
}

function valuesAt(schemas: Schema[]): Completion[] {
  return schemas.flatMap((schema) => {
    const values = [...(schema.enum ?? [])];
    if (schema.const !== undefined) values.push(schema.const);
    if ([schema.type].flat().includes("boolean")) values.push(true, false);
    const { description } = schema;
    return values
      .filter((value) => value !== null)
      .map((value) => ({
        label: String(value),
        type: "enum",
        ...(description !== undefined && { info: description }),
      }));
  });
}

/** The names of the steps of a flow, in the order of its file. */
export function stepsOf(text: string): string[] {
  const ids = text.matchAll(/(?:^|[{,]|-)\s*id:\s*["']?(\w+)/gm);
  return [...new Set([...ids].map(([, id]) => id ?? ""))];
}

/** The names of the keys of a section at the top: of the batches, of the inputs. */
function namesIn(text: string, section: string): string[] {
  const lines = text.split("\n");
  const begin = lines.findIndex((line) => line.startsWith(`${section}:`));
  if (begin < 0) return [];
  const length = lines.slice(begin + 1).findIndex((line) => /^\S/.test(line));
  const own = lines.slice(
    begin + 1,
    length < 0 ? undefined : begin + 1 + length,
  );
  const indent = own.find((line) => line.trim() !== "")?.search(/\S/) ?? 0;
  const inLine = /^\w+:\s*\{\s*(\w+):/.exec(lines[begin] ?? "")?.[1];
  return [
    ...(inLine === undefined ? [] : [inLine]),
    ...own.flatMap((line) => {
      const name = /^(\s*)["']?(\w+)["']?:/.exec(line);
      return name?.[1]?.length === indent ? [name[2] ?? ""] : [];
    }),
  ];
}

const named = (label: string, detail: string): Completion => ({
  label,
  type: "variable",
  detail,
});

/** What is written in the flow itself and can be named at a place: steps where one is needed, batches. */
function namesAt({ path, from }: Place, text: string): Completion[] {
  const keys = path.filter((step) => step !== null);
  const key = keys.at(-1);
  if (keys[0] !== "steps" || keys.length < 2) return [];
  const batches = namesIn(text, "batches");
  const steps = stepsOf(text).map((step) => named(step, "step"));
  switch (key) {
    case "needs": {
      const quoted = /["']/.test(text[from - 1] ?? "");
      const wholes = batches.map((batch) => ({
        ...named(`batch:${batch}`, "all of it"),
        apply: quoted ? `batch:${batch}` : `"batch:${batch}"`,
      }));
      return [...steps, ...wholes];
    }
    case "steps":
    case "default":
    case "goto":
      return steps;
    case "batch":
      return batches.map((batch) => named(batch, "batch"));
    default:
      return [];
  }
}

/** The keys that stand beside the one that is being written, in lines of their own. */
function besides(text: string, from: number): Set<string> {
  const before = text.slice(0, from).split("\n");
  const after = text.slice(from).split("\n").slice(1);
  const written = before.pop() ?? "";
  const indent = written.replace("- ", "  ").length;
  const found = new Set<string>();
  const look = (line: string, up: boolean): boolean => {
    const key = /^(\s*(?:- )?)["']?([\w$]+)["']?:/.exec(line);
    const own = key?.[1]?.length;
    if (key && own === indent) found.add(key[2] ?? "");
    const begins = line.trimStart().startsWith("- ") && own === indent;
    const outside = line.trim() !== "" && line.search(/\S/) < indent - 2;
    return !outside && !(up && begins) && !(!up && begins);
  };
  if (!written.includes("- "))
    for (const line of before.reverse()) if (!look(line, true)) break;
  for (const line of after) {
    if (line.trimStart().startsWith("- ")) break;
    if (!look(line, false)) break;
  }
  return found;
}

/** A step or an input that a template or a condition names. */
function inTemplate(text: string, at: number): CompletionResult | null {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  const found = /\b(results|last|inputs)\.(?:(\w+)\.)?(\w*)$/.exec(line);
  if (!found) return null;
  const [, of, step, word = ""] = found;
  const options =
    of === "inputs"
      ? step === undefined
        ? namesIn(text, "inputs").map((name) => named(name, "input"))
        : []
      : step === undefined
        ? stepsOf(text).map((name) => named(name, "step"))
        : ["output", "data", "state"].map((name) => named(name, `of ${step}`));
  return { from: at - word.length, options };
}

/** What can be written at a place of a flow's file. */
export function completionsAt(
  text: string,
  at: number,
): CompletionResult | null {
  const template = inTemplate(text, at);
  if (template) return template;
  const place = placeAt(text, at);
  if (!place) return null;
  const schemas = schemasAt(place.path);
  const names = namesAt(place, text);
  const options = [
    ...(place.wants === "value"
      ? []
      : keysAt(
          schemas,
          new Set(
            place.beside.length > 0 ? place.beside : besides(text, place.from),
          ),
        )),
    ...(place.wants === "key" ? [] : [...names, ...valuesAt(schemas)]),
  ];
  return { from: place.from, options };
}

/** Offers what can be written, when a word is being written or when it is asked for. */
export function flowCompletion(
  context: CompletionContext,
): CompletionResult | null {
  const result = completionsAt(context.state.doc.toString(), context.pos);
  if (!result || (!context.explicit && result.from === context.pos))
    return null;
  return { ...result, validFor: /^[\w:]*$/ };
}
