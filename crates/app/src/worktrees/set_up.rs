//! `.switchyard/worktree.yaml`: what a new worktree gets that git does not give it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path};

use serde::Deserialize;
use serde_json::Value;

use crate::themes::yaml_mistake;
use crate::{Code, Error};

/// Where it is, below the root of the main worktree.
const FILE: &str = ".switchyard/worktree.yaml";

/// What a new worktree gets. It is read from the main worktree as it lies there: what a branch brings along is not run.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SetUp {
    /// Files and directories of the main worktree, which are copied.
    copy: Vec<serde_saphyr::Spanned<String>>,
    /// Command lines, which a shell runs one after the other in the new one.
    run: Vec<String>,
}

/// What was copied, and what was not and why.
#[derive(Debug, Default)]
pub(super) struct Copied {
    pub(super) copied: Vec<String>,
    pub(super) left_out: Vec<String>,
}

/// Reads what the worktrees of a repository get; nothing when it does not say.
///
/// # Errors
///
/// [`Code::BadFile`] with the line and the field.
pub(super) fn read(main: &Path) -> Result<SetUp, Error> {
    let place = main.join(FILE);
    let wrong = |what: String| {
        let place = place.display();
        Error::new(Code::BadFile, format!("`{place}`: {what}"))
    };
    let text = match fs::read_to_string(&place) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(SetUp::default()),
        Err(error) => return Err(wrong(error.to_string())),
    };
    if text
        .lines()
        .all(|line| line.trim_start().starts_with('#') || line.trim().is_empty())
    {
        return Ok(SetUp::default());
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let read: SetUp = serde_saphyr::from_str_with_options(&text, options)
        .map_err(|error| wrong(mistake(&text, &error)))?;
    for one in &read.copy {
        let path = Path::new(&one.value);
        let below = path.components().all(|part| {
            matches!(part, Component::Normal(name) if name != ".git") || part == Component::CurDir
        });
        if one.value.trim().is_empty() || !below {
            return Err(wrong(format!(
                "line {}: `copy` has `{}`, but must have files and directories below the root of the repository, like `.env`",
                one.referenced.line(),
                one.value
            )));
        }
    }
    Ok(read)
}

/// What is wrong with the text, with the line and the field.
fn mistake(text: &str, error: &serde_saphyr::Error) -> String {
    type Fields = BTreeMap<String, serde_saphyr::Spanned<Value>>;
    let options = serde_saphyr::options! { with_snippet: false };
    let fields: Fields = serde_saphyr::from_str_with_options(text, options).unwrap_or_default();
    let is_list = |value: &Value| {
        let all = value.as_array();
        all.is_some_and(|all| all.iter().all(Value::is_string))
    };
    for (name, like) in [("copy", "[.env]"), ("run", "[npm ci]")] {
        if let Some(field) = fields.get(name).filter(|field| !is_list(&field.value)) {
            let line = field.referenced.line();
            return format!("line {line}: `{name}` must be a list of texts, like {like}");
        }
    }
    let told = yaml_mistake(error);
    let told = told.split(" at line ").next().unwrap_or(&told);
    told.replace("expected one of copy, run", "there are `copy` and `run`")
}

impl SetUp {
    /// The command lines to be run.
    pub(super) fn run(&self) -> &[String] {
        &self.run
    }

    /// Copies what is to be copied. What is there already stays as it is, and no link is followed, on either side.
    pub(super) fn copy(&self, from: &Path, to: &Path) -> Copied {
        let mut done = Copied::default();
        for one in &self.copy {
            match copy(from, to, Path::new(&one.value)) {
                Ok(()) => done.copied.push(one.value.clone()),
                Err(error) => done.left_out.push(format!("`{}`: {error}", one.value)),
            }
        }
        done
    }
}

