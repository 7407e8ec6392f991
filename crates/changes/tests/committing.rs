//! Commits, with hooks that agree and hooks that do not.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may panic

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use changes::{ChangesError, CommitRequest, Committed};
use support::{Repo, bytes, git, merge_conflict};

/// A repository with one commit by somebody who may commit, one file staged, one changed and one new.
fn prepared() -> Repo {
    let repo = Repo::empty();
    let root = repo.root();
    git(root, &["config", "user.name", "you"]);
    git(root, &["config", "user.email", "you@example.com"]);
    for name in ["staged", "changed"] {
        fs::write(root.join(name), "one\n").unwrap();
    }
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "First"]);
    for name in ["staged", "changed", "new"] {
        fs::write(root.join(name), "two\n").unwrap();
    }
    git(root, &["add", "staged"]);
    repo
}

fn hook(repo: &Repo, name: &str, script: &str) {
    let place = repo.root().join(".git/hooks").join(name);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
}

fn commit(repo: &Repo, message: &str, amend: bool, all: bool) -> Result<Committed, ChangesError> {
    repo.worktree().commit(&CommitRequest {
        message: message.to_owned(),
        amend,
        all,
    })
}

/// The commits with their messages and files.
fn log(repo: &Repo) -> String {
    git(
        repo.root(),
        &["log", "--format=%an: %B", "--name-only", "--root"],
    )
}

#[test]
fn what_is_staged_is_committed_and_nothing_else() {
    let repo = prepared();
    hook(&repo, "pre-commit", "echo checking >&2; echo all is well");
    hook(&repo, "commit-msg", "echo 'Reviewed-by: me' >> \"$1\"");
    let made = commit(&repo, "Second\n\nwith why\n", false, false).unwrap();
    assert_eq!(made.subject, "Second");
    assert_eq!(made.commit, git(repo.root(), &["rev-parse", "HEAD"]));
    assert!(made.said.contains("checking"), "{}", made.said);
    assert!(made.said.contains("all is well"), "{}", made.said);
    assert!(log(&repo).starts_with("you: Second\n\nwith why\nReviewed-by: me\n\n\nstaged\n"));
    let left = git(repo.root(), &["status", "--porcelain"]);
    assert_eq!(left, " M changed\n?? new");
}

#[test]
fn all_of_it_is_committed_with_what_is_new() {
    let repo = prepared();
    commit(&repo, "Second", false, true).unwrap();
    assert_eq!(git(repo.root(), &["status", "--porcelain"]), "");
    assert!(log(&repo).starts_with("you: Second\n\n\nchanged\nnew\nstaged\n"));
}

#[test]
fn a_hook_that_says_no_is_heard_and_what_was_staged_is_staged() {
    let repo = prepared();
    hook(
        &repo,
        "pre-commit",
        "echo 'lint: two words' >&2; echo 'line 7' >&2; exit 1",
    );
    let index = |repo: &Repo| bytes(repo.root(), &["ls-files", "--stage", "-z"]);
    let before = (index(&repo), log(&repo));
    for all in [false, true] {
        let refused = commit(&repo, "Second", false, all).unwrap_err();
        let told = refused.to_string();
        assert!(told.ends_with("lint: two words\nline 7"), "{told}");
        assert_eq!((index(&repo), log(&repo)), before);
        assert!(!repo.root().join(".git/index.lock").exists());
    }
}

#[test]
fn the_last_commit_gets_other_words_or_other_files() {
    let repo = prepared();
    commit(&repo, "Better words", true, false).unwrap();
    assert_eq!(repo.worktree().last_message().unwrap(), "Better words");
    git(repo.root(), &["add", "new"]);
    let made = commit(&repo, "", true, false).unwrap();
    assert_eq!(made.subject, "Better words");
    assert!(log(&repo).starts_with("a: Better words\n\n\nchanged\nnew\nstaged"));
    assert_eq!(git(repo.root(), &["rev-list", "--count", "HEAD"]), "1");
}

#[test]
fn the_first_commit_is_one_too_and_a_refused_one_leaves_no_index() {
    let repo = Repo::empty();
    git(repo.root(), &["config", "user.name", "you"]);
    git(repo.root(), &["config", "user.email", "you@example.com"]);
    fs::write(repo.root().join("new"), "x\n").unwrap();
    assert_eq!(repo.worktree().last_message(), None);
    hook(&repo, "pre-commit", "exit 3");
    commit(&repo, "First", false, true).unwrap_err();
    assert_eq!(git(repo.root(), &["status", "--porcelain"]), "?? new");
    hook(&repo, "pre-commit", "exit 0");
    commit(&repo, "First", false, true).unwrap();
    assert_eq!(git(repo.root(), &["status", "--porcelain"]), "");
}

#[test]
fn what_is_no_commit_is_said() {
    let repo = prepared();
    let told = |done: Result<Committed, ChangesError>| {
        let root = repo.root().display().to_string();
        done.unwrap_err().to_string().replace(&root, "/repo")
    };
    assert_eq!(
        told(commit(&repo, " \n", false, false)),
        "nothing was committed in `/repo`: a commit needs a message"
    );
    git(repo.root(), &["reset", "-q", "--hard"]);
    fs::remove_file(repo.root().join("new")).unwrap();
    let none = told(commit(&repo, "Second", false, false));
    assert!(none.contains("nothing to commit"), "{none}");
}

#[test]
fn all_is_not_staged_over_what_a_merge_left_to_be_resolved() {
    let repo = merge_conflict();
    let refused = commit(&repo, "Merged", false, true).unwrap_err();
    assert!(
        refused.to_string().contains("a merge left files"),
        "{refused}"
    );
    let left = git(repo.root(), &["ls-files", "--unmerged"]);
    assert_eq!(left.lines().count(), 3);
}
