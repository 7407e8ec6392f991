//! What a person may set, in two text files: `settings.json` and `keys.json`.
//!
//! Both are JSON with comments. A field that is wrong is told with its line, and goes on to be what it was; the others
//! apply. A file that can't be told into fields changes nothing.

mod edit;
mod sheet;

pub use self::sheet::{
    Setting, SettingChange, SettingMistake, SettingTakes, SettingValue, SettingWord, SettingsFile,
    SettingsSheet, SettingsText,
};

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::error::{Code, Error};
use crate::fields;
use crate::paths::Paths;
use crate::profiles::Profile;
use crate::themes::{self, ThemeColours};
use crate::whole_file;

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
    #[schemars(title = "WebGL")]
    Webgl,
    /// The DOM.
    #[schemars(title = "DOM")]
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
    #[schemars(range(max = 3650), title = "Days on disk")]
    pub keep_days: u32,
    /// How many megabytes, compressed, over all panes.
    #[schemars(range(min = 1, max = 1_000_000), title = "Megabytes on disk", extend("step" = 256))]
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

/// What is searched beside panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SearchSettings {
    /// Also finds what agents wrote down of their conversations, in your home directory: read where it lies, and not copied.
    #[schemars(title = "Agents' transcripts")]
    pub transcripts: bool,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self { transcripts: true }
    }
}

/// How flows run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlowSettings {
    /// How many agents may work at once, over all runs; taken up by whatever drives runs from its next start on.
    #[schemars(range(min = 1, max = 1_000), title = "Agents at once")]
    pub max_agents: u32,
    /// Who works on steps that have a prompt and say no agent, when their flow says none either: as `agents health` names it, like `acp:gemini`.
    #[schemars(title = "Agent of steps that say none")]
    pub agent: Option<String>,
    /// How many minutes an attempt at a step may take that says no `timeout`; 0: as long as it takes.
    #[schemars(range(max = 10_080), title = "Minutes per step", extend("step" = 5))]
    pub step_minutes: u32,
}

impl Default for FlowSettings {
    fn default() -> Self {
        Self {
            max_agents: ::flow::RunLimits::default().agents,
            agent: None,
            step_minutes: 0,
        }
    }
}

/// What is looked for between worktrees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConflictSettings {
    /// Warns when one worktree changes or removes a definition that another one's change uses: in Rust, TypeScript, Python and Go.
    #[schemars(title = "What breaks")]
    pub breaks: bool,
}

