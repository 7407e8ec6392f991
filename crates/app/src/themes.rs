//! Themes that a person made or imported: a file each in the directory `themes`, with the colours of a terminal. What
//! comes with Switchyard the window has itself; from a theme's colours it derives its own.

mod import;

pub(crate) use import::yaml_mistake;

use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::colour::Colour;
use crate::{App, Code, Error, fields, whole_file};

/// So many themes are read.
const MOST: usize = 500;
/// No file of a theme is larger.
const FILE_LIMIT: u64 = 1 << 20;

/// The colours of a terminal, under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThemeColours {
    /// What the gallery and the settings call it.
    pub name: String,
    /// The colour of text.
    #[specta(type = String)]
    pub foreground: Colour,
    /// The colour behind it; a dark one makes the theme a dark one.
    #[specta(type = String)]
    pub background: Colour,
    /// The cursor; none: as text.
    #[serde(default)]
    #[specta(type = Option<String>)]
    pub cursor: Option<Colour>,
    /// What is under the cursor; none: as what is behind text.
    #[serde(default)]
    #[specta(type = Option<String>)]
    pub cursor_text: Option<Colour>,
    /// What is behind selected text; none: between what is behind text and text.
    #[serde(default)]
    #[specta(type = Option<String>)]
    pub selection: Option<Colour>,
    /// Black, red, green, yellow, blue, magenta, cyan, white, and the bright ones of them.
    #[specta(type = Vec<String>)]
    pub ansi: [Colour; 16],
}

/// A theme that was taken over from another terminal's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
pub struct ImportedTheme {
    /// Its name.
    pub name: String,
    /// Where it is now.
    pub path: String,
    /// Whether one of that name was there before.
    pub replaced: bool,
}

/// What the directory of themes holds.
#[derive(Debug, Default)]
pub(crate) struct Own {
    pub(crate) good: Vec<ThemeColours>,
    /// Each with its file.
    pub(crate) mistakes: Vec<String>,
}

impl App {
    /// Takes over the themes that a file of another terminal holds: of iTerm2 (`.itermcolors`), Windows Terminal (a
    /// scheme, some, or its whole settings), base16 or base24 (YAML), or Ghostty. `file` is how it is called.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when it is none of these, or a colour is missing or wrong: the message names line or field.
    pub fn import_themes(&self, file: &str, text: &str) -> Result<Vec<ImportedTheme>, Error> {
        let themes = import::read(file, text)
            .map_err(|what| Error::new(Code::BadFile, format!("`{file}`: {what}")))?;
        let directory = self.paths().themes();
        let imported = themes
            .iter()
            .map(|theme| -> Result<ImportedTheme, Error> {
                let path = directory.join(file_of(&theme.name));
                let replaced = path.exists();
                let text = serde_json::to_string_pretty(theme).expect("colours are plain JSON");
                whole_file::write(&path, &format!("{text}\n")).map_err(|error| {
                    let message = format!("could not write `{}`: {error}", path.display());
                    Error::new(Code::BadFile, message)
                })?;
                Ok(ImportedTheme {
                    name: theme.name.clone(),
                    path: path.display().to_string(),
                    replaced,
                })
            })
            .collect();
        self.reload_settings();
        imported
    }

    /// Removes a theme of the person's own.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is none of that name, [`Code::Failed`] when its file can't be removed.
    pub fn remove_theme(&self, name: &str) -> Result<(), Error> {
        let files = files(&self.paths().themes());
        let found = files
            .into_iter()
            .find(|file| theme_in(file).is_ok_and(|theme| theme.name == name));
        let file = found.ok_or_else(|| {
            let message = format!("`name` is `{name}`, but no theme of your own is called so");
            Error::new(Code::BadId, message)
        })?;
        fs::remove_file(&file).map_err(|error| {
            let message = format!("could not remove `{}`: {error}", file.display());
            Error::new(Code::Failed, message)
        })?;
        self.reload_settings();
        Ok(())
    }
}

