//! Folders, as a person finds them by typing: what is below, and whether a terminal can start there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use specta::Type;

use crate::{App, Code, Error};

/// So many folders are offered.
const OFFERED: usize = 100;
/// So many entries of a directory are looked at: nobody finds a folder among more by reading.
const LOOKED_AT: usize = 20_000;

/// What a path leads to while it is typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
pub struct FolderLook {
    /// Why no terminal can start there, for a person; none: it can.
    pub problem: Option<String>,
    /// The folders whose paths begin with what was typed, whatever its case, by name. Hidden ones only where the typed
    /// name begins with a dot.
    pub below: Vec<FolderBelow>,
    /// There are more than these.
    pub more: bool,
}

/// A folder that a typed path could lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
pub struct FolderBelow {
    /// Its full path.
    pub path: String,
    /// Whether a git repository or a worktree is there.
    pub repository: bool,
}

impl App {
    /// Looks where a path leads that a person types: what is wrong with it, and which folders complete it, at most 100.
    /// A path that ends with `/` is completed by all folders in it.
    ///
    /// # Errors
    ///
    /// [`Code::Failed`] when the look did not finish.
    pub async fn look_for_folders(&self, typed: String) -> Result<FolderLook, Error> {
        tokio::task::spawn_blocking(move || {
            let (below, more) = folders_below(&typed);
            FolderLook {
                problem: problem_of(Path::new(&typed)),
                below,
                more,
            }
        })
        .await
        .map_err(|error| Error::new(Code::Failed, error.to_string()))
    }
}

/// Why no program can be started in `folder`.
fn problem_of(folder: &Path) -> Option<String> {
    if !folder.is_absolute() {
        return Some("a folder's full path begins with `/` or `~`".to_owned());
    }
    // Only who may enter a directory can ask for what is in it, and that it is one.
    let error = fs::metadata(folder.join(".")).err()?;
    let shown = folder.display();
    Some(match error.kind() {
        io::ErrorKind::NotFound => match nearest(folder) {
            Some((parent, missing)) => {
                format!("there is no `{missing}` in `{}`", parent.display())
            }
            None => format!("there is no folder `{shown}`"),
        },
        io::ErrorKind::NotADirectory => format!("`{shown}` is not a folder"),
        io::ErrorKind::PermissionDenied => {
            format!("`{shown}` can't be entered: you have no permission")
        }
        _ => format!("`{shown}` can't be entered: {error}"),
    })
}

/// The deepest directory on the way that there is, and the name that is not in it.
fn nearest(folder: &Path) -> Option<(&Path, &str)> {
    let parts = folder.ancestors().zip(folder.ancestors().skip(1));
    parts
        .into_iter()
        .find(|(_, parent)| parent.is_dir())
        .and_then(|(missing, parent)| Some((parent, missing.file_name()?.to_str()?)))
}

fn folders_below(typed: &str) -> (Vec<FolderBelow>, bool) {
    let Some(slash) = typed.rfind('/').filter(|_| typed.starts_with('/')) else {
        return (Vec::new(), false);
    };
    let (parent, begun) = typed.split_at(slash + 1);
    let begun = begun.to_lowercase();
    let Ok(entries) = fs::read_dir(parent) else {
        return (Vec::new(), false);
    };
    let mut entries = entries.flatten();
    let mut names: Vec<(String, PathBuf)> = entries
        .by_ref()
        .take(LOOKED_AT)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let wanted = name.to_lowercase().starts_with(&begun)
                && name.starts_with('.') == begun.starts_with('.');
            (wanted && is_folder(&entry)).then(|| (name, entry.path()))
        })
        .collect();
    let more = names.len() > OFFERED || entries.next().is_some();
    names.sort_by_cached_key(|(name, _)| name.to_lowercase());
    names.truncate(OFFERED);
    let below = names.into_iter().filter_map(|(_, path)| {
        Some(FolderBelow {
            repository: path.join(".git").exists(),
            path: path.to_str()?.to_owned(),
        })
    });
    (below.collect(), more)
}

/// Whether an entry is a directory, or leads to one.
fn is_folder(entry: &fs::DirEntry) -> bool {
    match entry.file_type() {
        Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
        Ok(kind) => kind.is_dir(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with folders `Api`, `app` (a repository), `.hidden`, a link to a folder and a file `apple`.
    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().expect("a temporary directory");
        for folder in ["Api", "app/.git", ".hidden", "web"] {
            fs::create_dir_all(home.path().join(folder)).expect("made");
        }
        fs::write(home.path().join("apple"), "").expect("written");
        std::os::unix::fs::symlink("web", home.path().join("linked")).expect("linked");
        home
    }

    fn below(home: &tempfile::TempDir, typed: &str) -> Vec<String> {
        let root = home.path().display().to_string();
        let (below, more) = folders_below(&format!("{root}/{typed}"));
        assert!(!more);
        below
            .into_iter()
            .map(|folder| {
                let name = folder.path.replacen(&format!("{root}/"), "", 1);
                format!("{name}{}", if folder.repository { " (git)" } else { "" })
            })
            .collect()
    }

    #[test]
    fn a_typed_path_is_completed_by_folders_whatever_their_case() {
        let home = home();
        assert_eq!(below(&home, ""), ["Api", "app (git)", "linked", "web"]);
        assert_eq!(below(&home, "AP"), ["Api", "app (git)"]);
        assert_eq!(below(&home, "."), [".hidden"]);
        assert_eq!(below(&home, "nothing"), [""; 0]);
        assert_eq!(below(&home, "app/"), [""; 0]);
        assert_eq!(folders_below("app"), (Vec::new(), false));
    }

    #[test]
    fn of_many_folders_the_first_are_offered() {
        let home = tempfile::tempdir().expect("a temporary directory");
        for number in 0..=OFFERED {
            fs::create_dir(home.path().join(format!("{number:03}"))).expect("made");
        }
        let (below, more) = folders_below(&format!("{}/", home.path().display()));
        assert_eq!((below.len(), more), (OFFERED, true));
        assert!(below[0].path.ends_with("/000"));
    }

    #[test]
    fn what_is_wrong_with_a_path_is_said_where_it_goes_wrong() {
        let home = home();
        let root = home.path().display().to_string();
        let problem = |path: &str| {
            let problem = problem_of(&home.path().join(path));
            problem.map(|problem| problem.replace(&root, "~"))
        };
        assert_eq!(problem("app"), None);
        assert_eq!(problem("linked"), None);
        let missing = problem("app/deep/deeper");
        assert_eq!(missing.as_deref(), Some("there is no `deep` in `~/app`"));
        let file = problem("apple");
        assert_eq!(file.as_deref(), Some("`~/apple` is not a folder"));
        assert_eq!(
            problem_of(Path::new("app")).as_deref(),
            Some("a folder's full path begins with `/` or `~`")
        );
    }
}
