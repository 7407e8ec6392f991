//! The settings with what a person needs in order to change them one by one, and the changing: what a page of settings
//! is drawn from. What a setting takes is read from the schema, so that nothing is said twice.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use specta::Type;

use super::{Settings, edit, text_of, value_of};
use crate::fields::{self, Fields};
use crate::{App, Code, Error, whole_file};

/// Every setting, and how the two files stand.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
pub struct SettingsSheet {
    /// In the order in which they are to be shown.
    pub settings: Vec<Setting>,
    /// How `settings.json` stands.
    pub file: SettingsText,
    /// How `keys.json` stands.
    pub keys: SettingsText,
}

/// One setting, whatever it is set to.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
pub struct Setting {
    /// As in the file; one that is inside another has both names: `history.keep_days`.
    pub name: String,
    /// What it is called on a page.
    pub title: String,
    /// The heading that it belongs under.
    pub group: String,
    /// What it means.
    pub about: String,
    /// What it can be.
    pub takes: SettingTakes,
    /// What it is as long as nobody sets it.
    pub default: SettingValue,
}

/// What a setting can be.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SettingTakes {
    /// On or off.
    Switch,
    /// One of a few words.
    Choice {
        /// All that there are.
        choices: Vec<SettingWord>,
    },
    /// A number.
    Number {
        /// Whether it has no fraction.
        whole: bool,
        /// The least.
        min: f64,
        /// The most.
        max: f64,
        /// What one press changes: what a person would see, or care about.
        step: f64,
    },
    /// A text.
    Text {
        /// Whether it may be nothing at all.
        optional: bool,
    },
}

/// One word that a setting can be.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
pub struct SettingWord {
    /// As in the file.
    pub value: String,
    /// What it is called on a page.
    pub title: String,
    /// What it means.
    pub about: String,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(untagged)]
pub enum SettingValue {
    /// On or off.
    Switch(bool),
    /// A number.
    Number(f64),
    /// A text, or a word.
    Text(String),
    /// Nothing.
    Nothing,
}

/// How a file of settings stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Type)]
pub struct SettingsText {
    /// Where it is.
    pub path: String,
    /// Why nothing in it can be told apart; none: it can.
    pub broken: Option<String>,
    /// What is wrong in it.
    pub mistakes: Vec<SettingMistake>,
    /// The fields that it sets, each with its line.
    pub lines: BTreeMap<String, u32>,
}

/// What is wrong with one field of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
pub struct SettingMistake {
    /// Its name, which may be one that there is not.
    pub field: String,
    /// The line on which it stands.
    pub line: u32,
    /// What is wrong, for a person.
    pub what: String,
}

/// The files that hold what a person may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SettingsFile {
    /// `settings.json`
    Settings,
    /// `keys.json`: a field per command.
    Keys,
}

/// What a setting is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum SettingChange {
    /// What it is as long as nobody sets it: it leaves the file.
    Default,
    /// This.
    Value {
        /// As in the file.
        value: SettingValue,
    },
}

impl App {
    /// Every setting, with what it takes, and what stands in the files right now.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when a file can't be read.
    pub fn settings_sheet(&self) -> Result<SettingsSheet, Error> {
        let (settings, keys) = (self.paths().settings_file(), self.paths().keys_file());
        Ok(SettingsSheet {
            settings: all(&schema()),
            file: look(&settings, &schema())?,
            keys: look(&keys, &keys_schema())?,
        })
    }

