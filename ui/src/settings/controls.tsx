import { useEffect, useRef, useState } from "react";
import type { Setting, SettingTakes, SettingValue } from "../bindings";
import { IconButton } from "../shared/Button";
import { PlusIcon } from "../shared/icons";
import { MinusIcon } from "./icons";

export interface ControlProps {
  setting: Setting;
  value: SettingValue;
  /** The element that says what is wrong with it, if anything is. */
  problemId: string | undefined;
  /** Says whether it was taken. */
  onChange: (value: SettingValue) => Promise<boolean>;
}

/** The control that fits what a setting takes. */
export function SettingControl(props: ControlProps) {
  const { takes } = props.setting;
  switch (takes.kind) {
    case "switch":
      return <SwitchControl {...props} />;
    case "choice":
      return <ChoiceControl {...props} choices={takes.choices} />;
    case "number":
      return <NumberControl {...props} takes={takes} />;
    case "text":
      return <TextControl {...props} optional={takes.optional} />;
  }
}

function described({ setting, problemId }: ControlProps) {
  return {
    id: controlId(setting),
    "data-testid": `set-${setting.name}`,
    "aria-describedby": [`${controlId(setting)}-about`, problemId]
      .filter(Boolean)
      .join(" "),
    ...(problemId && { "aria-invalid": true }),
  };
}

export function controlId({ name }: Pick<Setting, "name">): string {
  return `setting-${name.replace(".", "-")}`;
}

function SwitchControl(props: ControlProps) {
  return (
    <input
      type="checkbox"
      {...described(props)}
      checked={props.value === true}
      onChange={(event) => void props.onChange(event.currentTarget.checked)}
    />
  );
}

type Choices = Extract<SettingTakes, { kind: "choice" }>["choices"];

function ChoiceControl({
  choices,
  ...props
}: ControlProps & { choices: Choices }) {
  const { setting, value, onChange } = props;
  return (
    <div
      className="setting-choices"
      role="radiogroup"
      aria-labelledby={`${controlId(setting)}-title`}
      {...described(props)}
    >
      {choices.map((choice) => (
        <label
          key={choice.value}
          className="setting-choice"
          title={choice.about}
        >
          <input
            type="radio"
            name={controlId(setting)}
            data-testid={`set-${setting.name}-${choice.value}`}
            checked={value === choice.value}
            onChange={() => void onChange(choice.value)}
          />
          <span>{choice.title}</span>
        </label>
      ))}
    </div>
  );
}

/** A text that is given when the person leaves the field or presses Enter; Escape takes back what was typed. */
function useTyped(value: string, give: (typed: string) => Promise<boolean>) {
  const [typed, setTyped] = useState(value);
  // What was given and is not in force yet: what was before must not come back meanwhile.
  const given = useRef(0);
  useEffect(() => {
    if (given.current === 0) setTyped(value);
  }, [value]);
  async function put(next: string) {
    setTyped(next);
    given.current++;
    const taken = await give(next);
    given.current--;
    return taken;
  }
  const end = () => {
    if (typed !== value) void put(typed);
  };
  return {
    typed,
    put,
    field: {
      value: typed,
      onChange: (event: { currentTarget: { value: string } }) =>
        setTyped(event.currentTarget.value),
      onBlur: end,
      onKeyDown: (event: { key: string; stopPropagation: () => void }) => {
        if (event.key === "Enter") end();
        if (event.key === "Escape") {
          event.stopPropagation();
          setTyped(value);
        }
      },
    },
  };
}

type NumberTakes = Extract<SettingTakes, { kind: "number" }>;

function NumberControl({
  takes,
  ...props
}: ControlProps & { takes: NumberTakes }) {
  const { setting, value, onChange } = props;
  const { min, max } = takes;
  const step = takes.step ?? 1;
  const inForce = typeof value === "number" ? value : Number(setting.default);
  const { typed, put, field } = useTyped(`${inForce}`, (typed) => {
    // What is no number is for the backend to refuse, in words.
    const number = typed.trim() === "" ? Number.NaN : Number(typed);
    return onChange(Number.isNaN(number) ? typed : number);
  });
  const now = Number.isFinite(Number(typed)) ? Number(typed) : inForce;
  const by = (sign: 1 | -1) => {
    const next = Math.round((now + sign * step) * 100) / 100;
    void put(`${Math.min(Math.max(next, min ?? next), max ?? next)}`);
  };
  return (
    <span className="stepper">
      <IconButton
        label={`Less: ${setting.title}`}
        disabled={now <= (min ?? 0)}
        onClick={() => by(-1)}
      >
        <MinusIcon />
      </IconButton>
      <input
        className="text-input"
        inputMode="decimal"
        {...described(props)}
        {...field}
      />
      <IconButton
        label={`More: ${setting.title}`}
        disabled={now >= (max ?? 0)}
        onClick={() => by(1)}
      >
        <PlusIcon />
      </IconButton>
      <span className="faint">
        {min} to {max?.toLocaleString("en")}
      </span>
    </span>
  );
}

function TextControl({
  optional,
  ...props
}: ControlProps & { optional: boolean }) {
  const { value, onChange } = props;
  const { field } = useTyped(typeof value === "string" ? value : "", (typed) =>
    onChange(optional && typed.trim() === "" ? null : typed),
  );
  return (
    <input
      className="text-input"
      spellCheck={false}
      placeholder={optional ? "not set" : ""}
      {...described(props)}
      {...field}
    />
  );
}
