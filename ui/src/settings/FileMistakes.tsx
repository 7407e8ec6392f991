import type { SettingsFile, SettingsText } from "../bindings";
import { Button } from "../shared/Button";
import { Sentence } from "../shared/Sentence";
import { openText } from "./open-text";
import { backToDefault } from "./sheet-store";

/** What is wrong in a file and has no row of its own here: a name that there is not, or the file as a whole. */
export function FileMistakes({
  file,
  text,
  placed,
}: {
  file: SettingsFile;
  text: SettingsText;
  /** The fields whose mistakes are shown at themselves. */
  placed: (field: string) => boolean;
}) {
  const mistakes = text.mistakes.filter(({ field }) => !placed(field));
  if (text.broken === null && mistakes.length === 0) return null;
  return (
    <ul className="file-mistakes" data-testid="file-mistakes">
      {text.broken !== null && (
        <li role="alert">
          <span className="form-problem">
            <Sentence
              text={`The file can't be read, and nothing can be changed here until it can: ${text.broken}`}
            />
          </span>
          <Button onClick={() => openText(file)}>Open the text</Button>
        </li>
      )}
      {mistakes.map(({ field, line, what }) => (
        <li key={`${line} ${field}`}>
          <span className="form-problem">
            Line {line}: <Sentence text={what} />
          </span>
          <Button onClick={() => void backToDefault(file, field)}>
            Take it out
          </Button>
          <Button onClick={() => openText(file, line)}>Line {line}</Button>
        </li>
      ))}
    </ul>
  );
}
