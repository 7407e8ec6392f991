//! The git worktrees that steps of runs were given: which there are, what they hold, and their end.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::worktrees::git;
use crate::{App, Error};

/// A git worktree that an attempt at a step was given as its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunWorktree {
    /// The run.
    pub run: String,
    /// The step.
    pub step: String,
    /// The attempt.
    pub attempt: u32,
    /// Where it is.
    pub path: String,
    /// What would be lost with it, for a person; none: all of it is somewhere else as well.
    pub holds: Option<String>,
}

/// Reads the name of a worktree's directory: a run, a step, an attempt.
fn named(path: &Path) -> Option<(String, String, u32)> {
    let (run, rest) = path.file_name()?.to_str()?.split_once('-')?;
    let (step, attempt) = rest.rsplit_once('-')?;
    Some((run.to_owned(), step.to_owned(), attempt.parse().ok()?))
}

/// The git branch of a worktree; none: it is on none.
async fn branch_of(path: &Path) -> Result<Option<String>, Error> {
    let name = git(path, &["branch", "--show-current"]).await?;
    Ok(Some(name.trim().to_owned()).filter(|name| !name.is_empty()))
}

/// What would be lost with a worktree: what is not committed, and commits that no other branch and no remote has.
async fn holds(path: &Path) -> Result<Option<String>, Error> {
    let changed = git(path, &["status", "--porcelain"]).await?.lines().count();
    if changed > 0 {
        return Ok(Some(format!("{changed} files that are not committed")));
    }
    let mut arguments = vec!["rev-list", "--count", "HEAD", "--not", "--remotes"];
    let exclude = branch_of(path)
        .await?
        .map(|branch| format!("--exclude={branch}"));
    arguments.extend(exclude.as_deref());
    arguments.push("--branches");
    let commits = git(path, &arguments).await?;
    let commits = commits.trim();
    Ok((commits != "0").then(|| format!("{commits} commits that are not merged and not pushed")))
}

async fn list(directory: &Path, run: Option<&str>) -> Vec<RunWorktree> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Some((of, step, attempt)) = named(&path) else {
            continue;
        };
        if run.is_some_and(|run| run != of) {
            continue;
        }
        found.push(RunWorktree {
            run: of,
            step,
            attempt,
            path: path.display().to_string(),
            // What can't be looked at is not thrown away.
            holds: holds(&path)
                .await
                .unwrap_or_else(|error| Some(error.message)),
        });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Removes a worktree that holds nothing, and its git branch.
async fn remove(worktree: &RunWorktree) -> Result<(), Error> {
    let path = PathBuf::from(&worktree.path);
    let branch = branch_of(&path).await?;
    let common = ["rev-parse", "--path-format=absolute", "--git-common-dir"];
    let common = git(&path, &common).await?;
    // Refused by git itself when something changed since it was looked at.
    git(
        Path::new(common.trim()),
        &["worktree", "remove", &worktree.path],
    )
    .await?;
    if let Some(branch) = branch {
        git(Path::new(common.trim()), &["branch", "-D", "--", &branch]).await?;
    }
    Ok(())
}

impl App {
    /// The git worktrees that steps of runs were given: of one run, or of all.
    pub async fn run_worktrees(&self, run: Option<&str>) -> Vec<RunWorktree> {
        list(&self.0.paths.data().join("worktrees"), run).await
    }

    /// Removes the git worktrees of a run that hold nothing which is nowhere else, with their git branches. Gives those that
    /// stay.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`](crate::Code::BadParams) when git refuses.
    pub async fn remove_run_worktrees(&self, run: &str) -> Result<Vec<RunWorktree>, Error> {
        let mut stay = self.run_worktrees(Some(run)).await;
        for worktree in stay.extract_if(.., |worktree| worktree.holds.is_none()) {
            remove(&worktree).await?;
        }
        Ok(stay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with one commit, and a worktree of it as a step has it.
    async fn worktree(home: &Path) -> (PathBuf, PathBuf) {
        let (repository, path) = (
            home.join("repository"),
            home.join("worktrees/abcd2345-fix-it-1"),
        );
        std::fs::create_dir(&repository).unwrap();
        let at = path.display().to_string();
        let branch = "switchyard/abcd2345-fix-it-1";
        for arguments in [
            &["init", "-q", "-b", "main"][..],
            &["config", "user.name", "you"],
            &["config", "user.email", "you@example.com"],
            &["commit", "-q", "--allow-empty", "-m", "first"],
            &["worktree", "add", "-q", "-b", branch, &at],
        ] {
            git(&repository, arguments).await.unwrap();
        }
        (repository, path)
    }

    #[tokio::test]
    async fn a_worktree_stays_while_it_holds_what_is_nowhere_else() {
        let home = tempfile::tempdir().unwrap();
        let (repository, path) = worktree(home.path()).await;
        let directory = home.path().join("worktrees");
        let held = async || {
            let mut found = list(&directory, Some("abcd2345")).await;
            let only = found.pop().unwrap();
            assert_eq!((only.step.as_str(), only.attempt), ("fix-it", 1));
            only.holds
        };
        assert_eq!(held().await, None);
        std::fs::write(path.join("new"), "x").unwrap();
        assert_eq!(
            held().await.as_deref(),
            Some("1 files that are not committed")
        );
        git(&path, &["add", "new"]).await.unwrap();
        git(&path, &["commit", "-q", "-m", "new"]).await.unwrap();
        assert_eq!(
            held().await.as_deref(),
            Some("1 commits that are not merged and not pushed")
        );
        git(
            &repository,
            &["merge", "-q", "switchyard/abcd2345-fix-it-1"],
        )
        .await
        .unwrap();
        assert_eq!(held().await, None);
        remove(&list(&directory, None).await[0]).await.unwrap();
        assert!(!path.exists());
        assert_eq!(
            git(&repository, &["branch", "--list", "switchyard/*"])
                .await
                .unwrap(),
            ""
        );
        assert_eq!(list(&directory, None).await, []);
    }

    #[tokio::test]
    async fn what_can_t_be_looked_at_stays() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("abcd2345-x-1")).unwrap();
        let found = list(home.path(), None).await;
        assert!(found[0].holds.is_some(), "{found:?}");
    }
}