fn copy(from: &Path, to: &Path, path: &Path) -> io::Result<()> {
    for root in [from, to] {
        let parents = path.ancestors().skip(1);
        if let Some(link) = parents
            .map(|parent| root.join(parent))
            .find(|place| place != root && place.is_symlink())
        {
            let what = format!("`{}` is a symbolic link", link.display());
            return Err(io::Error::other(what));
        }
    }
    let (source, target) = (from.join(path), to.join(path));
    let about = fs::symlink_metadata(&source).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other("the main worktree has none"),
        _ => error,
    })?;
    if about.is_dir() {
        fs::create_dir_all(&target)?;
        for entry in fs::read_dir(&source)? {
            let below = path.join(entry?.file_name());
            match copy(from, to, &below) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        return Ok(());
    }
    if fs::symlink_metadata(&target).is_ok() {
        let there = "the new worktree has one already";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, there));
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    if about.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(&source)?, &target);
    }
    if !about.is_file() {
        return Err(io::Error::other("it is neither a file nor a directory"));
    }
    fs::copy(&source, &target).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    /// What is said of such a file.
    fn said(text: &str) -> String {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".switchyard")).unwrap();
        fs::write(home.path().join(FILE), text).unwrap();
        match read(home.path()) {
            Ok(read) => format!("{} {:?}", read.copy.len(), read.run),
            Err(error) => {
                let root = home.path().display().to_string();
                assert_eq!(error.code, Code::BadFile);
                error.message.replace(&root, "/repo")
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_its_field() {
        assert_eq!(
            said("copy: [.env, config/local]\nrun:\n  - npm ci\n"),
            r#"2 ["npm ci"]"#
        );
        assert_eq!(said("# nothing yet\n\n"), "0 []");
        let wrong = |text| {
            let told = said(text);
            let file = "`/repo/.switchyard/worktree.yaml`: ";
            told.strip_prefix(file).map(str::to_owned).unwrap_or(told)
        };
        insta::assert_snapshot!(wrong("run:\n  - make\ncopies: [.env]\n"), @"line 3: unknown field `copies`, there are `copy` and `run`");
        insta::assert_snapshot!(wrong("copy: .env\n"), @"line 1: `copy` must be a list of texts, like [.env]");
        insta::assert_snapshot!(wrong("copy: [.env]\nrun: make\n"), @"line 2: `run` must be a list of texts, like [npm ci]");
        insta::assert_snapshot!(wrong("copy:\n  - .env\n  - ../secret\n"), @"line 3: `copy` has `../secret`, but must have files and directories below the root of the repository, like `.env`");
        insta::assert_snapshot!(wrong("copy: [.git/config]\n"), @"line 1: `copy` has `.git/config`, but must have files and directories below the root of the repository, like `.env`");
        insta::assert_snapshot!(wrong("run: [\n"), @"line 1: unclosed bracket '['");
    }

    #[test]
    fn files_are_copied_as_they_are_and_nothing_is_written_over_or_through_a_link() {
        let home = tempfile::tempdir().unwrap();
        let (from, to) = (home.path().join("main"), home.path().join("new"));
        for place in [&from, &to] {
            fs::create_dir_all(place.join("config")).unwrap();
        }
        fs::write(from.join(".env"), "KEY=1\n").unwrap();
        fs::set_permissions(from.join(".env"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(from.join("config/a"), "main's").unwrap();
        fs::write(from.join("config/b"), "main's").unwrap();
        symlink("a", from.join("config/link")).unwrap();
        fs::write(to.join("config/a"), "its own").unwrap();
        let outside = home.path().join("outside");
        fs::create_dir(&outside).unwrap();
        symlink(&outside, to.join("through")).unwrap();
        fs::create_dir(from.join("through")).unwrap();
        fs::write(from.join("through/f"), "x").unwrap();
        let spanned =
            |text: &str| -> serde_saphyr::Spanned<String> { serde_saphyr::from_str(text).unwrap() };
        let set_up = SetUp {
            copy: [".env", "config", "nowhere", "through/f"]
                .map(spanned)
                .into(),
            run: Vec::new(),
        };
        let done = set_up.copy(&from, &to);
        assert_eq!(done.copied, [".env", "config"]);
        let through = to.join("through").display().to_string();
        assert_eq!(
            done.left_out,
            [
                "`nowhere`: the main worktree has none".to_owned(),
                format!("`through/f`: `{through}` is a symbolic link"),
            ]
        );
        let text = |path: &str| fs::read_to_string(to.join(path)).unwrap();
        assert_eq!(text(".env"), "KEY=1\n");
        let mode = fs::metadata(to.join(".env")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!([text("config/a"), text("config/b")], ["its own", "main's"]);
        assert!(to.join("config/link").is_symlink());
        assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
    }
}
