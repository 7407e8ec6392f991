import { Button } from "../shared/Button";
import { useSettings } from "../shared/settings-store";
import { openText } from "./open-text";
import { useSheet } from "./sheet-store";

/** The profiles that the person wrote, each with the way to its text. */
export function ProfilesList({ changedOnly }: { changedOnly: boolean }) {
  const sheet = useSheet(({ sheet }) => sheet);
  const query = useSheet(({ query }) => query.trim().toLowerCase());
  const profiles = useSettings(({ settings }) => settings?.profiles) ?? {};
  const about = (name: string) => `profiles ${name}`.toLowerCase();
  const shown = Object.entries(profiles).filter(([name]) =>
    about(name).includes(query),
  );
  const isAsked = query === "" || "profiles".includes(query);
  if (!sheet || (shown.length === 0 && (changedOnly || !isAsked))) return null;
  const { lines } = sheet.file;
  return (
    <section aria-label="Profiles" data-testid="profiles">
      <h3 className="settings-group">Profiles</h3>
      <p className="settings-about">
        Panes of a kind: a program, a directory, an environment, a theme, an
        icon. They are offered by “New terminal of a profile…”, in the switcher,
        and by <code>switchyard open --profile</code>.
      </p>
      <ul className="profile-list">
        {shown.map(([name, profile]) => (
          <li key={name} data-testid={`profile-${name}`}>
            <span className="profile-name">
              {profile?.icon ? `${profile.icon} ${name}` : name}
            </span>
            <span className="profile-facts">
              {[
                [
                  profile?.program ?? "your shell",
                  ...(profile?.args ?? []),
                ].join(" "),
                profile?.cwd,
                profile?.theme,
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
            <Button
              onClick={() =>
                openText("settings", lines[`profiles.${name}`] ?? null)
              }
            >
              Edit its text
            </Button>
          </li>
        ))}
      </ul>
      <Button onClick={() => openText("settings", lines.profiles ?? null)}>
        Write a profile
      </Button>
    </section>
  );
}
