//! What a worktree of many files changed, and the lines of a long one; beside `git status` and `git diff --stat`.
//!
//! `FILES` (50000), `CHANGED` (2000), `LINES` (100000) and `ROUNDS` (20) say how large and how often.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints, and fails as a whole"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use changes::{DiffQuestion, View, Worktree};
use git::Program;

fn main() {
    // Cargo asks what there is before it runs it.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let files = number("FILES", 50_000);
    let changed = number("CHANGED", 2_000).min(files);
    let lines = number("LINES", 100_000);
    let rounds = number("ROUNDS", 20);
    println!("{files} files, {changed} of them changed, one of {lines} lines");
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    repository(root, files, lines);
    for file in 0..changed {
        let path = path(file * (files / changed));
        let text = fs::read_to_string(root.join(&path)).unwrap();
        fs::write(root.join(path), text.replace("line 3", "another line")).unwrap();
    }
    let program = Program {
        path: "git".into(),
        deadline: Duration::from_secs(60),
    };
    let worktree = Worktree::open(root, program).unwrap();
    let parts = [
        View::Staged,
        View::Unstaged,
        View::Untracked,
        View::Committed,
    ];
    // In turns, so that all have the same at hand.
    let mut took = [const { Vec::new() }; 5];
    for _ in 0..=rounds {
        let mut measure = |which: usize, act: &dyn Fn()| {
            let began = Instant::now();
            act();
            took[which].push(began.elapsed());
        };
        measure(0, &|| {
            git(
                root,
                &["--no-optional-locks", "status", "--porcelain=v2", "-uall"],
            )
        });
        measure(1, &|| git(root, &["diff", "--stat"]));
        measure(2, &|| {
            let listed = worktree.list(&parts, None).unwrap();
            assert_eq!(listed.views[1].files.len(), changed);
        });
        measure(3, &|| drop(worktree.list(&[View::Whole], None).unwrap()));
        measure(4, &|| {
            drop(worktree.diff(&question(&path(0), Some(3))).unwrap())
        });
    }
    let names = [
        "`git status`",
        "`git diff --stat`",
        "by how far they got",
        "all in one",
        "the lines of one file",
    ];
    for (name, took) in names.iter().zip(&mut took) {
        // The first one reads what nobody had at hand.
        took.remove(0);
        row(name, took);
    }
    let text: String = (0..lines).fold(String::new(), |mut text, line| {
        writeln!(text, "    let other_{line} = compute({line});").unwrap();
        text
    });
    fs::write(root.join("long"), text).unwrap();
    let mut took: Vec<_> = (0..rounds)
        .map(|_| {
            let began = Instant::now();
            drop(worktree.diff(&question("long", Some(3))).unwrap());
            began.elapsed()
        })
        .collect();
    row("the lines of the long one", &mut took);
}

fn question(path: &str, context: Option<u32>) -> DiffQuestion {
    DiffQuestion {
        view: View::Unstaged,
        path: path.into(),
        from: None,
        base: None,
        context,
        ignore_space: false,
    }
}

fn path(file: usize) -> String {
    format!("part-{}/deep/file-{file}.rs", file % 500)
}

fn repository(root: &Path, files: usize, lines: usize) {
    git(root, &["init", "-q", "-b", "main", "."]);
    for file in 0..files {
        let place = root.join(path(file));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let text: String = (0..20)
            .map(|line| format!("line {line} of {file}\n"))
            .collect();
        fs::write(place, text).unwrap();
    }
    let text: String = (0..lines)
        .map(|line| format!("    let value_{line} = {line};\n"))
        .collect();
    fs::write(root.join("long"), text).unwrap();
    git(root, &["add", "-A"]);
    let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
    git(root, &[&who[..], &["commit", "-q", "-m", "x"]].concat());
}

fn git(root: &Path, args: &[&str]) {
    let ran = Command::new("git")
        .current_dir(root)
        .args(args)
        .stdout(Stdio::null())
        .status();
    assert!(ran.unwrap().success(), "git {args:?}");
}

fn number(name: &str, usual: usize) -> usize {
    let told = std::env::var(name).ok();
    told.and_then(|told| told.parse().ok()).unwrap_or(usual)
}

fn row(name: &str, took: &mut [Duration]) {
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    println!(
        "  {name:<28} p50 {:>7.1} ms   p95 {:>7.1} ms",
        at(50),
        at(95)
    );
}
