//! What a person may set, in two text files: `settings.json` and `keys.json`.
//!
//! Both are JSON with comments. A file that is wrong changes nothing: the last good values stay, and the error
//! says what is wrong and where.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::error::{Code, Error};
use crate::paths::Paths;

/// Dark, light, or as the system says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// What draws the panes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Renderer {
    /// WebGL where it was measured to be faster, else the DOM.
    #[default]
    Auto,
    /// WebGL, whatever was measured.
    Webgl,
    /// The DOM.
    Dom,
}

/// What happens when a program asks to put text on the clipboard (OSC 52).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClipboardWrites {
    /// Ask the person, each time.
    #[default]
    Ask,
    /// Refuse.
    Deny,
}

/// The cursor's shape where the program did not choose one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CursorStyle {
    /// A filled cell.
    #[default]
    Block,
    /// A bar before the cell.
    Bar,
    /// A line below the cell.
    Underline,
}

/// How much of what panes printed is kept on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HistorySettings {
    /// For how many days; 0 keeps nothing on disk.
    #[schemars(range(max = 3650))]
    pub keep_days: u32,
    /// How many megabytes, compressed, over all panes.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_mb: u32,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self {
            keep_days: 30,
            max_mb: 2048,
        }
    }
}

/// How flows run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlowSettings {
    /// How many agents may work at once, over all runs; taken up by whatever drives runs from its next start on.
    #[schemars(range(min = 1, max = 1_000))]
    pub max_agents: u32,
}

impl Default for FlowSettings {
    fn default() -> Self {
        Self {
            max_agents: ::flow::RunLimits::default().agents,
        }
    }
}

/// Everything that a person may set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where an editor finds the schema of this file; not used otherwise.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// Dark, light, or as the system says.
    pub theme: Theme,
    /// The font of the panes: a CSS font family list.
    pub font_family: String,
    /// The size of that font in pixels.
    #[schemars(range(min = 6, max = 72))]
    pub font_size: u32,
    /// Draws ligatures where the font has them.
    pub ligatures: bool,
    /// What draws the panes.
    pub renderer: Renderer,
    /// How many lines each pane keeps in memory.
    #[schemars(range(min = 100, max = 1_000_000))]
    pub scrollback_lines: u32,
    /// The shell of new panes; null: the login shell.
    pub shell: Option<String>,
    /// Teaches bash, zsh and fish to mark their prompts and commands.
    pub shell_integration: bool,
    /// Copies what is selected at once.
    pub copy_on_select: bool,
    /// Asks before text with several lines or control characters is pasted.
    pub paste_guard: bool,
    /// What happens when a program asks to put text on the clipboard.
    pub osc52: ClipboardWrites,
    /// The cursor's shape where the program did not choose one.
    pub cursor_style: CursorStyle,
    /// Whether the cursor blinks.
    pub cursor_blink: bool,
    /// How much of what panes printed is kept on disk.
    pub history: HistorySettings,
    /// How flows run.
    pub flows: FlowSettings,
    /// From `keys.json`: the key of each command; null: none.
    #[schemars(skip)]
    pub keys: BTreeMap<String, Option<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            schema: None,
            theme: Theme::System,
            font_family:
                r#""JetBrains Mono", "Fira Code", "Cascadia Code", "DejaVu Sans Mono", monospace"#
                    .to_owned(),
            font_size: 13,
            ligatures: false,
            renderer: Renderer::Auto,
            scrollback_lines: 5_000,
            shell: None,
            shell_integration: true,
            copy_on_select: false,
            paste_guard: true,
            osc52: ClipboardWrites::Ask,
            cursor_style: CursorStyle::Block,
            cursor_blink: false,
            history: HistorySettings::default(),
            flows: FlowSettings::default(),
            keys: BTreeMap::new(),
        }
    }
}

/// What the two files hold when they are created: everything is a comment but the schema's name.
const SETTINGS_TEMPLATE: &str = include_str!("settings.template.json");
const KEYS_TEMPLATE: &str = include_str!("keys.template.json");
const AGENTS_TEMPLATE: &str = include_str!("agents.template.json");

impl Settings {
    /// Reads both files; a missing one is all defaults.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when a file is not JSON, has an unknown or a wrong field; the message
    /// names the file and the field or the line.
    pub fn load(paths: &Paths) -> Result<Self, Error> {
        let mut settings: Self = read(&paths.settings_file())?.unwrap_or_default();
        settings.check(&paths.settings_file())?;
        settings.keys = read(&paths.keys_file())?.unwrap_or_default();
        settings.keys.remove("$schema");
        Ok(settings)
    }

