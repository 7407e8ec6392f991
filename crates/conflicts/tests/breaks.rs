//! What one worktree takes away and another one's change uses, in real worktrees.

#![allow(clippy::unwrap_used)] // helpers of tests may panic, too

mod support;

use std::fs;
use std::path::PathBuf;

use conflicts::{
    ConflictEvent, ConflictWatcher, LineRange, Picture, ProposedChange, WatchConfig, look, look_at,
};
use support::{Repo, commit, config, drain, fresh, git, merge_tree, say, until, write};

const STORE: &str = "\
pub struct Store;

impl Store {
    pub fn fetch_all(&self) {}
}

pub fn open_store(path: &str) -> Store {
    Store
}

pub fn old_name() {}
";

const MAIN: &str = "\
use crate::store::{Store, open_store, old_name};

fn main() {
    let first = 1;
    let second = 2;
    let third = 3;
}
";

fn looking() -> WatchConfig {
    WatchConfig {
        breaks: true,
        ..config()
    }
}

fn all() -> conflicts::ConflictFilter {
    conflicts::ConflictFilter {
        at_least: Some(conflicts::Severity::Identical),
        ..Default::default()
    }
}

/// A repository in Rust, with one worktree that changes what the store gives and one that uses it.
fn two() -> (Repo, PathBuf, PathBuf) {
    let repo = Repo::with(&[("src/store.rs", STORE), ("src/main.rs", MAIN)]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    (repo, one, two)
}

fn seen(repo: &Repo) -> Picture {
    look(&repo.main(), &looking(), &all()).unwrap()
}

#[test]
fn a_use_of_what_the_other_side_changed_is_told_though_a_merge_goes_through() {
    let (repo, one, two) = two();
    let other = STORE
        .replace("path: &str)", "path: &str, mode: u8)")
        .replace("fetch_all", "fetch_some")
        .replace("pub fn old_name() {}\n", "");
    write(&one.join("src/store.rs"), other);
    let uses = MAIN
        .replace("let first = 1", "let first = open_store(\"a\")")
        .replace(
            "let third = 3",
            "first.fetch_all(); old_name(); open_store(\"b\")",
        );
    write(&two.join("src/main.rs"), uses);
    let picture = seen(&repo);
    insta::assert_snapshot!(say(&picture), @"src/main.rs: one two breaks (one changes the parameters of `open_store` (src/store.rs line 7), which two uses in lines 4, 6)");
    let told: Vec<_> = picture.verdicts[0]
        .breaks
        .iter()
        .map(|one| {
            format!(
                "{} {:?} {}:{} in {:?}",
                one.name, one.change, one.path, one.line, one.lines
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    open_store Parameters src/store.rs:7 in [4, 6]
    Store.fetch_all Renamed { to: "fetch_some" } src/store.rs:4 in [6]
    old_name Removed src/store.rs:11 in [6]
    "#);
    assert!(merge_tree(&repo, &one, &two).is_empty());
    // Nobody asked for it.
    assert_eq!(say(&fresh(&repo.main())), "");
    // Committed, it is the same; and gone as soon as the use is.
    commit(&one);
    commit(&two);
    assert_eq!(say(&seen(&repo)), say(&picture));
    git(&two, &["reset", "-q", "--hard", "main"]);
    assert_eq!(say(&seen(&repo)), "");
}

#[test]
fn a_file_that_both_changed_tells_both() {
    let (repo, one, two) = two();
    write(
        &one.join("src/store.rs"),
        STORE.replace("path: &str)", "path: &str, mode: u8)"),
    );
    write(
        &one.join("src/main.rs"),
        MAIN.replace("let third = 3", "let third = 4"),
    );
    write(
        &two.join("src/main.rs"),
        MAIN.replace("let first = 1", "let first = open_store(\"a\")"),
    );
    insta::assert_snapshot!(say(&seen(&repo)), @"src/main.rs: one two breaks (one changes the parameters of `open_store` (src/store.rs line 7), which two uses in line 4)");
    // Lines that meet are worse, and what breaks is told beside.
    write(
        &one.join("src/main.rs"),
        MAIN.replace("let first = 1", "let first = 4"),
    );
    let picture = seen(&repo);
    insta::assert_snapshot!(say(&picture), @"src/main.rs: one two same_line, conflict");
    assert_eq!(picture.verdicts[0].breaks.len(), 1);
}

#[test]
fn who_adapts_to_the_change_breaks_nothing() {
    let (repo, one, two) = two();
    let changed = STORE.replace("path: &str)", "path: &str, mode: u8)");
    for root in [&one, &two] {
        write(&root.join("src/store.rs"), &changed);
    }
    write(
        &two.join("src/main.rs"),
        MAIN.replace("let first = 1", "let first = open_store(\"a\", 1)"),
    );
    insta::assert_snapshot!(say(&seen(&repo)), @"src/store.rs: one two identical");
}

#[test]
fn a_watcher_tells_it_as_it_comes_and_goes_and_when_it_is_switched() {
    let (repo, one, two) = two();
    let watcher = ConflictWatcher::open(&repo.main(), looking()).unwrap();
    let mut events = watcher.events();
    write(
        &two.join("src/main.rs"),
        MAIN.replace("let first = 1", "let first = open_store(\"a\")"),
    );
    write(
        &one.join("src/store.rs"),
        STORE.replace("path: &str)", "path: &str, mode: u8)"),
    );
    let breaks = |picture: &Picture| say(picture).contains("src/main.rs: one two breaks");
    until(&watcher, "a break", breaks);
    let told = drain(&mut events);
    assert!(told.iter().any(
        |event| matches!(event, ConflictEvent::Verdict { verdict } if !verdict.breaks.is_empty())
    ));
    // Both sides in their context, each of its own file.
    let key = watcher.verdicts()[0].key();
    let details = watcher.details(&key).unwrap();
    assert_eq!(details.verdict.left.path.to_string(), "src/store.rs");
    assert_eq!(details.verdict.right.path.to_string(), "src/main.rs");
    assert_eq!((details.left.len(), details.right.len()), (1, 1));
    assert_eq!(details.merged, None);
    watcher.set_breaks(false);
    until(&watcher, "none", |picture| picture.verdicts.is_empty());
    watcher.set_breaks(true);
    until(&watcher, "a break again", breaks);
    write(&one.join("src/store.rs"), STORE);
    until(&watcher, "none again", |picture| {
        picture.verdicts.is_empty()
    });
}

#[test]
fn a_check_tells_what_the_lines_and_the_new_text_use() {
    let (repo, one, two) = two();
    let uses = MAIN.replace("let second = 2", "let second = open_store(\"a\")");
    write(&two.join("src/main.rs"), &uses);
    commit(&two);
    write(
        &one.join("src/store.rs"),
        STORE.replace("path: &str)", "path: &str, mode: u8)"),
    );
    let watcher = ConflictWatcher::open(&repo.main(), looking()).unwrap();
    let asked = |lines: &[u32], new_text: Option<&str>| {
        let change = ProposedChange {
            file: "src/main.rs".to_owned(),
            lines: lines
                .iter()
                .map(|&line| LineRange {
                    start: line,
                    end: line + 1,
                })
                .collect(),
            worktree: "two".to_owned(),
            new_text: new_text.map(str::to_owned),
        };
        let alone = look_at(&repo.main(), &looking(), &change).unwrap();
        let answer = watcher.check(&change).unwrap();
        let told = |answer: &conflicts::CheckAnswer| {
            let told = answer.touches.iter().map(conflicts::Touch::told);
            told.collect::<Vec<_>>().join("\n\n")
        };
        assert_eq!(told(&alone), told(&answer));
        told(&answer).replace(&repo.dir().display().to_string(), "DIR")
    };
    insta::assert_snapshot!(asked(&[5], None), @"
    The worktree `one` (branch `one`) changes the parameters of `open_store`: `src/store.rs`, line 7
    @@ -4,7 +4,7 @@
         pub fn fetch_all(&self) {}
     }
     
    -pub fn open_store(path: &str) -> Store {
    +pub fn open_store(path: &str, mode: u8) -> Store {
         Store
     }
     
    Its version: DIR/one/src/store.rs
    ");
    assert_eq!(asked(&[4], None), "");
    assert!(asked(&[4], Some("    open_store(\"b\");\n")).contains("`open_store`"));
    assert_eq!(
        asked(&[4], Some("    other::open_store(\"b\"); // open_store(\n")),
        ""
    );
}

#[test]
fn texts_too_large_and_too_many_are_left_out_with_a_note() {
    let (repo, one, two) = two();
    let large = format!("{STORE}{}", "// nothing\n".repeat(60_000));
    write(
        &one.join("src/store.rs"),
        large.replace("path: &str)", "path: &str, mode: u8)"),
    );
    write(
        &two.join("src/main.rs"),
        MAIN.replace("let first = 1", "let first = open_store(\"a\")"),
    );
    let picture = seen(&repo);
    assert_eq!(say(&picture), "");
    assert!(!picture.incomplete);
    insta::assert_snapshot!(picture.notes.join("\n"), @"`one`: what 1 of its changed files define and use is not looked at: too large, or too many");
    fs::remove_file(one.join("src/store.rs")).unwrap();
    write(&one.join("src/store.rs"), STORE);
    for number in 0..450 {
        write(
            &one.join(format!("src/new-{number}.rs")),
            format!("fn f{number}() {{}}\n"),
        );
    }
    write(&two.join("src/new-1.rs"), "fn g() {}\n");
    insta::assert_snapshot!(seen(&repo).notes.join("\n"), @"`one`: what 50 of its changed files define and use is not looked at: too large, or too many");
}
