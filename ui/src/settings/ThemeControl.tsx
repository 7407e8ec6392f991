import { Button } from "../shared/Button";
import { useSettings } from "../shared/settings-store";
import { isDarkTheme, themesOf } from "../shared/themes";
import { type ControlProps, controlId } from "./controls";
import { useSheet } from "./sheet-store";

/** The themes that there are for the dark, or for the light, by name; the gallery shows them. */
export function ThemeControl({ setting, value, onChange }: ControlProps) {
  const settings = useSettings((state) => state.settings);
  const dark = setting.name === "dark_theme";
  const fitting = themesOf(settings)
    .filter((theme) => isDarkTheme(theme) === dark)
    .map(({ name }) => name);
  const name = typeof value === "string" ? value : "";
  const known = fitting.includes(name);
  return (
    <div className="font-line">
      <select
        className="text-input"
        id={controlId(setting)}
        data-testid={`set-${setting.name}`}
        aria-describedby={`${controlId(setting)}-about`}
        value={name}
        onChange={(event) => void onChange(event.currentTarget.value)}
      >
        {!known && <option value={name}>{name}</option>}
        {fitting.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
      <Button onClick={() => useSheet.setState({ page: "themes", query: "" })}>
        Gallery
      </Button>
    </div>
  );
}
