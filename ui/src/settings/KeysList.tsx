import { useEffect, useRef, useState } from "react";
import { Button } from "../shared/Button";
import { useCommands } from "../shared/commands";
import { Sentence } from "../shared/Sentence";
import { FileMistakes } from "./FileMistakes";
import { KeyRecorder } from "./KeyRecorder";
import { type KeyRow, keyGroups } from "./key-rows";
import { openText } from "./open-text";
import { backToDefault, change, useSheet } from "./sheet-store";

/** Every command with its key, to be given another one. */
export function KeysList({ changedOnly }: { changedOnly: boolean }) {
  const { sheet, query } = useSheet();
  const { commands, keys } = useCommands();
  const [recording, setRecording] = useState<string | null>(null);
  if (!sheet) return null;
  const groups = keyGroups(commands, keys, query, changedOnly);
  const known = new Set(commands.map(({ id }) => id));
  // A file's field that no command is called is a mistake for who knows the commands: us.
  const unknown = Object.entries(sheet.keys.lines)
    .filter(([id]) => id !== "$schema" && !known.has(id))
    .filter(([id]) => !sheet.keys.mistakes.some(({ field }) => field === id))
    .map(([field, line]) => ({
      field,
      line: line ?? 0,
      what: `no command is called \`${field}\``,
    }));
  const text = {
    ...sheet.keys,
    mistakes: [...sheet.keys.mistakes, ...unknown],
  };
  return (
    <>
      <FileMistakes file="keys" text={text} placed={(id) => known.has(id)} />
      {groups.map(([group, rows]) => (
        <section key={group} aria-label={group}>
          <h3 className="settings-group">{group}</h3>
          <ul>
            {rows.map((row) => (
              <KeyLine
                key={row.command.id}
                row={row}
                recording={recording === row.command.id}
                onRecord={(on) => setRecording(on ? row.command.id : null)}
              />
            ))}
          </ul>
        </section>
      ))}
      {groups.length === 0 && (
        <p className="empty">
          {changedOnly
            ? "No key of that was changed."
            : "No command is called that, and none has that key."}
        </p>
      )}
    </>
  );
}

function KeyLine({
  row: { command, key, own, shared },
  recording,
  onRecord,
}: {
  row: KeyRow;
  recording: boolean;
  onRecord: (on: boolean) => void;
}) {
  const { id, title } = command;
  const { sheet, refused } = useSheet();
  const line = sheet?.keys.lines[id] ?? null;
  const wrong = sheet?.keys.mistakes.find(({ field }) => field === id);
  const mistake = refused[id] ?? wrong?.what ?? null;
  const recorder = useRef<HTMLButtonElement>(null);
  const recorded = useRef(recording);
  useEffect(() => {
    // What had the keys is gone.
    if (recorded.current && !recording) recorder.current?.focus();
    recorded.current = recording;
  }, [recording]);
  const afterwards = () => recorder.current?.focus();
  return (
    <li className="key-line" data-changed={own} data-testid={`key-${id}`}>
      <span className="key-title">
        {title} <code className="setting-name">{id}</code>
      </span>
      {recording ? (
        <KeyRecorder command={command} onDone={() => onRecord(false)} />
      ) : (
        <span className="setting-acts">
          {shared.length > 0 && (
            <span className="form-problem">
              also {shared.map((other) => `“${other.title}”`).join(", ")}
            </span>
          )}
          <kbd>{key}</kbd>
          {key === "" && <span className="faint">no key</span>}
          <Button
            ref={recorder}
            data-testid={`record-${id}`}
            aria-label={`Another key: ${title}`}
            onClick={() => onRecord(true)}
          >
            {key === "" ? "Give it a key" : "Another key"}
          </Button>
          {key !== "" && (
            <Button
              data-testid={`unkey-${id}`}
              aria-label={`No key: ${title}`}
              onClick={() => void change("keys", id, null).then(afterwards)}
            >
              None
            </Button>
          )}
          {own && (
            <Button
              data-testid={`default-${id}`}
              aria-label={`Back to default: ${title}`}
              onClick={() => void backToDefault("keys", id).then(afterwards)}
            >
              Back to default
            </Button>
          )}
          {line !== null && (
            <Button onClick={() => openText("keys", line)}>Line {line}</Button>
          )}
        </span>
      )}
      {mistake !== null && (
        <p className="form-problem" role="alert">
          <Sentence text={mistake} />
        </p>
      )}
    </li>
  );
}
