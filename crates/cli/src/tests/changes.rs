//! What a worktree changed, from the command line.

use std::path::Path;
use std::process::Command;

use super::{alone, run_in};

fn git(directory: &Path, arguments: &[&str]) {
    let ran = Command::new("git")
        .current_dir(directory)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "you")
        .env("GIT_AUTHOR_EMAIL", "you@example.com")
        .env("GIT_COMMITTER_NAME", "you")
        .env("GIT_COMMITTER_EMAIL", "you@example.com")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "git {arguments:?}: {said}");
}

/// A repository, and a worktree `app-2` of it with something in every view.
fn worktree(home: &Path) -> String {
    let main = home.join("app");
    std::fs::create_dir(&main).unwrap();
    git(&main, &["init", "-q", "-b", "main"]);
    std::fs::write(main.join("list"), "one\ntwo\nthree\n").unwrap();
    std::fs::write(main.join("gone"), "x\n").unwrap();
    git(&main, &["add", "-A"]);
    git(&main, &["commit", "-q", "-m", "x"]);
    git(&main, &["worktree", "add", "-q", "-b", "topic", "../app-2"]);
    let other = home.join("app-2");
    git(&other, &["mv", "gone", "moved"]);
    git(&other, &["commit", "-q", "-m", "x"]);
    std::fs::write(other.join("list"), "one\n2\nthree\n").unwrap();
    git(&other, &["add", "-A"]);
    std::fs::write(other.join("list"), "one\n2\nthree\nfour").unwrap();
    std::fs::write(other.join("\u{1b}new"), "a\tb\u{1b}[2J\r\n").unwrap();
    other.display().to_string()
}

#[test]
fn a_worktree_is_listed_by_how_far_its_changes_got() {
    let home = tempfile::tempdir().unwrap();
    let path = worktree(home.path());
    let ran = run_in(home.path(), &["changes", "--worktree", &path]);
    insta::assert_snapshot!(ran.shown(home.path()), @"
    topic: 1 commit since main
    VIEW       CHANGE   FILE          ADDED  REMOVED
    staged     changed  list              1        1
    unstaged   changed  list              1        0
    untracked  new       new              1        0
    committed  renamed  gone → moved      0        0
    [0]
    ");
    let ran = run_in(
        home.path(),
        &[
            "changes",
            "--worktree",
            &path,
            "--view",
            "whole",
            "list",
            "--diff",
        ],
    );
    insta::assert_snapshot!(ran.shown(home.path()), @r"
    topic: 1 commit since main
    VIEW   CHANGE   FILE  ADDED  REMOVED
    whole  changed  list      2        1

    whole: list (changed)
    @@ -1,3 +1,4 @@
     one
    -two
    +2
     three
    +four
    \ No newline at end of file
    [0]
    ");
    let ran = run_in(
        home.path(),
        &[
            "changes",
            "--worktree",
            &path,
            "--view",
            "untracked",
            "--diff",
        ],
    );
    insta::assert_snapshot!(ran.shown(home.path()), @"
    topic: 1 commit since main
    VIEW       CHANGE  FILE  ADDED  REMOVED
    untracked  new      new      1        0

    untracked: �new (new)
    @@ -0,0 +1,1 @@
    +a	b�[2J␍
    [0]
    ");
}

#[test]
fn only_what_lies_below_a_path_is_listed() {
    let home = tempfile::tempdir().unwrap();
    let path = worktree(home.path());
    let below = |wanted: &str| {
        let asked = ["changes", "--worktree", &path, "--view", "staged", wanted];
        run_in(home.path(), &asked).shown(home.path())
    };
    assert!(below(".").contains("list"));
    assert_eq!(below("."), below("./list"));
    insta::assert_snapshot!(below("nowhere"), @"
    topic: 1 commit since main
    Nothing changed in `nowhere`.
    [0]
    ");
}

#[test]
fn programs_are_told_the_same() {
    let home = tempfile::tempdir().unwrap();
    let path = worktree(home.path());
    let ran = run_in(
        home.path(),
        &[
            "changes",
            "--worktree",
            &path,
            "--view",
            "committed",
            "--diff",
            "--json",
        ],
    );
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["branch"], "topic");
    assert_eq!(told["base"]["name"], "main");
    assert_eq!(told["views"][0]["view"], "committed");
    assert_eq!(told["views"][0]["files"][0]["from"], "gone");
    assert_eq!(told["diffs"][0]["file"]["path"], "moved");
    assert_eq!(told["diffs"][0]["content"]["content"], "text");
}

#[test]
fn what_is_not_there_is_said() {
    let home = tempfile::tempdir().unwrap();
    let path = worktree(home.path());
    let ran = run_in(
        home.path(),
        &["changes", "--worktree", &path, "--base", "nowhere"],
    );
    insta::assert_snapshot!(ran.shown(home.path()), @"
    switchyard: there is no branch or commit `nowhere` to compare with
    [2]
    ");
    insta::assert_snapshot!(alone(&["changes", "--view", "all"]), @"
    switchyard: invalid value 'all' for '--view <VIEW>': `all` is no view; there are staged, unstaged, untracked, committed, whole

    For more information, try '--help'.
    [2]
    ");
}