/// The themes in a directory, by their names; of two with one name the one whose file comes first.
pub(crate) fn own(directory: &Path) -> Own {
    let mut own = Own::default();
    for file in files(directory) {
        match theme_in(&file) {
            Ok(theme) if own.good.iter().any(|other| other.name == theme.name) => {
                let what = format!("another file's theme is called `{}`, too", theme.name);
                own.mistakes.push(format!("`{}`: {what}", file.display()));
            }
            Ok(theme) => own.good.push(theme),
            Err(what) => own.mistakes.push(format!("`{}`: {what}", file.display())),
        }
    }
    own.good
        .sort_by_cached_key(|theme| theme.name.to_lowercase());
    own
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .collect();
    files.sort();
    files.truncate(MOST);
    files
}

fn theme_in(file: &Path) -> Result<ThemeColours, String> {
    let size = fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > FILE_LIMIT {
        return Err(format!(
            "it has {size} bytes; a theme has at most {FILE_LIMIT}"
        ));
    }
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    fields::read_all(&text)
}

/// A file's name that says the theme's.
fn file_of(name: &str) -> String {
    let plain = |letter: char| {
        if letter.is_alphanumeric() || "-_. ".contains(letter) {
            letter
        } else {
            '_'
        }
    };
    let name: String = name.chars().take(80).map(plain).collect();
    let name = name.trim_matches(['.', ' ']);
    format!("{}.json", if name.is_empty() { "theme" } else { name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::opened;

    const GHOSTTY: &str = include_str!("themes/samples/harbour.ghostty");

    #[test]
    fn colours_are_read_as_the_terminals_write_them() {
        let read = |text: &str| Colour::parse(text).map(|colour| colour.to_string());
        for (text, colour) in [
            ("#1D2027", "#1d2027"),
            ("1d2027", "#1d2027"),
            ("0x1d2027", "#1d2027"),
            ("#abc", "#aabbcc"),
            (" #fff ", "#ffffff"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(colour), "{text}");
        }
        for text in [
            "", "#", "#12345", "#12345g", "red", "#1234567", "+12345", "#é",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn an_imported_theme_is_among_the_settings_until_it_is_removed() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        let imported = app.import_themes("harbour", GHOSTTY).expect("imported");
        assert_eq!(imported[0].name, "harbour");
        assert!(!imported[0].replaced);
        let names = |app: &App| -> Vec<String> {
            app.settings()
                .themes
                .into_iter()
                .map(|theme| theme.name)
                .collect()
        };
        assert_eq!(names(&app), ["harbour"]);
        let again = app
            .import_themes("harbour", GHOSTTY)
            .expect("imported again");
        assert!(again[0].replaced);
        assert_eq!(names(&app), ["harbour"]);
        app.remove_theme("harbour").expect("removed");
        assert_eq!(names(&app), [""; 0]);
        let missing = app.remove_theme("harbour");
        assert_eq!(missing.map_err(|error| error.code), Err(Code::BadId));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_and_the_other_files_are_read() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let theme = import::read("harbour", GHOSTTY).expect("read").remove(0);
        let text = serde_json::to_string_pretty(&theme).expect("written");
        let write = |name: &str, text: &str| {
            fs::write(directory.path().join(name), text).expect("written");
        };
        write("a.json", &text);
        write("b.json", &text);
        write(
            "c.json",
            &text
                .replace("\"harbour\"", "\"other\"")
                .replace("#e8e2d6", "pale"),
        );
        write("d.json", "{");
        write("notes.txt", "nothing");
        let own = own(directory.path());
        assert_eq!(own.good, [theme]);
        let mistakes = own.mistakes.join("\n");
        let mistakes = mistakes.replace(&directory.path().display().to_string(), "");
        insta::assert_snapshot!(mistakes, @r#"
        `/b.json`: another file's theme is called `harbour`, too
        `/c.json`: line 3: `foreground` is "pale", but must be a colour like `#1d2027`
        `/d.json`: Unterminated object on line 1 column 1
        "#);
    }

    #[test]
    fn a_name_never_leads_out_of_the_directory() {
        for (name, file) in [
            ("Harbour night", "Harbour night.json"),
            ("../../x", "_.._x.json"),
            ("", "theme.json"),
            ("..", "theme.json"),
            ("a/b\\c:d", "a_b_c_d.json"),
        ] {
            assert_eq!(file_of(name), file);
        }
    }
}