    /// Sets one field of a file, or takes it out; the rest of the text stays as it is. It is in force on return.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when there is no such setting or it can't be that, [`Code::BadFile`] when the file can't be
    /// read or written, or can't be told into fields.
    pub fn change_setting(
        &self,
        file: SettingsFile,
        name: &str,
        change: SettingChange,
    ) -> Result<(), Error> {
        let (path, schema, way) = match file {
            SettingsFile::Settings => (
                self.paths().settings_file(),
                schema(),
                name.split('.').collect(),
            ),
            // The dots in a command's id lead nowhere.
            SettingsFile::Keys => (self.paths().keys_file(), keys_schema(), vec![name]),
        };
        let value = match change {
            SettingChange::Default => None,
            SettingChange::Value { value } => Some(json(value)),
        };
        if let Some(value) = &value {
            let kind = kind_at(&schema, &way)
                .filter(|kind| kind["properties"].is_null())
                .ok_or_else(|| {
                    let message = format!("`name` is `{name}`, but there is no such setting");
                    Error::new(Code::BadParams, message)
                })?;
            if let Some(refusal) = fields::refusal(name, kind, value) {
                return Err(Error::new(Code::BadParams, refusal));
            }
        }
        {
            let _one_at_a_time = self.0.settings_edit.lock();
            let text = text_of(&path)?.unwrap_or_default();
            let changed = match &value {
                Some(value) => edit::with(&text, &way, value),
                None => edit::without(&text, &way),
            };
            let changed = changed.map_err(|error| super::bad_file(&path, error))?;
            if changed != text {
                whole_file::write(&path, &changed).map_err(|error| {
                    let message = format!("could not write `{}`: {error}", path.display());
                    Error::new(Code::BadFile, message)
                })?;
            }
        }
        self.reload_settings();
        Ok(())
    }
}

fn schema() -> Value {
    value_of(&schemars::schema_for!(Settings))
}

/// What `keys.json` holds: a key, or none, per command; which commands there are, the window knows.
pub(super) fn keys_schema() -> Value {
    serde_json::json!({
        "properties": { "$schema": { "type": "string" } },
        "additionalProperties": { "type": ["string", "null"] },
    })
}

fn look(file: &Path, schema: &Value) -> Result<SettingsText, Error> {
    let text = text_of(file)?.unwrap_or_default();
    let mut state = SettingsText {
        path: file.display().to_string(),
        ..SettingsText::default()
    };
    let line = |line: usize| u32::try_from(line).unwrap_or(u32::MAX);
    match fields::read(&text, schema, &Value::Null) {
        Err(broken) => state.broken = Some(broken),
        Ok(Fields {
            mistakes, lines, ..
        }) => {
            let mistake = |fields::Mistake {
                               line: at,
                               field,
                               what,
                           }| SettingMistake {
                line: line(at),
                field,
                what,
            };
            state.mistakes = mistakes.into_iter().map(mistake).collect();
            state.lines = lines
                .into_iter()
                .map(|(name, at)| (name, line(at)))
                .collect();
        }
    }
    Ok(state)
}

/// Every setting, in the order in which they are declared.
fn all(schema: &Value) -> Vec<Setting> {
    // A schema's own order hangs on how serde_json was built; that of a text is the one of the declaration.
    let text = serde_json::to_string_pretty(&Settings::default()).expect("settings are plain JSON");
    let declared = fields::read(&text, schema, &Value::Null).unwrap_or_default();
    let mut names: Vec<(usize, String)> = declared
        .lines
        .into_iter()
        .map(|(name, line)| (line, name))
        .collect();
    names.sort();
    let defaults = value_of(&Settings::default());
    let setting = |(_, name): (usize, String)| {
        let way: Vec<&str> = name.split('.').collect();
        let property = property_at(schema, &way)?;
        let takes = takes(kind_at(schema, &way)?)?;
        let outer = property_at(schema, &way[..1])?;
        let default = way
            .iter()
            .try_fold(&defaults, |value, step| value.get(step));
        Some(Setting {
            group: outer["group"].as_str()?.to_owned(),
            title: title(property, way.last()?),
            about: about(property, kind_at(schema, &way)?),
            takes,
            default: serde_json::from_value(default?.clone()).ok()?,
            name,
        })
    };
    names.into_iter().filter_map(setting).collect()
}

/// What a property is called: as it says, else its name as words.
fn title(property: &Value, name: &str) -> String {
    let words = || {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first
            .into_iter()
            .chain(letters)
            .collect::<String>()
            .replace('_', " ")
    };
    property["title"].as_str().map_or_else(words, str::to_owned)
}

/// What is said of a property itself, else of what it takes.
fn about(property: &Value, kind: &Value) -> String {
    let said = property["description"].as_str();
    let said = said.or_else(|| kind["description"].as_str());
    said.unwrap_or_default().replace('\n', " ")
}

/// What stands in the schema at the end of a way.
fn property_at<'s>(schema: &'s Value, way: &[&str]) -> Option<&'s Value> {
    let (name, before) = way.split_last()?;
    let object = before
        .iter()
        .try_fold(schema, |kind, step| fields::kind_of(schema, kind, step))?;
    object["properties"].get(*name)
}

