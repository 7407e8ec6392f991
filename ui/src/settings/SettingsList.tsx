import { useSettings } from "../shared/settings-store";
import { FileMistakes } from "./FileMistakes";
import { ProfilesList, profilesFound } from "./ProfilesList";
import { SettingRow } from "./SettingRow";
import { groupsOf, useSheet } from "./sheet-store";

/** Every setting that is looked for, under its heading. */
export function SettingsList({ changedOnly }: { changedOnly: boolean }) {
  const state = useSheet();
  const settings = useSettings(({ settings }) => settings);
  const { sheet } = state;
  if (!sheet || !settings) return null;
  const groups = groupsOf(state, changedOnly);
  const profiles = profilesFound(settings.profiles, state.query, changedOnly);
  const known = new Set(sheet.settings.map(({ name }) => name));
  return (
    <>
      <FileMistakes
        file="settings"
        text={sheet.file}
        placed={(field) => known.has(field)}
      />
      {groups.map(([group, rows]) => (
        <section key={group} aria-label={group}>
          <h3 className="settings-group">{group}</h3>
          <ul>
            {rows.map((row) => (
              <SettingRow
                key={row.setting.name}
                row={row}
                settings={settings}
              />
            ))}
          </ul>
        </section>
      ))}
      {profiles && <ProfilesList found={profiles} lines={sheet.file.lines} />}
      {groups.length === 0 && !profiles && (
        <p className="empty">
          {changedOnly
            ? "Nothing of that was changed."
            : "No setting is about that."}
        </p>
      )}
    </>
  );
}