    fn check(&self, file: &Path) -> Result<(), Error> {
        if !self.keys.is_empty() {
            return Err(bad_file(file, "`keys` belong into `keys.json` beside it"));
        }
        let ranges = [
            ("font_size", self.font_size, 6, 72),
            ("scrollback_lines", self.scrollback_lines, 100, 1_000_000),
            ("history.keep_days", self.history.keep_days, 0, 3_650),
            ("history.max_mb", self.history.max_mb, 1, 1_000_000),
            ("flows.max_agents", self.flows.max_agents, 1, 1_000),
        ];
        for (field, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                return Err(bad_file(
                    file,
                    format!("`{field}` is {value}, but must be from {low} to {high}"),
                ));
            }
        }
        Ok(())
    }

    /// The JSON Schema of `settings.json`.
    pub fn json_schema() -> String {
        schema_text(schemars::schema_for!(Self))
    }
}

/// Writes the files with their explanations where they are missing, and their schema beside them.
///
/// # Errors
///
/// When one can't be written.
pub(crate) fn create_files(paths: &Paths) -> io::Result<()> {
    fs::write(
        paths.config().join("settings.schema.json"),
        Settings::json_schema(),
    )?;
    for (file, template) in [
        (paths.settings_file(), SETTINGS_TEMPLATE),
        (paths.keys_file(), KEYS_TEMPLATE),
        (paths.agents_file(), AGENTS_TEMPLATE),
    ] {
        if !file.exists() {
            fs::write(file, template)?;
        }
    }
    Ok(())
}

fn schema_text(schema: schemars::Schema) -> String {
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}

pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(bad_file(file, error.to_string())),
    };
    jsonc_parser::parse_to_serde_value(&text, &Default::default())
        .map_err(|error| bad_file(file, error.to_string()))
}

fn bad_file(file: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(Code::BadFile, format!("`{}`: {what}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loads `settings` and `keys` as a person wrote them; the error without the directory.
    fn load(settings: &str, keys: &str) -> Result<Settings, String> {
        let home = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::below(home.path());
        paths.create().expect("created");
        fs::write(paths.settings_file(), settings).expect("written");
        fs::write(paths.keys_file(), keys).expect("written");
        Settings::load(&paths).map_err(|error| {
            error
                .message
                .replace(&paths.config().display().to_string(), "")
        })
    }

    #[test]
    fn missing_files_are_all_defaults() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let loaded = Settings::load(&Paths::below(home.path())).expect("loaded");
        assert_eq!(loaded, Settings::default());
    }

    #[test]
    fn the_files_we_create_are_all_defaults_and_are_not_written_over() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::below(home.path());
        paths.create().expect("created");
        create_files(&paths).expect("written");
        let loaded = Settings::load(&paths).expect("loaded");
        assert_eq!(
            Settings {
                schema: None,
                ..loaded
            },
            Settings::default()
        );
        fs::write(paths.settings_file(), r#"{ "font_size": 20 }"#).expect("written");
        create_files(&paths).expect("written");
        assert_eq!(Settings::load(&paths).expect("loaded").font_size, 20);
    }

    #[test]
    fn comments_and_trailing_commas_are_welcome() {
        let loaded = load(
            "// mine\n{ \"font_size\": 15, /* big */ \"theme\": \"light\", }",
            r#"{ "pane.close": null, "palette.open": "Ctrl+K" }"#,
        )
        .expect("loaded");
        assert_eq!((loaded.font_size, loaded.theme), (15, Theme::Light));
        assert_eq!(loaded.keys["pane.close"], None);
        assert_eq!(loaded.keys["palette.open"].as_deref(), Some("Ctrl+K"));
    }

    #[test]
    fn a_mistake_is_told_with_its_field() {
        let mistakes = [
            load(r#"{ "font_size": 500 }"#, ""),
            load(r#"{ "fontsize": 5 }"#, ""),
            load(r#"{ "theme": "blue" }"#, ""),
            load(r#"{ "keys": { "pane.close": null } }"#, ""),
            load("{\n \"theme\": \n}", ""),
            load("", r#"{ "pane.close": 3 }"#),
            load(r#"{ "flows": { "max_agents": 0 } }"#, ""),
        ]
        .map(|loaded| {
            loaded
                .expect_err("refused")
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned()
        });
        insta::assert_debug_snapshot!(mistakes);
    }

    #[test]
    fn the_committed_schema_is_fresh() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.schema.json");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::write(&file, Settings::json_schema()).expect("written");
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        // As values: the order of keys hangs on features that other crates of a build ask serde_json for.
        let parse =
            |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
        assert!(
            parse(&committed) == parse(&Settings::json_schema()),
            "run `make schemas` and commit docs/settings.schema.json"
        );
    }
}
