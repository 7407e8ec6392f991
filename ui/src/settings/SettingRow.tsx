import { Button } from "../shared/Button";
import { Sentence } from "../shared/Sentence";
import type { AppliedSettings } from "../shared/settings-store";
import { type ControlProps, controlId, SettingControl } from "./controls";
import { FontControl } from "./FontControl";
import { openText } from "./open-text";
import { backToDefault, change, type Row, settingOf } from "./sheet-store";
import { ThemeControl } from "./ThemeControl";

/** Settings with more to choose from than their kind says. */
const OWN: Record<string, typeof SettingControl> = {
  font_family: FontControl,
  dark_theme: ThemeControl,
  light_theme: ThemeControl,
};

/** One setting: what it means, its control, whether it was changed, and what is wrong with it. */
export function SettingRow({
  row: { setting, line, mistake },
  settings,
}: {
  row: Row;
  settings: AppliedSettings;
}) {
  const { name, title, about } = setting;
  const id = controlId(setting);
  const Control = OWN[name] ?? SettingControl;
  const problemId = mistake === null ? undefined : `${id}-problem`;
  const props: ControlProps = {
    setting,
    value: settingOf(settings, setting),
    problemId,
    onChange: (value) => change("settings", name, value),
  };
  return (
    <li
      className="setting"
      data-changed={line !== null}
      data-testid={`setting-${name}`}
    >
      <div className="setting-head">
        <label className="setting-title" id={`${id}-title`} htmlFor={id}>
          {title}
        </label>
        <code className="setting-name">{name}</code>
        {line !== null && (
          <span className="setting-acts">
            <Button
              data-testid={`default-${name}`}
              onClick={() =>
                // The button goes, and the keys with it.
                void backToDefault("settings", name).then(() =>
                  document.getElementById(id)?.focus(),
                )
              }
            >
              Back to default
            </Button>
            <Button
              data-testid={`text-${name}`}
              onClick={() => openText("settings", line)}
            >
              Line {line}
            </Button>
          </span>
        )}
      </div>
      <p className="setting-about" id={`${id}-about`}>
        <Sentence text={about} />
      </p>
      <Control {...props} />
      {mistake !== null && (
        <p className="form-problem" id={problemId} role="alert">
          <Sentence text={mistake} />
        </p>
      )}
    </li>
  );
}