/// Everything that a person may set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where an editor finds the schema of this file; not used otherwise.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// Dark, light, or as the system says.
    #[schemars(title = "Dark or light", extend("group" = "Look"))]
    pub theme: Theme,
    /// The theme while it is dark, by its name in the gallery.
    #[schemars(extend("group" = "Look"))]
    pub dark_theme: String,
    /// The theme while it is light, by its name in the gallery.
    #[schemars(extend("group" = "Look"))]
    pub light_theme: String,
    /// How large everything in the window is, in percent.
    #[schemars(range(min = 50, max = 300), extend("group" = "Look", "step" = 10))]
    pub window_zoom: u32,
    /// Shows a tour of the window at the first start, and never again.
    #[schemars(extend("group" = "Look"))]
    pub tour: bool,
    /// The font of the panes: a CSS font family list.
    #[schemars(extend("group" = "Text"))]
    pub font_family: String,
    /// The size of that font in pixels.
    #[schemars(range(min = 6, max = 72))]
    #[schemars(extend("group" = "Text"))]
    pub font_size: u32,
    /// How high a line of the panes is, in heights of the font.
    #[schemars(range(min = 0.8, max = 2.5), extend("group" = "Text", "step" = 0.05))]
    pub line_height: f64,
    /// Draws ligatures where the font has them.
    #[schemars(extend("group" = "Text"))]
    pub ligatures: bool,
    /// What draws the panes.
    #[schemars(extend("group" = "Text"))]
    pub renderer: Renderer,
    /// How many lines each pane keeps in memory.
    #[schemars(range(min = 100, max = 1_000_000))]
    #[schemars(extend("group" = "Terminal", "step" = 1_000))]
    pub scrollback_lines: u32,
    /// The shell of new panes; null: the login shell.
    #[schemars(extend("group" = "Terminal"))]
    pub shell: Option<String>,
    /// The editor that opens files which panes name, with its arguments; null: what `VISUAL` or `EDITOR` names, else `vi`.
    #[schemars(extend("group" = "Terminal"))]
    pub editor: Option<String>,
    /// Teaches bash, zsh and fish to mark their prompts and commands.
    #[schemars(extend("group" = "Terminal"))]
    pub shell_integration: bool,
    /// Texts by name, which are put into a pane by choosing them.
    #[schemars(extend("group" = "Terminal"))]
    pub snippets: BTreeMap<String, String>,
    /// Panes of a kind, by name: what runs in them, where, and what they look like.
    #[schemars(extend("group" = "Terminal"))]
    pub profiles: BTreeMap<String, Profile>,
    /// Copies what is selected at once.
    #[schemars(extend("group" = "Copy and paste"))]
    pub copy_on_select: bool,
    /// Asks before text with several lines or control characters is pasted.
    #[schemars(extend("group" = "Copy and paste"))]
    pub paste_guard: bool,
    /// What happens when a program asks to put text on the clipboard.
    #[schemars(title = "Clipboard", extend("group" = "Copy and paste"))]
    pub osc52: ClipboardWrites,
    /// The cursor's shape where the program did not choose one.
    #[schemars(extend("group" = "Cursor"))]
    pub cursor_style: CursorStyle,
    /// Whether the cursor blinks.
    #[schemars(extend("group" = "Cursor"))]
    pub cursor_blink: bool,
    /// Has screen readers read what panes show, and what is printed while the person types.
    #[schemars(extend("group" = "Accessibility"))]
    pub screen_reader: bool,
    /// How much of what panes printed is kept on disk.
    #[schemars(extend("group" = "History"))]
    pub history: HistorySettings,
    /// What is searched beside panes.
    #[schemars(extend("group" = "Search"))]
    pub search: SearchSettings,
    /// How flows run.
    #[schemars(extend("group" = "Flows"))]
    pub flows: FlowSettings,
    /// From the directory `themes`: the person's own.
    #[schemars(skip)]
    pub themes: Vec<ThemeColours>,
    /// What is looked for between worktrees.
    #[schemars(extend("group" = "Conflicts"))]
    pub conflicts: ConflictSettings,
    /// From `keys.json`: the key of each command; null: none.
    #[schemars(skip)]
    pub keys: BTreeMap<String, Option<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            schema: None,
            theme: Theme::System,
            dark_theme: "Switchyard dark".to_owned(),
            light_theme: "Switchyard light".to_owned(),
            window_zoom: 100,
            tour: true,
            font_family:
                r#""JetBrains Mono", "Fira Code", "Cascadia Code", "DejaVu Sans Mono", monospace"#
                    .to_owned(),
            font_size: 13,
            line_height: 1.15,
            ligatures: false,
            renderer: Renderer::Auto,
            scrollback_lines: 5_000,
            shell: None,
            editor: None,
            shell_integration: true,
            snippets: BTreeMap::new(),
            profiles: BTreeMap::new(),
            copy_on_select: false,
            paste_guard: true,
            osc52: ClipboardWrites::Ask,
            cursor_style: CursorStyle::Block,
            cursor_blink: false,
            screen_reader: false,
            history: HistorySettings::default(),
            search: SearchSettings::default(),
            flows: FlowSettings::default(),
            themes: Vec::new(),
            conflicts: ConflictSettings::default(),
            keys: BTreeMap::new(),
        }
    }
}

/// What the two files hold when they are created: everything is a comment but the schema's name.
const SETTINGS_TEMPLATE: &str = include_str!("settings.template.json");
const KEYS_TEMPLATE: &str = include_str!("keys.template.json");
const AGENTS_TEMPLATE: &str = include_str!("agents.template.json");

/// Settings as they were read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    /// What is wrong in the files, each with its file and line; it is as before.
    pub(crate) mistakes: Vec<String>,
}

