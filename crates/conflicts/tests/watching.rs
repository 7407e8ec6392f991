//! A watcher beside the changes it should see, and the faults it should live through.
//!
//! The yardstick is always the same: the picture of a fresh start.

#![allow(clippy::unwrap_used)] // helpers of tests may panic, too

mod support;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clock::Clock;
use conflicts::{
    ConflictEvent, ConflictWatcher, Deliver, HealthState, LineRange, Notice, Notifier,
    ProposedChange, Quiet, QuietAbout, QuietUntil, Severity, Status, SystemNotifier, WatchConfig,
    WatchDirs, WatchError, WorktreeId,
};
use support::{
    Dice, Repo, commit, config, drain, essence, fresh, git, lines, lines_with, say, until, write,
    write_whole,
};

fn watch(repo: &Repo) -> ConflictWatcher {
    ConflictWatcher::open(&repo.main(), config()).unwrap()
}

fn until_fresh(watcher: &ConflictWatcher, repo: &Repo, what: &str) {
    let wanted = essence(&fresh(&repo.main()));
    let filter = |picture: &conflicts::Picture| essence(picture) == wanted;
    until(watcher, what, filter);
}

/// Two worktrees of a repository with one file of 50 lines.
fn two() -> (Repo, std::path::PathBuf, std::path::PathBuf) {
    let repo = Repo::with(&[("src/f", &lines(50)), (".gitignore", "ignored/\n")]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    (repo, one, two)
}

#[test]
fn a_conflict_appears_with_the_edit_and_leaves_with_its_undoing() {
    let (repo, one, two) = two();
    let watcher = watch(&repo);
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    until(&watcher, "a verdict", |picture| {
        say(picture) == "src/f: one two same_line, conflict"
    });
    write(&two.join("src/f"), lines(50));
    until(&watcher, "no verdict", |picture| {
        picture.verdicts.is_empty()
    });
    until_fresh(&watcher, &repo, "the picture of a fresh start");
}

#[tokio::test]
async fn what_is_touched_in_a_worktree_is_told_also_where_nothing_conflicts() {
    let (repo, one, _two) = two();
    let watcher = watch(&repo);
    let mut touched = watcher.touched();
    let mut told = async || {
        let next = tokio::time::timeout(Duration::from_secs(20), touched.recv());
        next.await.expect("something is told").unwrap()
    };
    write_whole(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    assert_eq!(told().await, [WorktreeId::of(&one)]);
    // An index may be that of any of them.
    git(&one, &["add", "-A"]);
    while told().await.len() != 3 {}
}

#[test]
fn an_event_is_raised_once_per_change_of_a_verdict() {
    let (repo, one, two) = two();
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    let watcher = watch(&repo);
    let mut events = watcher.events();
    for (number, line) in [30, 30, 9, 9].into_iter().enumerate() {
        write_whole(
            &two.join("src/f"),
            lines_with(50, &[(line, &format!("edit {number}"))]),
        );
        watcher.rescan();
    }
    write_whole(&two.join("src/f"), lines(50));
    watcher.rescan();
    let said: Vec<_> = drain(&mut events)
        .into_iter()
        .filter_map(|event| match event {
            ConflictEvent::Verdict { verdict } => Some(verdict.severity.to_string()),
            ConflictEvent::Resolved { .. } => Some("resolved".to_owned()),
            _ => None,
        })
        .collect();
    insta::assert_snapshot!(said.join(", "), @"different_area, same_line, resolved");
}

#[test]
fn save_dances_of_editors_are_edits() {
    let (repo, one, two) = two();
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    let watcher = watch(&repo);
    let file = two.join("src/f");
    // A new file takes the place of the old one.
    fs::write(
        two.join("src/.f.tmp"),
        lines_with(50, &[(9, "renamed over")]),
    )
    .unwrap();
    fs::rename(two.join("src/.f.tmp"), &file).unwrap();
    until(&watcher, "a rename over the file", |picture| {
        !picture.verdicts.is_empty()
    });
    fs::write(&file, lines(50)).unwrap();
    until(&watcher, "the way back", |picture| {
        picture.verdicts.is_empty()
    });
    // The old file steps aside, and a new one is written.
    fs::rename(&file, two.join("src/f~")).unwrap();
    fs::write(&file, lines_with(50, &[(9, "written anew")])).unwrap();
    fs::remove_file(two.join("src/f~")).unwrap();
    until(&watcher, "a file written anew", |picture| {
        !picture.verdicts.is_empty()
    });
    until_fresh(&watcher, &repo, "the picture of a fresh start");
}

#[test]
fn commits_branches_resets_and_packed_refs_are_followed() {
    let (repo, one, two) = two();
    let watcher = watch(&repo);
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    commit(&one);
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    git(&two, &["add", "-A"]);
    until_fresh(&watcher, &repo, "a commit and a staged edit");
    git(&repo.main(), &["pack-refs", "--all"]);
    git(&two, &["commit", "-q", "-m", "x"]);
    until_fresh(&watcher, &repo, "a commit over packed refs");
    git(&one, &["checkout", "-q", "-b", "feature/deep/name"]);
    write(&one.join("new/file"), "x\n");
    commit(&one);
    until_fresh(&watcher, &repo, "a branch in a new directory");
    git(&two, &["reset", "-q", "--hard", "main"]);
    until_fresh(&watcher, &repo, "a hard reset");
    git(&two, &["merge", "-q", "one"]);
    until_fresh(&watcher, &repo, "a merge");
}

#[test]
fn worktrees_come_and_go_while_watched() {
    let (repo, one, _) = two();
    let watcher = watch(&repo);
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    let three = repo.worktree("three");
    until(&watcher, "the new worktree", |picture| {
        picture.worktrees.len() == 4
    });
    write(&three.join("src/f"), lines_with(50, &[(9, "three")]));
    until(&watcher, "its conflict", |picture| {
        picture.verdicts.len() == 1
    });
    git(&repo.main(), &["worktree", "remove", "--force", "three"]);
    until(&watcher, "its end", |picture| {
        picture.worktrees.len() == 3 && picture.verdicts.is_empty()
    });
    until_fresh(&watcher, &repo, "the picture of a fresh start");
}

#[test]
fn ignored_directories_take_no_watches() {
    let (repo, one, _) = two();
    write(&one.join("src/deep/a"), "x\n");
    let before = watch(&repo).health().watches;
    for dir in 0..400 {
        for file in 0..5 {
            write(&one.join(format!("ignored/{dir}/{file}")), "x\n");
        }
    }
    let watcher = watch(&repo);
    assert_eq!(watcher.health().watches, before);
    // No longer ignored: they are watched, and seen.
    write(&one.join(".gitignore"), "");
    until(&watcher, "what was ignored", |picture| {
        picture
            .worktrees
            .iter()
            .any(|tree| tree.name == "one" && tree.changed_files == 2_002)
    });
    until(&watcher, "watches there", |picture| {
        picture.health.watches > before + 400
    });
}

#[test]
fn directories_that_are_made_moved_and_removed_are_followed() {
    let (repo, one, two) = two();
    let watcher = watch(&repo);
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    fs::rename(two.join("src"), two.join("moved")).unwrap();
    until_fresh(&watcher, &repo, "a moved directory");
    write(&two.join("moved/f"), lines_with(50, &[(9, "two")]));
    until(&watcher, "an edit in it", |picture| {
        picture
            .verdicts
            .iter()
            .any(|verdict| verdict.would_conflict)
    });
    fs::remove_dir_all(two.join("moved")).unwrap();
    until_fresh(&watcher, &repo, "a removed directory");
    write(&two.join("src/f"), lines_with(50, &[(9, "again")]));
    until_fresh(&watcher, &repo, "a directory made again");
    write(&two.join("src/f"), lines_with(50, &[(40, "elsewhere")]));
    until_fresh(&watcher, &repo, "an edit in it");
}

#[test]
fn a_submodule_is_watched_from_its_checkout_on() {
    let (repo, one, two) = two();
    let part = Repo::with(&[("p", &lines(50))]);
    let submodule = |root: &Path, arguments: &[&str]| {
        let here = ["-c", "protocol.file.allow=always", "submodule", "--quiet"];
        git(root, &[&here, arguments].concat());
    };
    submodule(&one, &["add", part.main().to_str().unwrap(), "part"]);
    commit(&one);
    git(&two, &["merge", "-q", "one"]);
    let watcher = watch(&repo);
    let said = |what: &str, wanted: &str| {
        until(&watcher, what, |picture| say(picture) == wanted);
        until_fresh(&watcher, &repo, what);
    };
    write(&one.join("part/p"), lines_with(50, &[(9, "one")]));
    submodule(&two, &["update", "--init"]);
    write(&two.join("part/p"), lines_with(50, &[(9, "two")]));
    said("an edit", "part/p: one two same_line, conflict");
    // Whose head is where is told of the submodule's own repositories.
    commit(&two.join("part"));
    said("a commit", "part/p: one two same_line, conflict");
    commit(&one.join("part"));
    said(
        "another commit",
        "part: one two same_line, conflict (two commits of a submodule)\n\
         part/p: one two same_line, conflict",
    );
    let events = std::cell::RefCell::new(watcher.events());
    write(&two.join("part/p"), lines_with(50, &[(9, "still two")]));
    until(&watcher, "another text", |_| {
        let about = |event: &ConflictEvent| matches!(event, ConflictEvent::Contents { key } if key.path.to_string() == "part/p");
        drain(&mut events.borrow_mut()).iter().any(about)
    });
    let announced = ProposedChange {
        file: "part/new".to_owned(),
        lines: Vec::new(),
        worktree: "one".to_owned(),
        new_text: None,
    };
    write(&two.join("part/new"), "x\n");
    until_fresh(&watcher, &repo, "a new file");
    watcher
        .announce(&announced, Some("agent".to_owned()))
        .unwrap();
    until(&watcher, "the announced change", |picture| {
        let mut verdicts = picture.verdicts.iter();
        verdicts.any(|verdict| {
            verdict.path.to_string() == "part/new"
                && verdict.left.agent.as_deref() == Some("agent")
                && verdict.left.status == Status::Pending
        })
    });
    submodule(&two, &["deinit", "-q", "--force", "part"]);
    said("one checkout less", "");
}

#[test]
fn a_stale_index_lock_stops_nothing() {
    let (repo, one, two) = two();
    let watcher = watch(&repo);
    let lock = git(
        &one,
        &[
            "rev-parse",
            "--path-format=absolute",
            "--git-path",
            "index.lock",
        ],
    );
    fs::write(&lock, "").unwrap();
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    until(&watcher, "a verdict", |picture| picture.verdicts.len() == 1);
    assert!(Path::new(&lock).exists());
}

#[test]
fn watching_leaves_the_repository_as_it_is() {
    let (repo, one, two) = two();
    let state = |root: &Path| {
        let index = git(
            root,
            &["rev-parse", "--path-format=absolute", "--git-path", "index"],
        );
        let refs = git(&repo.main(), &["for-each-ref"]);
        let objects = git(&repo.main(), &["count-objects", "-v"]);
        (fs::read(index).unwrap(), refs, objects)
    };
    let before = (state(&one), state(&two));
    let watcher = watch(&repo);
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    let picture = until(&watcher, "a verdict", |picture| picture.verdicts.len() == 1);
    watcher.details(&picture.verdicts[0].key()).unwrap();
    watcher.rescan();
    assert!(before == (state(&one), state(&two)));
}

#[test]
fn a_worktree_that_vanishes_is_told_and_healed() {
    let (repo, one, two) = two();
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    let quick = WatchConfig {
        heal_every: Duration::from_millis(20),
        ..config()
    };
    let watcher = ConflictWatcher::open(&repo.main(), quick).unwrap();
    fs::rename(&two, repo.dir().join("aside")).unwrap();
    until(&watcher, "the loss", |picture| {
        picture.health.state == HealthState::Degraded && picture.verdicts.is_empty()
    });
    fs::rename(repo.dir().join("aside"), &two).unwrap();
    until(&watcher, "the return", |picture| {
        picture.health.state == HealthState::Live && picture.verdicts.len() == 1
    });
    write(&two.join("src/f"), lines(50));
    until(&watcher, "an edit after the return", |picture| {
        picture.verdicts.is_empty()
    });
    until_fresh(&watcher, &repo, "the picture of a fresh start");
}

#[test]
fn a_repository_that_vanishes_is_told_and_healed() {
    let (repo, one, two) = two();
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    let quick = WatchConfig {
        heal_every: Duration::from_millis(20),
        ..config()
    };
    let watcher = ConflictWatcher::open(&repo.main(), quick).unwrap();
    fs::rename(repo.main(), repo.dir().join("aside")).unwrap();
    until(&watcher, "the loss", |picture| {
        picture.health.state == HealthState::Gone && picture.verdicts.is_empty()
    });
    fs::rename(repo.dir().join("aside"), repo.main()).unwrap();
    until(&watcher, "the return", |picture| {
        picture.health.state == HealthState::Live && picture.verdicts.len() == 1
    });
    until_fresh(&watcher, &repo, "the picture of a fresh start");
}

/// The system's notification, with faults: it may keep notices back, and run out of watches.
#[derive(Default)]
struct Faulty {
    deaf: Arc<AtomicBool>,
    /// How many watches there are; 0: as many as one likes.
    limit: Arc<AtomicUsize>,
    deliver: Arc<Mutex<Option<Arc<Deliver>>>>,
}

struct FaultyDirs {
    inner: Box<dyn WatchDirs>,
    limit: Arc<AtomicUsize>,
    used: usize,
}

impl WatchDirs for FaultyDirs {
    fn watch(&mut self, dir: &Path) -> Result<(), WatchError> {
        let limit = self.limit.load(Ordering::SeqCst);
        if limit > 0 && self.used >= limit {
            return Err(WatchError::Exhausted);
        }
        self.used += 1;
        self.inner.watch(dir)
    }

    fn unwatch(&mut self, dir: &Path) {
        self.inner.unwatch(dir);
    }
}

impl Notifier for Faulty {
    fn start(&self, deliver: Deliver) -> Result<Box<dyn WatchDirs>, WatchError> {
        let deliver = Arc::new(deliver);
        *self.deliver.lock().unwrap() = Some(deliver.clone());
        let deaf = self.deaf.clone();
        let inner = SystemNotifier.start(Box::new(move |notice| {
            if !deaf.load(Ordering::SeqCst) {
                deliver(notice);
            }
        }))?;
        Ok(Box::new(FaultyDirs {
            inner,
            limit: self.limit.clone(),
            used: 0,
        }))
    }
}

#[test]
fn lost_notices_are_told_and_healed() {
    let (repo, one, two) = two();
    let faults = Arc::new(Faulty::default());
    let watcher = ConflictWatcher::open(
        &repo.main(),
        WatchConfig {
            notifier: faults.clone(),
            ..config()
        },
    )
    .unwrap();
    let mut events = watcher.events();
    faults.deaf.store(true, Ordering::SeqCst);
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    fs::create_dir_all(two.join("made/while/deaf")).unwrap();
    commit(&one);
    faults.deaf.store(false, Ordering::SeqCst);
    let deliver = faults.deliver.lock().unwrap().clone().unwrap();
    deliver(Notice::Lost("the queue overflowed".to_owned()));
    until_fresh(&watcher, &repo, "what was missed");
    until(&watcher, "health", |picture| {
        picture.health.state == HealthState::Live
    });
    let told = drain(&mut events).into_iter().any(|event| {
        matches!(event, ConflictEvent::Health { health } if health.state == HealthState::Degraded)
    });
    assert!(told);
    write(&two.join("made/while/deaf/f"), "x\n");
    until_fresh(&watcher, &repo, "a directory that was made meanwhile");
}

#[test]
fn without_watches_the_picture_is_late_and_right() {
    let (repo, one, two) = two();
    let faults = Arc::new(Faulty::default());
    faults.limit.store(3, Ordering::SeqCst);
    let limited = WatchConfig {
        notifier: faults.clone(),
        heal_every: Duration::from_millis(20),
        ..config()
    };
    let watcher = ConflictWatcher::open(&repo.main(), limited).unwrap();
    let health = watcher.health();
    assert_eq!(health.state, HealthState::Degraded);
    assert!(health.reasons[0].contains("the system's limit of watched directories is reached"));
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    until_fresh(&watcher, &repo, "edits that nobody notified");
    faults.limit.store(0, Ordering::SeqCst);
    until(&watcher, "health", |picture| {
        picture.health.state == HealthState::Live
    });
    write(&two.join("src/f"), lines(50));
    until(&watcher, "an edit that is notified", |picture| {
        picture.verdicts.is_empty()
    });
}

#[test]
fn no_notification_at_all_is_a_degraded_mode() {
    struct Refusing;
    impl Notifier for Refusing {
        fn start(&self, _: Deliver) -> Result<Box<dyn WatchDirs>, WatchError> {
            Err(WatchError::Other("too many open files".to_owned()))
        }
    }
    let (repo, one, two) = two();
    let refused = WatchConfig {
        notifier: Arc::new(Refusing),
        heal_every: Duration::from_millis(20),
        ..config()
    };
    let watcher = ConflictWatcher::open(&repo.main(), refused).unwrap();
    assert_eq!(watcher.health().state, HealthState::Degraded);
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    until_fresh(&watcher, &repo, "edits that nobody notified");
}

#[test]
fn a_random_life_ends_in_the_picture_of_a_fresh_start() {
    for seed in 1..=4 {
        let mut dice = Dice::new(seed);
        let (repo, one, two) = two();
        let watcher = watch(&repo);
        for step in 0..40 {
            let root = if dice.below(2) == 0 { &one } else { &two };
            let dir = root.join(dice.pick(&["src", "src/deep", "other"]));
            let file = dir.join(dice.pick(&["f", "g"]));
            match dice.below(10) {
                0 => drop(fs::remove_dir_all(&dir)),
                1 => drop(fs::remove_file(&file)),
                2 => drop(fs::rename(&dir, root.join("other"))),
                3 => commit(root),
                4 => drop(git(root, &["stash", "-q", "-u"])),
                5 => write(
                    &root.join(".gitignore"),
                    dice.pick(&["ignored/\n", "g\n", "other\n"]),
                ),
                _ => {
                    let line = 1 + dice.below(50) as u32;
                    write(&file, lines_with(50, &[(line, &format!("step {step}"))]));
                }
            }
        }
        until_fresh(&watcher, &repo, &format!("seed {seed}"));
    }
}

#[test]
fn an_announced_change_is_pending_until_it_is_on_disk() {
    let (repo, one, two) = two();
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    let watcher = watch(&repo);
    let change = ProposedChange {
        file: "src/f".to_owned(),
        lines: vec![LineRange { start: 10, end: 11 }],
        worktree: "two".to_owned(),
        new_text: None,
    };
    watcher.announce(&change, Some("ada".to_owned())).unwrap();
    let picture = watcher.picture();
    insta::assert_snapshot!(say(&picture), @"src/f: one two same_line (announced, not on disk yet)");
    assert_eq!(picture.verdicts[0].right.status, Status::Pending);
    assert_eq!(picture.verdicts[0].right.agent.as_deref(), Some("ada"));
    write(&two.join("src/f"), lines_with(50, &[(30, "two")]));
    until(&watcher, "the change itself", |picture| {
        say(picture) == "src/f: one two different_area"
    });
    write(&two.join("src/f"), lines(50));
    until(&watcher, "its undoing", |picture| {
        picture.verdicts.is_empty()
    });
}

#[test]
fn announced_lines_are_those_of_the_file_as_it_is_in_its_worktree() {
    let (repo, one, two) = two();
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    // What was line 9 is line 109 here.
    write(&two.join("src/f"), "above\n".repeat(100) + &lines(50));
    commit(&two);
    let watcher = watch(&repo);
    let change = |worktree: &str, line: u32| ProposedChange {
        file: "src/f".to_owned(),
        lines: vec![LineRange {
            start: line,
            end: line + 1,
        }],
        worktree: worktree.to_owned(),
        new_text: None,
    };
    let near = |asked: ProposedChange, status: Status| {
        let answer = watcher.check(&asked).unwrap();
        let touch = answer
            .touches
            .iter()
            .find(|touch| touch.side.status == status && touch.side.name != "main");
        touch.map(|touch| touch.severity)
    };
    assert_eq!(
        near(change("two", 109), Status::Applied),
        Some(Severity::SameLine)
    );
    assert_eq!(
        near(change("two", 9), Status::Applied),
        Some(Severity::DifferentArea)
    );
    watcher.announce(&change("two", 130), None).unwrap();
    assert_eq!(
        near(change("one", 30), Status::Pending),
        Some(Severity::SameLine)
    );
    assert_eq!(
        near(change("one", 33), Status::Pending),
        Some(Severity::AdjacentLine)
    );
    assert_eq!(
        near(change("main", 49), Status::Pending),
        Some(Severity::DifferentArea)
    );
}

#[test]
fn an_announcement_that_never_comes_true_grows_stale() {
    let (repo, one, _) = two();
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    let watcher = ConflictWatcher::open(
        &repo.main(),
        WatchConfig {
            announce_age: 50,
            ..config()
        },
    )
    .unwrap();
    let change = ProposedChange {
        file: "src/f".to_owned(),
        lines: Vec::new(),
        worktree: "two".to_owned(),
        new_text: None,
    };
    watcher.announce(&change, None).unwrap();
    assert_eq!(watcher.picture().verdicts.len(), 1);
    // The clock advances with every question, so enough looks make it old.
    for _ in 0..60 {
        watcher.rescan();
    }
    assert!(watcher.picture().verdicts.is_empty());
}

#[test]
fn quiet_verdicts_are_listed_apart_and_kept_over_restarts() {
    let (repo, one, two) = two();
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    write(&two.join("src/f"), lines_with(50, &[(12, "two")]));
    let watcher = watch(&repo);
    let loud = |watcher: &ConflictWatcher| watcher.conflicts(&Default::default()).unwrap().len();
    assert_eq!(loud(&watcher), 1);
    let about = QuietAbout {
        glob: Some("src/**".to_owned()),
        ..QuietAbout::default()
    };
    let until_worse = QuietUntil::Worse {
        severity: Severity::AdjacentLine,
        would_conflict: false,
    };
    watcher
        .quiet(Quiet {
            about: about.clone(),
            until: until_worse,
        })
        .unwrap();
    assert_eq!(loud(&watcher), 0);
    let stored = watcher.quiets();
    drop(watcher);
    let watcher = ConflictWatcher::open(
        &repo.main(),
        WatchConfig {
            quiets: stored,
            ..config()
        },
    )
    .unwrap();
    assert_eq!(loud(&watcher), 0);
    // Worse than what was acknowledged.
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    until(&watcher, "the worse verdict", |picture| {
        picture.verdicts.iter().any(|verdict| !verdict.quiet)
    });
    watcher
        .quiet(Quiet {
            about: about.clone(),
            until: QuietUntil::Removed,
        })
        .unwrap();
    assert_eq!(loud(&watcher), 0);
    assert!(watcher.unquiet(&about));
    assert_eq!(loud(&watcher), 1);
}

#[test]
fn a_snoozed_verdict_comes_back_by_itself() {
    let (repo, one, two) = two();
    write(&one.join("src/f"), lines_with(50, &[(9, "one")]));
    write(&two.join("src/f"), lines_with(50, &[(9, "two")]));
    let now = Arc::new(AtomicUsize::new(1_000));
    let clock = now.clone();
    let settings = WatchConfig::new(Clock::new(move || clock.load(Ordering::SeqCst) as u64));
    let watcher = ConflictWatcher::open(&repo.main(), settings).unwrap();
    let snooze = Quiet {
        about: QuietAbout::default(),
        until: QuietUntil::Time { at: 1_050 },
    };
    watcher.quiet(snooze).unwrap();
    assert!(watcher.picture().verdicts[0].quiet);
    now.store(1_060, Ordering::SeqCst);
    until(&watcher, "the end of the snooze", |picture| {
        !picture.verdicts[0].quiet
    });
}

#[test]
fn what_was_changed_before_anybody_looked_began_when_it_was_written() {
    let (repo, one, two) = two();
    let at = |seconds| std::time::UNIX_EPOCH + Duration::from_secs(seconds);
    let changed = |root: &Path, text: &str, seconds| {
        let file = root.join("src/f");
        write(&file, lines_with(50, &[(9, text)]));
        let file = fs::File::options().write(true).open(file).unwrap();
        file.set_modified(at(seconds)).unwrap();
    };
    changed(&one, "one", 100);
    changed(&two, "two", 200);
    let clock = || WatchConfig::new(Clock::new(|| 900_000));
    let began = |watcher: &ConflictWatcher| {
        let verdict = watcher.picture().verdicts.remove(0);
        (verdict.left.since, verdict.right.since, verdict.since)
    };
    let watcher = ConflictWatcher::open(&repo.main(), clock()).unwrap();
    assert_eq!(began(&watcher), (100_000, 200_000, 200_000));
    // The same after a restart; a time that is still to come is none.
    drop(watcher);
    changed(&two, "two", 1_000);
    let watcher = ConflictWatcher::open(&repo.main(), clock()).unwrap();
    assert_eq!(began(&watcher), (100_000, 900_000, 900_000));
}
