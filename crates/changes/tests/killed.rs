//! A landing in the midst of which everything is killed: where git's guarantee ends, and that nothing of the person's is lost.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may panic

mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use changes::{Landing, LandingEnd, NewWorktree, Way, Worktree};
use git::Program;
use support::{Repo, git, program};

/// Which worktree is landed by the process that is killed, and by which git.
const PLACE: &str = "SWITCHYARD_TEST_LANDS";
const BY: &str = "SWITCHYARD_TEST_LANDS_BY";

const FILES: usize = 300;

fn of_all() -> Landing {
    Landing {
        way: Way::Land,
        base: None,
        message: None,
        without_uncommitted: false,
        leave_conflicts: false,
    }
}

#[test]
#[ignore = "the others start it, to kill it"]
fn lands() {
    let (place, by) = (std::env::var(PLACE).unwrap(), std::env::var(BY).unwrap());
    let git = Program {
        path: by.into(),
        ..program()
    };
    let _ = Worktree::open(Path::new(&place), git)
        .unwrap()
        .land(&of_all());
}

/// Lands a worktree in a process of its own.
fn begin(topic: &Path, by: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .current_dir(topic)
        .args(["--ignored", "--exact", "lands"])
        .env(PLACE, topic)
        .env(BY, by)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::yield_now();
    }
}

/// `main` with many files, and `topic`, which changed each of them and has as many new ones.
fn repository() -> (Repo, PathBuf) {
    let repo = Repo::empty();
    for (name, value) in [("user.name", "you"), ("user.email", "you@example.com")] {
        git(repo.root(), &["config", name, value]);
    }
    let write = |root: &Path, kind: &str, text: &str| {
        for at in 0..FILES {
            fs::write(
                root.join(format!("{kind}-{at:03}")),
                format!("{text} {at}\n"),
            )
            .unwrap();
        }
    };
    write(repo.root(), "file", "before");
    git(repo.root(), &["add", "-A"]);
    git(repo.root(), &["commit", "-q", "-m", "First"]);
    let new = NewWorktree {
        branch: "topic".to_owned(),
        base: None,
        path: None,
    };
    let topic = repo.worktree().add(&new).unwrap().root().to_owned();
    write(&topic, "file", "after");
    write(&topic, "new", "after");
    git(&topic, &["add", "-A"]);
    git(&topic, &["commit", "-q", "-m", "Second"]);
    // So that git has to make a commit.
    fs::write(repo.root().join("other"), "x\n").unwrap();
    git(repo.root(), &["add", "-A"]);
    git(repo.root(), &["commit", "-q", "-m", "Third"]);
    // What is the person's own, and no part of either.
    fs::write(repo.root().join("mine"), "mine\n").unwrap();
    (repo, topic)
}

fn script(place: &Path, text: &str) {
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Every file of a directory with its bytes and permissions.
fn files(root: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(root)
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().unwrap().is_file() && entry.file_name() != ".git")
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let mode = entry.metadata().unwrap().permissions().mode();
            (name, mode, fs::read(entry.path()).unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_landing_whose_program_is_killed_is_ended_by_git_and_can_be_taken_back() {
    let (repo, topic) = repository();
    let before = (git(repo.root(), &["rev-parse", "main"]), files(repo.root()));
    let (begun, go) = (
        repo.root().with_file_name("begun"),
        repo.root().with_file_name("go"),
    );
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &go,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    // Git has merged the files by then, and waits for the hook.
    script(
        &repo.root().join(".git/hooks/pre-merge-commit"),
        &format!(": > '{}'; read -r _ < '{}'", begun.display(), go.display()),
    );
    let mut landing = begin(&topic, Path::new("git"));
    wait_for("the hook is asked", || begun.exists().then_some(()));
    landing.kill().unwrap();
    landing.wait().unwrap();
    // For reading as well: so that it does not wait for the hook to read.
    let mut told = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&go)
        .unwrap();
    told.write_all(b"\n").unwrap();
    wait_for("git ends what it began", || {
        // What it does last is looked at last.
        let there = git(repo.root(), &["rev-parse", "main"]) != before.0;
        let merging = repo.root().join(".git/MERGE_HEAD").exists();
        (there && !merging).then_some(())
    });
    assert_eq!(git(repo.root(), &["status", "--porcelain"]), "?? mine");
    assert_eq!(files(repo.root()).len(), before.1.len() + FILES);

    let topic = Worktree::open(&topic, program()).unwrap();
    assert_eq!(topic.take_back(Way::Land, None).unwrap().now, before.0);
    assert_eq!(files(repo.root()), before.1);
}

#[test]
fn when_git_itself_is_killed_the_branch_is_as_before_and_a_reset_gives_the_files() {
    for stop_at in [0, FILES / 2, FILES - 1] {
        let (repo, topic) = repository();
        let root = repo.root();
        let before = (git(root, &["rev-parse", "main"]), files(root));
        let of_topic = (git(&topic, &["rev-parse", "topic"]), files(&topic));
        let (by, pid) = (root.with_file_name("git-told"), root.with_file_name("pid"));
        // Tells which process merges.
        script(
            &by,
            &format!(
                "[ \"$1\" = merge ] && echo $$ > '{0}.new' && mv '{0}.new' '{0}'; exec git \"$@\"",
                pid.display()
            ),
        );
        let mut landing = begin(&topic, &by);
        let merging = wait_for("git merges", || fs::read_to_string(&pid).ok());
        let merging = rustix::process::Pid::from_raw(merging.trim().parse().unwrap()).unwrap();
        let reached = root.join(format!("new-{stop_at:03}"));
        wait_for("git has written so much", || reached.exists().then_some(()));
        landing.kill().unwrap();
        landing.wait().unwrap();
        // It may have come to its end just now.
        let _ = rustix::process::kill_process(merging, rustix::process::Signal::KILL);
        let about = format!("/proc/{merging}/stat");
        wait_for("git is gone", || {
            let stat = fs::read_to_string(&about).unwrap_or_default();
            (stat.is_empty() || stat.contains(") Z ")).then_some(())
        });

        assert_eq!(
            of_topic,
            (git(&topic, &["rev-parse", "topic"]), files(&topic))
        );
        assert_eq!(fs::read_to_string(root.join("mine")).unwrap(), "mine\n");
        let topic = Worktree::open(&topic, program()).unwrap();
        // Git says their names to whoever comes next.
        for lock in ["index.lock", "HEAD.lock", "refs/heads/main.lock"] {
            let _ = fs::remove_file(root.join(".git").join(lock));
        }
        if git(root, &["rev-parse", "main"]) != before.0 {
            // It was through.
            topic.take_back(Way::Land, None).unwrap();
        } else {
            // What git wrote of the files it tells, and takes away when it is asked to.
            git(root, &["reset", "-q", "--hard"]);
            git(root, &["clean", "-q", "-f", "--", "new-*"]);
        }
        assert_eq!(git(root, &["rev-parse", "main"]), before.0);
        assert_eq!(files(root), before.1, "stopped at {stop_at}");
        // And it lands as if nothing had been.
        let landed = topic.land(&of_all()).unwrap();
        assert!(matches!(landed.end, LandingEnd::Done { .. }), "{landed:?}");
    }
}