fn kind_at<'s>(schema: &'s Value, way: &[&str]) -> Option<&'s Value> {
    way.iter()
        .try_fold(schema, |kind, step| fields::kind_of(schema, kind, step))
}

/// The kind of control that a setting needs; none for what is no single value.
fn takes(kind: &Value) -> Option<SettingTakes> {
    if let Some(choices) = kind["oneOf"].as_array() {
        let choices = choices.iter().filter_map(|one| {
            let value = one["const"].as_str()?;
            Some(SettingWord {
                value: value.to_owned(),
                title: title(one, value),
                about: one["description"].as_str().unwrap_or_default().to_owned(),
            })
        });
        let choices = choices.collect();
        return Some(SettingTakes::Choice { choices });
    }
    let types = fields::types(kind);
    let number = |whole| SettingTakes::Number {
        whole,
        min: kind["minimum"].as_f64().unwrap_or(0.0),
        max: kind["maximum"].as_f64().unwrap_or(f64::from(u32::MAX)),
        step: kind["step"].as_f64().unwrap_or(1.0),
    };
    match *types.first()? {
        "boolean" => Some(SettingTakes::Switch),
        "integer" => Some(number(true)),
        "number" => Some(number(false)),
        "string" => Some(SettingTakes::Text {
            optional: types.contains(&"null"),
        }),
        _ => None,
    }
}

