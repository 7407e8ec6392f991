import type { Profile, SettingsText } from "../bindings";
import { Button } from "../shared/Button";
import { openText } from "./open-text";
import { finds } from "./sheet-store";

/** The profiles that a search finds; `null` when it asks for nothing of them. Pure. */
export function profilesFound(
  profiles: Record<string, Profile | undefined>,
  query: string,
  changedOnly: boolean,
): [string, Profile | undefined][] | null {
  const found = Object.entries(profiles).filter(([name]) =>
    finds(query, `profiles ${name}`),
  );
  const isAsked = !changedOnly && finds(query, "profiles");
  return found.length > 0 || isAsked ? found : null;
}

/** The profiles that the person wrote, each with the way to its text. */
export function ProfilesList({
  found,
  lines,
}: {
  found: [string, Profile | undefined][];
  /** Where the text of the settings says what. */
  lines: SettingsText["lines"];
}) {
  return (
    <section aria-label="Profiles" data-testid="profiles">
      <h3 className="settings-group">Profiles</h3>
      <p className="settings-about">
        Panes of a kind: a program, a directory, an environment, a theme, an
        icon. They are offered beside the button for a new terminal, by “New
        terminal of a profile…”, in the switcher, and by{" "}
        <code>switchyard open --profile</code>.
      </p>
      <ul className="profile-list">
        {found.map(([name, profile]) => (
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
