//! The system's own limits, and sizes that a test seldom has the time for.

#![allow(clippy::unwrap_used)] // helpers of tests may panic, too

mod support;

use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use conflicts::{ConflictFilter, ConflictWatcher, HealthState, Picture, WatchConfig, look};
use support::*;

/// Where Linux keeps how many watches the users of a namespace may have.
const WATCHES: &str = "/proc/sys/user/max_inotify_watches";

/// Runs an ignored test of this file by itself, started by `launcher`; says whether that could start anything.
fn alone(launcher: &[&str], test: &str) -> bool {
    let start = |program: &std::ffi::OsStr, arguments: &[&str]| {
        std::process::Command::new(launcher[0])
            .args(&launcher[1..])
            .arg(program)
            .args(arguments)
            .current_dir("/")
            .output()
    };
    if !start("true".as_ref(), &[]).is_ok_and(|done| done.status.success()) {
        return false;
    }
    let this = std::env::current_exe().unwrap();
    let arguments = ["--exact", test, "--ignored", "--nocapture"];
    let output = start(this.as_os_str(), &arguments).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    true
}

/// In a namespace of its own the limit can be lowered without harm to others.
#[test]
fn the_systems_own_limit_of_watches_is_told_and_healed() {
    if !alone(
        &["unshare", "--user", "--map-root-user"],
        "with_few_watches",
    ) {
        eprintln!("left out: this system gives no namespaces of their own to users");
    }
}

/// The superuser may read everything, and without its capabilities no more than others.
#[test]
fn what_may_not_be_read_is_told() {
    if !alone(&["setpriv", "--bounding-set=-all"], "without_permission") {
        without_permission();
    }
}

#[test]
#[ignore = "only without the superuser's capabilities"]
fn without_permission() {
    let repo = Repo::with(&[("f", &lines(9)), ("g", &lines(9))]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    for (root, text) in [(&one, "one"), (&two, "two")] {
        write(&root.join("f"), lines_with(9, &[(4, text)]));
        write(&root.join("g"), lines_with(9, &[(4, text)]));
    }
    let mode = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let told = |picture: Picture| {
        let place = repo.dir().to_string_lossy().into_owned();
        [
            say(&picture),
            picture.notes.join("\n").replace(&place, "DIR"),
        ]
        .join("\n")
    };
    mode(&one.join("f"), 0);
    insta::assert_snapshot!(told(fresh(&repo.main())), @"
    g: one two same_line, conflict
    could not read `f`: Permission denied (os error 13)
    ");
    mode(&one, 0);
    insta::assert_snapshot!(told(fresh(&repo.main())), @"

    could not read worktree `DIR/one`: Permission denied (os error 13)
    ");
    mode(&one, 0o755);
    let git_dir = repo.main().join(".git");
    mode(&git_dir, 0);
    let refused = look(&two, &config(), &ConflictFilter::default()).unwrap_err();
    mode(&git_dir, 0o755);
    let place = repo.dir().to_string_lossy().into_owned();
    insta::assert_snapshot!(
        refused.to_string().replace(&place, "DIR"),
        @"the repository `DIR/main/.git/worktrees/two` can't be read"
    );
}

#[test]
#[ignore = "only in a namespace of its own: it lowers the limit of watches"]
fn with_few_watches() {
    // Refused outside of a namespace of one's own, unless root runs it: then the name says no.
    assert_eq!(
        fs::read_to_string("/proc/self/uid_map")
            .unwrap()
            .split_whitespace()
            .nth(2),
        Some("1")
    );
    fs::write(WATCHES, "8").unwrap();
    let mut files: Vec<_> = (0..30)
        .map(|n| (format!("part-{n}/f"), lines(20)))
        .collect();
    files.push(("f".to_owned(), lines(20)));
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let repo = Repo::with(&files);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    let often = WatchConfig {
        heal_every: Duration::from_millis(50),
        ..config()
    };
    let watcher = ConflictWatcher::open(&repo.main(), often).unwrap();
    let health = watcher.health();
    assert_eq!(health.state, HealthState::Degraded);
    assert!(health.watches <= 8, "{health:?}");
    assert!(
        health.reasons[0].contains("limit of watched directories"),
        "{health:?}"
    );
    for (root, text) in [(&one, "one"), (&two, "two")] {
        write(&root.join("part-29/f"), lines_with(20, &[(7, text)]));
    }
    until(&watcher, "an edit that nobody notified", |picture| {
        picture.verdicts.len() == 1
    });
    fs::write(WATCHES, "100000").unwrap();
    until(&watcher, "health", |picture| {
        picture.health.state == HealthState::Live
    });
    write(&two.join("part-29/f"), lines(20));
    until(&watcher, "an edit that is notified", |picture| {
        picture.verdicts.is_empty()
    });
}

#[test]
#[ignore = "writes 250,000 files"]
fn what_is_ignored_costs_no_watch_however_much_it_is() {
    let repo = Repo::with(&[("f", &lines(20)), (".gitignore", "node_modules/\n")]);
    let names = ["one", "two", "three", "four"];
    let mut roots: Vec<_> = names.iter().map(|name| repo.worktree(name)).collect();
    roots.push(repo.main());
    for root in &roots {
        for dir in 0..500 {
            let dir = root.join(format!("node_modules/package-{dir}"));
            fs::create_dir_all(&dir).unwrap();
            for file in 0..100 {
                fs::write(dir.join(format!("{file}.js")), "x\n").unwrap();
            }
        }
    }
    let watcher = ConflictWatcher::open(&repo.main(), config()).unwrap();
    let health = watcher.health();
    assert_eq!(health.state, HealthState::Live);
    assert!(health.watches < 60, "{health:?}");
    for (root, text) in [(&roots[0], "one"), (&roots[1], "two")] {
        write(&root.join("f"), lines_with(20, &[(7, text)]));
    }
    until(&watcher, "the edit beside them", |picture| {
        picture.verdicts.len() == 1
    });
}

#[test]
#[ignore = "writes half a gigabyte"]
fn files_of_a_hundred_megabytes_are_compared_whole() {
    let repo = Repo::with(&[("f", "x\n")]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    let watcher = ConflictWatcher::open(&repo.main(), config()).unwrap();
    for (root, byte) in [(&one, b'1'), (&two, b'2')] {
        let file = fs::File::create(root.join("large")).unwrap();
        file.set_len(100_000_000).unwrap();
        file.write_at(&[byte; 16], 99_000_000).unwrap();
    }
    let picture = until(&watcher, "the large files", |picture| {
        picture.verdicts.len() == 1
    });
    insta::assert_snapshot!(
        say(&picture),
        @"large: one two same_line, conflict (too large to be compared by lines)"
    );
}
