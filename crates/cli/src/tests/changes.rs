//! What a worktree changed, from the command line.

use std::path::Path;
use std::process::Command;

use super::{alone, run_in};

pub(super) fn git(directory: &Path, arguments: &[&str]) {
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

/// What a command prints, with `ID` for the names of snapshots.
fn without_ids(text: &str) -> String {
    let words = text.split_inclusive(|char: char| char.is_whitespace());
    words
        .map(|word| {
            let name = word.trim_end();
            match name.split('-').all(|part| part.parse::<u64>().is_ok()) && name.contains('-') {
                true => word.replace(name, "ID"),
                false => word.to_owned(),
            }
        })
        .collect()
}

#[test]
fn what_is_discarded_is_listed_and_given_back() {
    let home = tempfile::tempdir().unwrap();
    let path = worktree(home.path());
    let run = |args: &[&str]| {
        let at = ["--worktree", &path];
        let ran = run_in(home.path(), &[&["changes"], args, &at].concat());
        without_ids(&ran.shown(home.path()))
    };
    insta::assert_snapshot!(run(&["snapshots"]), @"
    Nothing that was discarded is kept.
    [0]
    ");
    let text = || std::fs::read_to_string(format!("{path}/list")).unwrap();
    let before = text();
    insta::assert_snapshot!(run(&["discard", "."]), @"
    Discarded 1 file.
    Back with it: switchyard changes undo ID
    [0]
    ");
    assert_eq!(text(), "one\n2\nthree\n");
    insta::assert_snapshot!(run(&["discard", "nowhere"]), @"
    switchyard: nothing that is unstaged is in `nowhere`
    [1]
    ");
    let listed = run_in(home.path(), &["changes", "snapshots", "--all", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(listed[0]["files"], serde_json::json!(["list"]));
    let id = listed[0]["id"].as_str().unwrap();
    let undone = run_in(home.path(), &["changes", "undo", id]);
    insta::assert_snapshot!(without_ids(&undone.shown(home.path())), @"
    Gave back 1 file in /home/me/app-2.
    Away with it again: switchyard changes undo ID
    [0]
    ");
    assert_eq!(text(), before);
    // As wide as the names are, which have the number of the process in them.
    let table = run(&["snapshots"]);
    let lines = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    ID BEFORE FILES WORKTREE
    ID an undo list /home/me/app-2
    ID a discard list /home/me/app-2
    [0]
    ");
    insta::assert_snapshot!(run_in(home.path(), &["changes", "undo", "1-2-3"]).shown(home.path()), @"
    switchyard: nothing that was discarded is kept as `1-2-3`; `switchyard changes snapshots --all` lists what is
    [1]
    ");
}

#[test]
fn what_is_staged_is_committed_and_all_of_it_when_nothing_is() {
    let home = tempfile::tempdir().unwrap();
    let path = worktree(home.path());
    git(Path::new(&path), &["config", "user.name", "you"]);
    git(
        Path::new(&path),
        &["config", "user.email", "you@example.com"],
    );
    let run = |args: &[&str]| {
        let at = ["--worktree", &path];
        run_in(home.path(), &[&["changes"], args, &at].concat())
    };
    let told = |ran: super::Ran| {
        let told = ran.shown(home.path());
        let id = |word: &str| word.len() == 11 && word[..10].bytes().all(|b| b.is_ascii_hexdigit());
        let words = told
            .split(' ')
            .map(|word| if id(word) { "ID:" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    insta::assert_snapshot!(told(run(&["commit", "-m", "Number it"])), @"
    Committed ID: Number it
    [0]
    ");
    insta::assert_snapshot!(told(run(&["commit", "-m", "And the rest", "-m", "Why not"])), @"
    Committed all, as ID: And the rest
    [0]
    ");
    let ran = run(&["commit", "-m", "Nothing"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("nothing to commit"), "{}", ran.err);
    insta::assert_snapshot!(told(run(&["commit", "--amend", "-m", "All the rest"])), @"
    Committed ID: All the rest
    [0]
    ");
    insta::assert_snapshot!(told(run(&["commit"])), @"
    switchyard: the following required arguments were not provided:
      --message <TEXT>

    Usage: switchyard changes commit --worktree <WORKTREE> --message <TEXT>

    For more information, try '--help'.
    [2]
    ");
}

#[test]
fn files_are_staged_and_unstaged() {
    let home = tempfile::tempdir().unwrap();
    let path = worktree(home.path());
    let run = |args: &[&str]| {
        let at = ["--worktree", &path];
        run_in(home.path(), &[&["changes"], args, &at].concat()).shown(home.path())
    };
    assert_eq!(run(&["stage", "."]), "Staged 2 files.\n[0]");
    assert_eq!(run(&["unstage", "./list"]), "Unstaged 1 file.\n[0]");
    insta::assert_snapshot!(run(&["--view", "staged"]), @"
    topic: 1 commit since main
    VIEW    CHANGE  FILE  ADDED  REMOVED
    staged  new      new      1        0
    [0]
    ");
}

#[test]
fn a_branch_is_landed_and_taken_back_and_a_conflict_is_told() {
    let home = tempfile::tempdir().unwrap();
    let path = worktree(home.path());
    let (app, topic) = (home.path().join("app"), home.path().join("app-2"));
    for (name, value) in [("user.name", "you"), ("user.email", "you@example.com")] {
        git(&app, &["config", name, value]);
    }
    let land = |more: &[&str]| {
        let words = [&["changes", "land", "--worktree", &path], more].concat();
        run_in(home.path(), &words).shown(home.path())
    };
    let held = land(&[]);
    assert!(held.contains("2 files are not committed"), "{held}");
    assert!(!app.join("moved").exists());
    let done = land(&["--without-uncommitted"]);
    assert!(done.contains("topic is in main ("), "{done}");
    assert!(app.join("moved").exists());
    let back = land(&["--undo"]);
    assert!(back.contains("main is at "), "{back}");
    assert!(!app.join("moved").exists());

    git(&topic, &["reset", "-q", "--hard"]);
    std::fs::remove_file(topic.join("\u{1b}new")).unwrap();
    std::fs::write(topic.join("list"), "1\n").unwrap();
    git(&topic, &["commit", "-q", "-a", "-m", "x"]);
    std::fs::write(app.join("list"), "eins\n").unwrap();
    git(&app, &["commit", "-q", "-a", "-m", "x"]);
    let told = land(&[]);
    assert!(
        told.contains("a merge of topic into main would stop at list"),
        "{told}"
    );
    assert!(told.contains("[1]"), "{told}");
}

#[test]
fn what_changed_since_a_moment_is_told_and_made_what_it_was() {
    let home = tempfile::tempdir().unwrap();
    let path = worktree(home.path());
    let run = |args: &[&str]| {
        let words = [&["changes"], args, &["--worktree", &path]].concat();
        without_ids(&run_in(home.path(), &words).shown(home.path()))
    };
    insta::assert_snapshot!(run(&["--since", "last"]), @"
    switchyard: no moment of this worktree is remembered; `switchyard changes remember` does
    [1]
    ");
    let remembered = run(&["remember", "before lunch"]);
    assert!(
        remembered.contains("changes --since last") && remembered.ends_with("[0]"),
        "{remembered}"
    );
    assert!(run(&["moments"]).contains("before lunch"));
    insta::assert_snapshot!(run(&["--since", "last"]), @"
    topic: 1 commit since main
    Nothing changed.
    [0]
    ");
    let list = format!("{path}/list");
    let before = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, "one\n2\nthree\nfour\nfive\n").unwrap();
    insta::assert_snapshot!(run(&["--since", "last", "--diff"]), @"
    topic: 1 commit since main
    VIEW   CHANGE   FILE  ADDED  REMOVED
    whole  changed  list      2        1

    whole: list (changed)
    @@ -1,4 +1,5 @@
     one
     2
     three
    -four
    \\ No newline at end of file
    +four
    +five
    [0]
    ");
    insta::assert_snapshot!(run(&["restore", "--since", "last", "."]), @"
    1 file is what it was then.
    Back: switchyard changes undo ID
    [0]
    ");
    assert_eq!(std::fs::read_to_string(&list).unwrap(), before);
    insta::assert_snapshot!(run(&["restore", "--since", "last", "."]), @"
    Nothing changed there since then.
    [0]
    ");
    let gone = run(&["--since", "1-2-3"]);
    assert!(gone.contains("no moment is called so"), "{gone}");
}
