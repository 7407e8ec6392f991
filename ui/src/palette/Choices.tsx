import { Command as Cmdk } from "cmdk";
import "./palette.css";
import { useState } from "react";
import type { Destination } from "../shared/destinations";
import { occurs } from "./occurs";

export interface ChoicesProps {
  label: string;
  placeholder: string;
  /** What is said when nothing is found. */
  empty: string;
  testId: string;
  choices: Destination[];
  /** Before what was chosen is done. */
  onChosen?: (chosen: Destination) => void;
  onClose: () => void;
}

/** So many are drawn: each costs the list some work, at every key that is typed. */
const DRAWN = 50;

/** A list over everything else, of which one is chosen by a few letters. */
export function Choices({
  label,
  placeholder,
  empty,
  testId,
  choices,
  onChosen,
  onClose,
}: ChoicesProps) {
  const [typed, setTyped] = useState("");
  const found = choices.filter(({ title, detail, kind }) =>
    occurs(`${title} ${detail} ${kind}`, typed.trim()),
  );
  return (
    <Cmdk.Dialog
      open
      onOpenChange={(wanted) => !wanted && onClose()}
      label={label}
      overlayClassName="overlay"
      contentClassName="palette"
      data-testid={testId}
      shouldFilter={false}
      loop
    >
      <Cmdk.Input
        className="palette-input"
        placeholder={placeholder}
        value={typed}
        onValueChange={setTyped}
        data-testid={`${testId}-input`}
      />
      <Cmdk.List className="palette-list">
        <Cmdk.Empty className="palette-empty">{empty}</Cmdk.Empty>
        {found.slice(0, DRAWN).map((choice) => (
          <Cmdk.Item
            key={choice.key}
            value={choice.key}
            className="palette-item"
            data-testid={`go-${choice.key}`}
            onSelect={() => {
              onClose();
              onChosen?.(choice);
              // After the list has given the focus back: it is to move on.
              setTimeout(choice.open);
            }}
          >
            <span>{choice.title}</span>
            <span className="palette-detail">{choice.detail}</span>
            <span className="palette-kind">{choice.kind}</span>
          </Cmdk.Item>
        ))}
        {found.length > DRAWN && (
          <p className="palette-more" data-testid={`${testId}-more`}>
            {found.length - DRAWN} more. Another word finds them.
          </p>
        )}
      </Cmdk.List>
    </Cmdk.Dialog>
  );
}
