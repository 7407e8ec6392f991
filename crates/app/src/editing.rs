//! Files that a pane's output names: which of them are there, and one of them in the person's editor, in a pane.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use specta::Type;
use terminal::ask::Info;
use terminal::{OpenPane, PaneId, PaneInfo};

use crate::{App, Code, Error, MachineId};

/// So many names are looked up at once.
const NAMES: usize = 64;
/// No path is longer.
const NAME_LIMIT: usize = 4 << 10;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FilePlace {
    /// The file's full path.
    pub path: String,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column in it, from 1.
    pub column: Option<u32>,
}

impl App {
    /// The full path of each file that `names` name, seen from the directory in which the program of a pane works, and
    /// from the home where a name begins with `~`; none where there is no such file. Looks up the first 64.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`] when there is no such pane, [`Code::HostDown`].
    pub async fn find_files(
        &self,
        pane: PaneId,
        names: Vec<String>,
    ) -> Result<Vec<Option<String>>, Error> {
        if MachineId::of_pane(pane).is_some() {
            // What lies there is not here.
            return Ok(vec![None; names.len()]);
        }
        let cwd = self.ask(Info(pane)).await?.cwd;
        let home = home();
        tokio::task::spawn_blocking(move || {
            let names = names.into_iter().take(NAMES);
            let found = names.map(|name| file_named(&name, Path::new(&cwd), home.as_deref()));
            found.collect()
        })
        .await
        .map_err(|error| Error::new(Code::Failed, error.to_string()))
    }

    /// Opens a file at its place in the person's editor, in a pane of its own: the one in the settings, else what
    /// `VISUAL` or `EDITOR` names, else `vi`.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when the path is not a full one, and as for [`App::open_pane`].
    pub async fn open_in_editor(&self, place: FilePlace) -> Result<PaneInfo, Error> {
        if !place.path.starts_with('/') {
            let path = &place.path;
            let message = format!("`path` is `{path}`, but must be a full path");
            return Err(Error::new(Code::BadParams, message));
        }
        let of_settings = self.settings().editor;
        let words = of_settings
            .or_else(|| std::env::var("VISUAL").ok())
            .or_else(|| std::env::var("EDITOR").ok())
            .unwrap_or_default();
        let (program, args) = editor(&words, &place);
        let path = Path::new(&place.path);
        let directory = path.parent().filter(|parent| parent.is_dir());
        let name = path.file_name().and_then(|name| name.to_str());
        self.open_pane(OpenPane {
            program: Some(program),
            args,
            cwd: directory.map(|directory| directory.display().to_string()),
            name: name.map(str::to_owned),
            ..OpenPane::default()
        })
        .await
    }
}

/// The home of the person who runs this.
pub(crate) fn home() -> Option<PathBuf> {
    directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned())
}

/// The file of that name, if there is one.
fn file_named(name: &str, cwd: &Path, home: Option<&Path>) -> Option<String> {
    if name.len() > NAME_LIMIT {
        return None;
    }
    let path = match name.strip_prefix("~/") {
        Some(below) => home?.join(below),
        None => cwd.join(name),
    };
    let path = path.is_file().then_some(path)?;
    // Without the dots on the way, where the directories are still as they were a moment ago.
    let path = path.canonicalize().unwrap_or(path);
    path.to_str().map(str::to_owned)
}

/// The program and its arguments that open a place; each editor says a line in its own way. The words of an editor are
/// parted by blanks, and no shell reads them.
fn editor(words: &str, FilePlace { path, line, column }: &FilePlace) -> (String, Vec<String>) {
    let mut words = words.split_whitespace().map(str::to_owned);
    let program = words.next().unwrap_or_else(|| "vi".to_owned());
    let mut args: Vec<String> = words.collect();
    let called = Path::new(&program)
        .file_stem()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let Some(line) = line else {
        args.push(path.clone());
        return (program, args);
    };
    let column = column.unwrap_or(1);
    match called {
        "vi" | "vim" | "nvim" | "view" | "gvim" => {
            args.extend([format!("+call cursor({line},{column})"), path.clone()]);
        }
        "emacs" | "emacsclient" | "kak" | "micro" => {
            args.extend([format!("+{line}:{column}"), path.clone()]);
        }
        "nano" => args.extend([format!("+{line},{column}"), path.clone()]),
        "hx" | "helix" | "zed" | "zeditor" | "subl" => {
            args.push(format!("{path}:{line}:{column}"));
        }
        "code" | "code-insiders" | "codium" | "cursor" | "windsurf" => {
            args.extend(["--goto".to_owned(), format!("{path}:{line}:{column}")]);
        }
        // What POSIX asks of `ex` and `more`, and most others know.
        _ => args.extend([format!("+{line}"), path.clone()]),
    }
    (program, args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_files_seen_from_where_the_program_works() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().canonicalize().expect("there");
        std::fs::create_dir_all(root.join("api/src")).expect("made");
        std::fs::write(root.join("api/src/a.rs"), "").expect("written");
        std::fs::write(root.join("notes.md"), "").expect("written");
        let cwd = root.join("api");
        let found = |name: &str| {
            let found = file_named(name, &cwd, Some(&root))?;
            Some(found.replace(&root.display().to_string(), ""))
        };
        let of_api = Some("/api/src/a.rs".to_owned());
        assert_eq!(found("src/a.rs"), of_api);
        assert_eq!(found("./src/../src/a.rs"), of_api);
        assert_eq!(found(&cwd.join("src/a.rs").display().to_string()), of_api);
        assert_eq!(found("../notes.md"), Some("/notes.md".to_owned()));
        assert_eq!(found("~/notes.md"), Some("/notes.md".to_owned()));
        for nothing in ["src", "b.rs", "~", "", "\0", &"x".repeat(NAME_LIMIT + 1)] {
            assert_eq!(found(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn each_editor_is_told_the_place_in_its_own_way() {
        let at = |words: &str, line, column| {
            let path = "/a b/c.rs".to_owned();
            let (program, args) = editor(words, &FilePlace { path, line, column });
            format!("{program} {args:?}")
        };
        insta::assert_snapshot!(at("", Some(3), Some(14)), @r#"vi ["+call cursor(3,14)", "/a b/c.rs"]"#);
        insta::assert_snapshot!(at("/usr/bin/nvim -p", Some(3), None), @r#"/usr/bin/nvim ["-p", "+call cursor(3,1)", "/a b/c.rs"]"#);
        insta::assert_snapshot!(at("nano", Some(3), Some(2)), @r#"nano ["+3,2", "/a b/c.rs"]"#);
        insta::assert_snapshot!(at("emacs -nw", Some(3), Some(2)), @r#"emacs ["-nw", "+3:2", "/a b/c.rs"]"#);
        insta::assert_snapshot!(at("hx", Some(3), Some(2)), @r#"hx ["/a b/c.rs:3:2"]"#);
        insta::assert_snapshot!(at("code --wait", Some(3), Some(2)), @r#"code ["--wait", "--goto", "/a b/c.rs:3:2"]"#);
        insta::assert_snapshot!(at("ed", Some(3), Some(2)), @r#"ed ["+3", "/a b/c.rs"]"#);
        insta::assert_snapshot!(at("nvim", None, None), @r#"nvim ["/a b/c.rs"]"#);
    }
}
