//! The system's own limits, and sizes that a test seldom has the time for.

mod support;

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use conflicts::{ConflictWatcher, HealthState, WatchConfig};
use support::*;

/// Where Linux keeps how many watches the users of a namespace may have.
const WATCHES: &str = "/proc/sys/user/max_inotify_watches";

/// Runs the test below in a namespace of its own, where the limit can be lowered without harm to others.
#[test]
fn the_systems_own_limit_of_watches_is_told_and_healed() {
    let allowed = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "true"])
        .current_dir("/")
        .status();
    if !allowed.is_ok_and(|status| status.success()) {
        eprintln!("left out: this system gives no namespaces of their own to users");
        return;
    }
    let output = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "with_few_watches", "--ignored", "--nocapture"])
        .current_dir("/")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
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
