import { useRef, useState } from "react";
import { backend } from "../backend/backend";
import { Button } from "../shared/Button";
import { notify } from "../shared/notices";
import { Sentence } from "../shared/Sentence";

/** Larger files are no theme. */
const LIMIT = 4 * 1024 * 1024;

/** Takes over the theme files of other terminals. */
export function ImportTheme() {
  const picker = useRef<HTMLInputElement>(null);
  const [problems, setProblems] = useState<string[]>([]);
  async function take(files: File[]) {
    const wrong: string[] = [];
    const taken: string[] = [];
    for (const file of files) {
      const text = file.size > LIMIT ? null : await file.text();
      if (text === null) {
        wrong.push(`\`${file.name}\` is too large for a theme`);
        continue;
      }
      const imported = await backend.importThemes(file.name, text);
      if (imported.status === "ok")
        taken.push(...imported.data.map(({ name }) => name));
      else wrong.push(imported.error.message);
    }
    setProblems(wrong);
    if (taken.length > 0)
      notify(
        "info",
        `${taken.map((name) => `“${name}”`).join(", ")} ${taken.length === 1 ? "is" : "are"} in the gallery now.`,
      );
  }
  return (
    <div className="theme-import">
      <Button
        data-testid="import-theme"
        onClick={() => picker.current?.click()}
      >
        Import a theme…
      </Button>
      <span className="faint">
        of iTerm2, Windows Terminal, base16 or Ghostty
      </span>
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        aria-label="Theme files"
        data-testid="theme-files"
        onChange={(event) => {
          const input = event.currentTarget;
          void take([...(input.files ?? [])]).finally(() => {
            // The same file, mended, is a change again.
            input.value = "";
          });
        }}
      />
      {problems.map((problem) => (
        <p key={problem} className="form-problem" role="alert">
          <Sentence text={problem} />
        </p>
      ))}
    </div>
  );
}
