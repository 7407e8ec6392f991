//! Worktrees, made for somebody who is to work in one.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::{App, Code, Error};

/// A worktree that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct MadeWorktree {
    /// Its directory.
    pub path: String,
    /// The branch that it is on.
    pub branch: String,
}

impl App {
    /// Makes a worktree with a branch of its own, beside the main checkout: `name` names both.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when `directory` is in no repository or `name` can't name a branch,
    /// [`Code::Refused`] with git's words when there is such a branch or directory.
    pub async fn add_worktree(&self, directory: &str, name: &str) -> Result<MadeWorktree, Error> {
        let listed = git(
            Path::new(directory),
            ["worktree", "list", "--porcelain", "-z"],
        )
        .await?;
        let main = main_of(&listed);
        let (Some(main), Some(file)) = (main, main.and_then(Path::file_name)) else {
            return Err(Error::new(
                Code::BadParams,
                format!("`{directory}` is in no repository with a checkout"),
            ));
        };
        let named = git(main, ["check-ref-format", "--branch", name]).await;
        if named.is_err() || name.starts_with('-') {
            return Err(Error::new(
                Code::BadParams,
                format!(
                    "`name` is `{name}`, which can't name a branch; use letters, digits, `-` and `/`"
                ),
            ));
        }
        let mut beside = file.to_owned();
        beside.push("-");
        beside.push(name.replace('/', "-"));
        let path = main.with_file_name(beside);
        let text = path.display().to_string();
        add(main, name, &path).await?;
        Ok(MadeWorktree {
            path: text,
            branch: name.to_owned(),
        })
    }
}

/// Makes a worktree at `path` with a new branch, of the repository that `directory` is in.
///
/// # Errors
///
/// [`Code::Refused`] with git's words.
pub(crate) async fn add(directory: &Path, branch: &str, path: &Path) -> Result<(), Error> {
    let adding = ["worktree", "add", "-b", branch, "--"].map(OsStr::new);
    git(directory, adding.into_iter().chain([path.as_os_str()]))
        .await
        .map(drop)
        .map_err(|error| Error::new(Code::Refused, error.message))
}

/// Runs git in a directory; what it prints, or its last words as an error.
pub(crate) async fn git(
    directory: &Path,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<String, Error> {
    let ran = tokio::process::Command::new("git")
        .args(args)
        .current_dir(directory)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| {
            Error::new(
                Code::BadParams,
                format!("git could not be run in `{}`: {error}", directory.display()),
            )
        })?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    Err(Error::new(
        Code::BadParams,
        format!(
            "`{}`: {}",
            directory.display(),
            said.trim().lines().last().unwrap_or("git failed")
        ),
    ))
}

/// The main checkout, which `git worktree list --porcelain -z` names first.
pub(crate) fn main_of(listed: &str) -> Option<&Path> {
    listed
        .split('\0')
        .find_map(|line| line.strip_prefix("worktree "))
        .map(Path::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_checkout_is_named_first() {
        let listed = "worktree /w/ma in\0HEAD 1\0branch refs/heads/main\0\0worktree /w/b\0HEAD 2\0detached\0\0";
        assert_eq!(main_of(listed), Some(Path::new("/w/ma in")));
        assert_eq!(main_of(""), None);
    }
}