impl Settings {
    /// Reads both files; a missing one is all defaults. A field that is wrong is as it was `before`.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when a file can't be read, or is no JSON; the message names the file, and the line.
    pub(crate) fn load(paths: &Paths, before: &Self) -> Result<Loaded, Error> {
        let (settings, keys) = (paths.settings_file(), paths.keys_file());
        let schema = value_of(&schemars::schema_for!(Self));
        let of_settings = fields_of(&settings, &schema, &value_of(before))?;
        let mut of_keys = fields_of(&keys, &sheet::keys_schema(), &value_of(&before.keys))?;
        of_keys.good.remove("$schema");

        let mut loaded: Self = from_good(of_settings.good);
        loaded.keys = from_good(of_keys.good);
        let of_themes = themes::own(&paths.themes());
        loaded.themes = of_themes.good;
        let told = |file: &Path, mistakes: Vec<fields::Mistake>| {
            let file = file.display().to_string();
            let told = move |mistake| format!("`{file}`, {mistake}");
            mistakes.into_iter().map(told)
        };
        Ok(Loaded {
            settings: loaded,
            mistakes: told(&settings, of_settings.mistakes)
                .chain(told(&keys, of_keys.mistakes))
                .chain(of_themes.mistakes)
                .collect(),
        })
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
    let (schema, text) = (
        paths.config().join("settings.schema.json"),
        Settings::json_schema(),
    );
    if fs::read(&schema).ok().as_deref() != Some(text.as_bytes()) {
        whole_file::write(&schema, &text)?;
    }
    for (file, template) in [
        (paths.settings_file(), SETTINGS_TEMPLATE),
        (paths.keys_file(), KEYS_TEMPLATE),
        (paths.agents_file(), AGENTS_TEMPLATE),
    ] {
        if !file.exists() {
            // Half of one, or an empty one, would be taken for a person's.
            whole_file::write(&file, template)?;
        }
    }
    Ok(())
}

fn schema_text(schema: schemars::Schema) -> String {
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}

fn value_of(value: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(value).expect("settings and schemas are plain JSON")
}

/// What was read field by field, of which each was good.
fn from_good<T: DeserializeOwned + Default>(
    fields: serde_json::Map<String, serde_json::Value>,
) -> T {
    serde_json::from_value(fields.into()).unwrap_or_default()
}

fn fields_of(
    file: &Path,
    schema: &serde_json::Value,
    before: &serde_json::Value,
) -> Result<fields::Fields, Error> {
    let text = text_of(file)?.unwrap_or_default();
    fields::read(&text, schema, before).map_err(|error| bad_file(file, error))
}

fn text_of(file: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(bad_file(file, error.to_string())),
    }
}

/// Reads a whole file as its schema wants it; a missing one is the default.
///
/// # Errors
///
/// [`Code::BadFile`] when it can't be read, is no JSON, or when one of its fields is wrong: each is told with its line.
pub(crate) fn read<T>(file: &Path) -> Result<T, Error>
where
    T: DeserializeOwned + Default + JsonSchema,
{
    match text_of(file)? {
        None => Ok(T::default()),
        Some(text) => fields::read_all(&text).map_err(|what| bad_file(file, what)),
    }
}

