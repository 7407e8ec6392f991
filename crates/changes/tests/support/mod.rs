//! A real repository to spoil, and what git says of it.

#![allow(dead_code, clippy::unwrap_used)] // each test file uses its own part; a helper may panic

pub(crate) mod acts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use changes::{ChangesError, Worktree};
use git::Program;

/// A repository on `main`.
pub(crate) struct Repo {
    _home: tempfile::TempDir,
    root: PathBuf,
}

fn output(directory: &Path, index: Option<&Path>, args: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.envs(index.map(|index| ("GIT_INDEX_FILE", index)));
    command
        .current_dir(directory)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "a");
        command.env(format!("GIT_{who}_EMAIL"), "a@b");
    }
    command.output().unwrap()
}

/// What git prints; it must succeed.
pub(crate) fn bytes(directory: &Path, args: &[&str]) -> Vec<u8> {
    printed(args, output(directory, None, args))
}

fn printed(args: &[&str], output: Output) -> Vec<u8> {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
    output.stdout
}

/// The same as text, without the end of its line.
pub(crate) fn git(directory: &Path, args: &[&str]) -> String {
    String::from_utf8_lossy(&bytes(directory, args))
        .trim_end()
        .to_owned()
}

impl Repo {
    pub(crate) fn empty() -> Self {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().canonicalize().unwrap().join("main");
        fs::create_dir(&root).unwrap();
        git(&root, &["init", "-q", "-b", "main", "."]);
        Self { _home: home, root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn worktree(&self) -> Worktree {
        Worktree::open(&self.root, program()).unwrap()
    }

    pub(crate) fn named(&self, name: &str) -> Result<Worktree, ChangesError> {
        Worktree::named(&self.root, name, program())
    }

    /// What git prints by another index; it must succeed.
    pub(crate) fn bytes_by(&self, index: &Path, args: &[&str]) -> Vec<u8> {
        printed(args, output(&self.root, Some(index), args))
    }

    /// What git prints; none when it fails.
    pub(crate) fn try_git(&self, args: &[&str]) -> Option<String> {
        let output = output(&self.root, None, args);
        let text = String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned();
        output.status.success().then_some(text)
    }
}

pub(crate) fn program() -> Program {
    Program {
        path: "git".into(),
        deadline: Duration::from_secs(60),
    }
}

/// A repository in the middle of a merge that stopped at `f`.
pub(crate) fn merge_conflict() -> Repo {
    let repo = Repo::empty();
    let commit = |text: &str| {
        fs::write(repo.root().join("f"), text).unwrap();
        git(repo.root(), &["add", "-A"]);
        git(repo.root(), &["commit", "-q", "-m", "x"]);
    };
    commit("base\n");
    git(repo.root(), &["checkout", "-q", "-b", "topic"]);
    commit("theirs\n");
    git(repo.root(), &["checkout", "-q", "main"]);
    commit("ours\n");
    repo.try_git(&["merge", "topic"]);
    repo
}
