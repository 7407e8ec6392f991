import { backend } from "../backend/backend";
import type { ThemeColours } from "../bindings";
import { IconButton } from "../shared/Button";
import { CloseIcon } from "../shared/icons";
import { reportFailure } from "../shared/notices";
import { useSettings, useTheme } from "../shared/settings-store";
import { isDarkTheme, themesOf } from "../shared/themes";
import { ImportTheme } from "./ImportTheme";
import { change, finds, useSheet } from "./sheet-store";
import { TerminalSample } from "./TerminalSample";

/** Every theme with a piece of terminal in it; a click wears it. */
export function ThemesPage() {
  const settings = useSettings((state) => state.settings);
  const systemDark = useSettings((state) => state.systemDark);
  const query = useSheet((state) => state.query);
  if (!settings) return null;
  const found = themesOf(settings).filter(({ name }) => finds(query, name));
  const bySystem = settings.theme === "system";
  return (
    <>
      <ImportTheme />
      {[true, false].map((dark) => {
        const fitting = found.filter((theme) => isDarkTheme(theme) === dark);
        const waits = bySystem && systemDark !== dark;
        const title = dark ? "Dark" : "Light";
        return (
          <section key={title} aria-label={title}>
            <h3 className="settings-group">{title}</h3>
            {waits && (
              <p className="setting-about">
                Seen when the system is {dark ? "dark" : "light"}.
              </p>
            )}
            <ul className="themes">
              {fitting.map((theme) => (
                <ThemeCard
                  key={theme.name}
                  theme={theme}
                  chosen={
                    theme.name ===
                    (dark ? settings.dark_theme : settings.light_theme)
                  }
                  own={settings.themes.includes(theme)}
                />
              ))}
            </ul>
            {fitting.length === 0 && <p className="empty">None.</p>}
          </section>
        );
      })}
    </>
  );
}

/** Wears a theme, now or, where the system decides, when it is as dark or light. */
async function wear(theme: ThemeColours): Promise<void> {
  const dark = isDarkTheme(theme);
  const scheme = dark ? "dark" : "light";
  const { settings } = useSettings.getState();
  const chosen = await change("settings", `${scheme}_theme`, theme.name);
  if (chosen && settings?.theme !== "system" && settings?.theme !== scheme)
    await change("settings", "theme", scheme);
}

function ThemeCard({
  theme,
  chosen,
  own,
}: {
  theme: ThemeColours;
  chosen: boolean;
  own: boolean;
}) {
  const worn = useTheme() === theme;
  const { name } = theme;
  return (
    <li className="theme-card" data-worn={worn}>
      <button
        type="button"
        className="theme-wear"
        aria-pressed={chosen}
        aria-label={name}
        data-testid={`theme-${name}`}
        onClick={() => void wear(theme)}
      >
        <TerminalSample theme={theme} />
        <span className="theme-name">
          {name}
          {chosen && (
            <span className="theme-state">{worn ? "in use" : "chosen"}</span>
          )}
        </span>
      </button>
      {own && (
        <IconButton
          label={`Remove ${name}`}
          onClick={() =>
            void backend.removeTheme(name).then((done) => reportFailure(done))
          }
        >
          <CloseIcon />
        </IconButton>
      )}
    </li>
  );
}