fn json(value: SettingValue) -> Value {
    match value {
        SettingValue::Switch(value) => value.into(),
        SettingValue::Text(text) => text.into(),
        SettingValue::Nothing => Value::Null,
        // JSON of a page has no whole numbers of its own; up to 2^53 they are whole here.
        SettingValue::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            (number as i64).into()
        }
        SettingValue::Number(number) => number.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Theme;
    use crate::testing::opened;

    fn text(value: &str) -> SettingChange {
        let value = SettingValue::Text(value.to_owned());
        SettingChange::Value { value }
    }

    #[test]
    fn every_setting_has_a_heading_a_meaning_and_a_control() {
        let told: Vec<String> = all(&schema())
            .into_iter()
            .map(
                |Setting {
                     name,
                     title,
                     group,
                     about,
                     takes,
                     default,
                 }| {
                    assert!(about.ends_with('.'), "`{name}`: {about}");
                    let takes = match takes {
                        SettingTakes::Switch => "switch".to_owned(),
                        SettingTakes::Choice { choices } => choices
                            .into_iter()
                            .map(|one| one.title)
                            .collect::<Vec<_>>()
                            .join("|"),
                        SettingTakes::Number {
                            whole,
                            min,
                            max,
                            step,
                        } => {
                            let parts = if whole { "" } else { " in parts" };
                            format!("{min}..{max} by {step}{parts}")
                        }
                        SettingTakes::Text { optional } => {
                            format!("text{}", if optional { " or nothing" } else { "" })
                        }
                    };
                    let default = value_of(&default);
                    format!("{group}: {title} ({name}): {takes} = {default}")
                },
            )
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        Look: Dark or light (theme): System|Dark|Light = "system"
        Look: Dark theme (dark_theme): text = "Switchyard dark"
        Look: Light theme (light_theme): text = "Switchyard light"
        Look: Window zoom (window_zoom): 50..300 by 10 = 100.0
        Look: Tour (tour): switch = true
        Text: Font family (font_family): text = "\"JetBrains Mono\", \"Fira Code\", \"Cascadia Code\", \"DejaVu Sans Mono\", monospace"
        Text: Font size (font_size): 6..72 by 1 = 13.0
        Text: Line height (line_height): 0.8..2.5 by 0.05 in parts = 1.15
        Text: Ligatures (ligatures): switch = false
        Text: Renderer (renderer): Auto|WebGL|DOM = "auto"
        Terminal: Scrollback lines (scrollback_lines): 100..1000000 by 1000 = 5000.0
        Terminal: Shell (shell): text or nothing = null
        Terminal: Editor (editor): text or nothing = null
        Terminal: Shell integration (shell_integration): switch = true
        Copy and paste: Copy on select (copy_on_select): switch = false
        Copy and paste: Paste guard (paste_guard): switch = true
        Copy and paste: Clipboard (osc52): Ask|Deny = "ask"
        Cursor: Cursor style (cursor_style): Block|Bar|Underline = "block"
        Cursor: Cursor blink (cursor_blink): switch = false
        Accessibility: Screen reader (screen_reader): switch = false
        History: Days on disk (history.keep_days): 0..3650 by 1 = 30.0
        History: Megabytes on disk (history.max_mb): 1..1000000 by 256 = 2048.0
        Search: Agents' transcripts (search.transcripts): switch = true
        Flows: Agents at once (flows.max_agents): 1..1000 by 1 = 16.0
        Flows: Agent of steps that say none (flows.agent): text or nothing = null
        Flows: Minutes per step (flows.step_minutes): 0..10080 by 5 = 0.0
        Conflicts: What breaks (conflicts.breaks): switch = false
        "#);
    }

    #[tokio::test]
    async fn a_setting_is_changed_in_its_file_and_in_force_at_once() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        let file = app.paths().settings_file();
        fs::write(
            &file,
            "{\n  // mine\n  \"font_size\": 500,\n  \"teme\": 1\n}\n",
        )
        .expect("written");
        let sheet = app.settings_sheet().expect("looked at");
        let mistakes: Vec<&str> = sheet
            .file
            .mistakes
            .iter()
            .map(|one| one.field.as_str())
            .collect();
        assert_eq!(mistakes, ["font_size", "teme"]);
        assert_eq!(sheet.file.lines["font_size"], 3);

        let set = |name: &str, change| app.change_setting(SettingsFile::Settings, name, change);
        set("theme", text("light")).expect("changed");
        set("font_size", SettingChange::Default).expect("changed");
        let days = SettingValue::Number(3.0);
        set("history.keep_days", SettingChange::Value { value: days }).expect("changed");
        let settings = app.settings();
        assert_eq!((settings.theme, settings.font_size), (Theme::Light, 13));
        assert_eq!(settings.history.keep_days, 3);
        insta::assert_snapshot!(fs::read_to_string(&file).expect("read"), @r#"
        {
          // mine
          "teme": 1,
          "theme": "light",
          "history": {
            "keep_days": 3
          }
        }
        "#);

        let refused: Vec<String> = [
            set("theme", text("blue")),
            set("tehme", text("dark")),
            set("history", text("long")),
            set(
                "font_size",
                SettingChange::Value {
                    value: SettingValue::Number(13.5),
                },
            ),
        ]
        .into_iter()
        .map(|refused| refused.expect_err("refused").message)
        .collect();
        insta::assert_snapshot!(refused.join("\n"), @r#"
        `theme` is "blue", but must be one of `system`, `dark`, `light`
        `name` is `tehme`, but there is no such setting
        `name` is `history`, but there is no such setting
        `font_size` is 13.5, but must be a whole number from 6 to 72
        "#);
    }

    #[tokio::test]
    async fn keys_are_changed_by_the_whole_id_of_their_command() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        let set = |name: &str, change| app.change_setting(SettingsFile::Keys, name, change);
        set("pane.new", text("F2")).expect("changed");
        let nothing = SettingChange::Value {
            value: SettingValue::Nothing,
        };
        set("pane.close", nothing).expect("changed");
        let keys = app.settings().keys;
        assert_eq!(keys["pane.new"].as_deref(), Some("F2"));
        assert_eq!(keys["pane.close"], None);
        set("pane.new", SettingChange::Default).expect("changed");
        assert!(!app.settings().keys.contains_key("pane.new"));
        let kept = fs::read_to_string(app.paths().keys_file()).expect("read");
        assert!(kept.contains("// The key of a command"), "{kept}");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_told_apart_is_not_written() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        let file = app.paths().settings_file();
        fs::write(&file, "{ \"theme\": ").expect("written");
        assert!(
            app.settings_sheet()
                .expect("looked at")
                .file
                .broken
                .is_some()
        );
        let refused = app.change_setting(SettingsFile::Settings, "theme", text("dark"));
        assert_eq!(refused.map_err(|error| error.code), Err(Code::BadFile));
        assert_eq!(fs::read_to_string(&file).expect("read"), "{ \"theme\": ");
    }
}
