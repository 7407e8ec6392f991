import { useEffect, useState } from "react";
import { Button } from "../shared/Button";
import { type Command, takeKeys, useCommands } from "../shared/commands";
import { type Chord, chordOfPress, formatKey, writeKey } from "../shared/keys";
import { holdersOf, warningOf } from "./key-rows";
import { change } from "./sheet-store";

export interface KeyRecorderProps {
  command: Command;
  onDone: () => void;
}

/** Waits for the next key, says what stands against it, and gives it to a command. Escape alone gives up. */
export function KeyRecorder({ command, onDone }: KeyRecorderProps) {
  const [chord, setChord] = useState<Chord | null>(null);
  useEffect(() => {
    if (chord) return;
    return takeKeys((press) => {
      const pressed = chordOfPress(press);
      if (!pressed) return;
      const { ctrl, shift, alt, meta, key } = pressed;
      if (key === "escape" && !ctrl && !shift && !alt && !meta) onDone();
      else setChord(pressed);
    });
  }, [chord, onDone]);
  if (chord)
    return (
      <Pressed {...{ command, chord, onDone }} onAgain={() => setChord(null)} />
    );
  return (
    <span className="key-recorder" data-testid="key-recorder" role="status">
      Press the key for it; Esc leaves it as it is.
    </span>
  );
}

/** What was pressed, and whether it is to be. */
function Pressed({
  command,
  chord,
  onDone,
  onAgain,
}: KeyRecorderProps & { chord: Chord; onAgain: () => void }) {
  const { commands, keys } = useCommands();
  const holders = holdersOf(chord, commands, keys, command.id);
  const warning = warningOf(chord);
  async function give() {
    for (const holder of holders) await change("keys", holder.id, null);
    if (await change("keys", command.id, writeKey(chord))) onDone();
  }
  return (
    <span className="key-recorder">
      <kbd data-testid="key-pressed">{formatKey(chord)}</kbd>
      {warning && <span className="form-problem">{warning.text}</span>}
      {holders.length > 0 && (
        <span className="form-problem" data-testid="key-conflict">
          It is the key of {holders.map(({ title }) => `“${title}”`).join(", ")}
          .
        </span>
      )}
      {!warning?.refused && (
        <Button
          look="primary"
          autoFocus
          data-testid="key-give"
          onClick={() => void give()}
        >
          {holders.length > 0 ? "Take it from there" : "Use it"}
        </Button>
      )}
      <Button onClick={onAgain}>Another</Button>
      <Button onClick={onDone}>Cancel</Button>
    </span>
  );
}
