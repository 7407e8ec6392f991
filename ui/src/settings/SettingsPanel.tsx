import "./settings.css";
import { useEffect, useRef, useState } from "react";
import { Button } from "../shared/Button";
import { Sentence } from "../shared/Sentence";
import { KeysList } from "./KeysList";
import { openText } from "./open-text";
import { SettingsList } from "./SettingsList";
import { followSheet, type Page, useSheet } from "./sheet-store";
import { ThemesPage } from "./ThemesPage";

const PAGES: [Page, string][] = [
  ["settings", "Settings"],
  ["keys", "Keys"],
  ["themes", "Themes"],
];

/** Everything that a person may set, over the two text files that hold it. */
export function SettingsPanel({
  active,
}: {
  /** Whether the person turned to it last: then the keys are in its search. */
  active: boolean;
}) {
  const { page, query, problem } = useSheet();
  const [changedOnly, setChangedOnly] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  useEffect(followSheet, []);
  useEffect(() => {
    const panel = search.current?.closest(".settings");
    if (active && !panel?.contains(document.activeElement))
      search.current?.focus();
  }, [active]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page begins at its top
  useEffect(() => scroller.current?.scrollTo?.({ top: 0 }), [page]);
  return (
    <section className="settings" aria-label="Settings" data-testid="settings">
      <header className="settings-head">
        <nav className="settings-pages" aria-label="Pages of the settings">
          {PAGES.map(([name, title]) => (
            <button
              key={name}
              type="button"
              aria-current={page === name ? "page" : undefined}
              data-testid={`page-${name}`}
              onClick={() => useSheet.setState({ page: name, query: "" })}
            >
              {title}
            </button>
          ))}
        </nav>
        <input
          ref={search}
          className="text-input settings-search"
          data-entry
          type="search"
          aria-label="Search"
          data-testid="settings-search"
          placeholder={page === "keys" ? "Command, id or key" : "Search"}
          value={query}
          spellCheck={false}
          onChange={(event) =>
            useSheet.setState({ query: event.currentTarget.value })
          }
        />
        {page !== "themes" && (
          <>
            <label className="settings-changed">
              <input
                type="checkbox"
                checked={changedOnly}
                data-testid="changed-only"
                onChange={(event) =>
                  setChangedOnly(event.currentTarget.checked)
                }
              />
              What I changed
            </label>
            <Button
              data-testid="open-text"
              onClick={() => openText(page === "keys" ? "keys" : "settings")}
            >
              Open the text
            </Button>
          </>
        )}
      </header>
      <div className="settings-body" ref={scroller}>
        {problem !== null && (
          <p className="form-problem" role="alert">
            <Sentence text={problem} />
          </p>
        )}
        {page === "settings" && <SettingsList changedOnly={changedOnly} />}
        {page === "keys" && <KeysList changedOnly={changedOnly} />}
        {page === "themes" && <ThemesPage />}
      </div>
    </section>
  );
}
