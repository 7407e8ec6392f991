import { useId } from "react";
import type { InputInfo, Value } from "../bindings";
import { fieldValue } from "./actions";

/** What was typed into fields, as text. */
export type Typed = Record<string, string>;

/** What the fields begin with: the last values, else the defaults. */
export function typedFrom(
  fields: InputInfo[],
  last: Record<string, Value | undefined> = {},
): Typed {
  const typed: Typed = {};
  for (const field of fields) {
    const value = last[field.name] ?? field.default;
    const known = field.type !== "enum" || field.values.includes(String(value));
    typed[field.name] =
      value === null || value === undefined || !known ? "" : String(value);
  }
  return typed;
}

/** What the fields mean; what was left empty is not in it. */
export function valuesOf(
  fields: InputInfo[],
  typed: Typed,
): Record<string, Value> {
  const values: Record<string, Value> = {};
  for (const field of fields) {
    const value = fieldValue(field.type, typed[field.name] ?? "");
    if (value !== undefined) values[field.name] = value;
  }
  return values;
}

/** Fields of a form by their types, each with what it is for. */
export function Fields({
  fields,
  typed,
  onTyped,
}: {
  fields: InputInfo[];
  typed: Typed;
  onTyped: (typed: Typed) => void;
}) {
  return fields.map((field) => (
    <Field
      key={field.name}
      field={field}
      text={typed[field.name] ?? ""}
      onText={(text) => onTyped({ ...typed, [field.name]: text })}
    />
  ));
}

function Field({
  field,
  text,
  onText,
}: {
  field: InputInfo;
  text: string;
  onText: (text: string) => void;
}) {
  const id = useId();
  const help = field.description === null ? undefined : `${id}-help`;
  const common = {
    id,
    "aria-describedby": help,
    "data-testid": `field-${field.name}`,
  };
  return (
    <div className="field">
      <label htmlFor={id}>
        {field.name}
        {field.required && <span className="field-required">required</span>}
      </label>
      {field.description !== null && (
        <p className="field-help" id={help}>
          {field.description}
        </p>
      )}
      {field.type === "enum" ? (
        <select
          {...common}
          className="text-input"
          value={text}
          required={field.required}
          onChange={(event) => onText(event.target.value)}
        >
          {(!field.required || text === "") && <option value="">–</option>}
          {field.values.map((value) => (
            <option key={value} value={value}>
              {value}
            </option>
          ))}
        </select>
      ) : field.type === "boolean" ? (
        <input
          {...common}
          type="checkbox"
          checked={text === "true"}
          onChange={(event) => onText(String(event.target.checked))}
        />
      ) : field.type === "text" && (text.length > 60 || text.includes("\n")) ? (
        <textarea
          {...common}
          className="text-input"
          rows={4}
          value={text}
          required={field.required}
          onChange={(event) => onText(event.target.value)}
        />
      ) : (
        <input
          {...common}
          className="text-input"
          type={
            field.type === "number" || field.type === "integer"
              ? "number"
              : "text"
          }
          step={field.type === "integer" ? 1 : "any"}
          placeholder={
            field.type === "secret"
              ? "The name of an environment variable"
              : undefined
          }
          value={text}
          required={field.required}
          onChange={(event) => onText(event.target.value)}
        />
      )}
    </div>
  );
}