fn bad_file(file: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(Code::BadFile, format!("`{}`: {what}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loads `settings` and `keys` as a person wrote them; the error without the directory.
    fn load(settings: &str, keys: &str) -> Result<Loaded, String> {
        let home = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::below(home.path());
        paths.create().expect("created");
        fs::write(paths.settings_file(), settings).expect("written");
        fs::write(paths.keys_file(), keys).expect("written");
        let short = |text: String| text.replace(&paths.config().display().to_string(), "");
        match Settings::load(&paths, &before()) {
            Ok(Loaded { settings, mistakes }) => Ok(Loaded {
                settings,
                mistakes: mistakes.into_iter().map(short).collect(),
            }),
            Err(error) => Err(short(error.message)),
        }
    }

    /// What was in force when a file is read anew.
    fn before() -> Settings {
        Settings {
            font_size: 21,
            keys: BTreeMap::from([("pane.new".to_owned(), Some("F2".to_owned()))]),
            ..Settings::default()
        }
    }

    #[test]
    fn missing_files_are_all_defaults() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let loaded = Settings::load(&Paths::below(home.path()), &before()).expect("loaded");
        assert_eq!(loaded.settings, Settings::default());
    }

    #[test]
    fn the_files_we_create_are_all_defaults_and_are_not_written_over() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::below(home.path());
        paths.create().expect("created");
        create_files(&paths).expect("written");
        let loaded = Settings::load(&paths, &before()).expect("loaded");
        assert_eq!(
            Settings {
                schema: None,
                ..loaded.settings
            },
            Settings::default()
        );
        assert_eq!(loaded.mistakes, [""; 0]);
        fs::write(paths.settings_file(), r#"{ "font_size": 20 }"#).expect("written");
        create_files(&paths).expect("written");
        let loaded = Settings::load(&paths, &before()).expect("loaded");
        assert_eq!(loaded.settings.font_size, 20);
    }

    #[test]
    fn comments_and_trailing_commas_are_welcome() {
        let loaded = load(
            "// mine\n{ \"font_size\": 15, /* big */ \"theme\": \"light\", }",
            r#"{ "pane.close": null, "palette.open": "Ctrl+K" }"#,
        )
        .expect("loaded")
        .settings;
        assert_eq!((loaded.font_size, loaded.theme), (15, Theme::Light));
        assert_eq!(loaded.keys["pane.close"], None);
        assert_eq!(loaded.keys["palette.open"].as_deref(), Some("Ctrl+K"));
    }

    #[test]
    fn a_mistake_is_told_at_its_place_and_refuses_nothing_else() {
        let settings = r#"{
            "font_size": 500,
            "fontsize": 5,
            "theme": "blue",
            "ligatures": true,
            "copy_on_select": "yes",
            "shell": 3,
            "keys": { "pane.close": null },
            "history": { "keep_days": -1, "max_mb": 10, "days": 3 },
            "snippets": { "good": "make", "bad": 3 },
            "profiles": { "db": { "program": "psql", "progam": "x", "args": ["a", 3], "cwd": 7 } },
            "cursor_blink": true,
            "cursor_blink": false
        }"#;
        let keys = "{\n\"pane.new\": 3,\n\"pane.close\": [],\n\"palette.open\": \"F1\" }";
        let Loaded { settings, mistakes } = load(settings, keys).expect("told into fields");
        insta::assert_snapshot!(mistakes.join("\n"), @r#"
        `/settings.json`, line 2: `font_size` is 500, but must be a whole number from 6 to 72
        `/settings.json`, line 3: there is no setting `fontsize`; did you mean `font_size`?
        `/settings.json`, line 4: `theme` is "blue", but must be one of `system`, `dark`, `light`
        `/settings.json`, line 6: `copy_on_select` is "yes", but must be `true` or `false`
        `/settings.json`, line 7: `shell` is 3, but must be a text or `null`
        `/settings.json`, line 8: `keys` belong into `keys.json` beside it
        `/settings.json`, line 9: `history.keep_days` is -1, but must be a whole number from 0 to 3650
        `/settings.json`, line 9: there is no setting `history.days`
        `/settings.json`, line 10: `snippets.bad` is 3, but must be a text
        `/settings.json`, line 11: there is no setting `profiles.db.progam`; did you mean `program`?
        `/settings.json`, line 11: `profiles.db.args[1]` is 3, but must be a text
        `/settings.json`, line 11: `profiles.db.cwd` is 7, but must be a text or `null`
        `/settings.json`, line 13: `cursor_blink` is there twice; this one counts
        `/keys.json`, line 2: `pane.new` is 3, but must be a text or `null`
        `/keys.json`, line 3: `pane.close` is [], but must be a text or `null`
        "#);
        let wanted = Settings {
            ligatures: true,
            snippets: BTreeMap::from([("good".to_owned(), "make".to_owned())]),
            profiles: BTreeMap::from([(
                "db".to_owned(),
                Profile {
                    program: Some("psql".to_owned()),
                    args: vec!["a".to_owned()],
                    ..Profile::default()
                },
            )]),
            history: HistorySettings {
                max_mb: 10,
                ..HistorySettings::default()
            },
            keys: BTreeMap::from([
                ("pane.new".to_owned(), Some("F2".to_owned())),
                ("palette.open".to_owned(), Some("F1".to_owned())),
            ]),
            ..before()
        };
        assert_eq!(settings, wanted);
    }

    #[test]
    fn a_file_that_is_no_json_changes_nothing_and_is_told_with_its_line() {
        let refused = [
            load("{\n \"theme\": \n}", ""),
            load("", "[1]"),
            load("3", ""),
        ];
        let refused = refused.map(|loaded| loaded.expect_err("refused"));
        insta::assert_snapshot!(refused.join("\n"), @r#"
        `/settings.json`: Unexpected close brace on line 3 column 1
        `/keys.json`: it must be one object, in braces
        `/settings.json`: it must be one object, in braces
        "#);
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
