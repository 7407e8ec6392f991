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

/// A hook of git's is run with variables that speak of the worktree it runs in.
#[test]
fn what_git_tells_its_hooks_changes_nothing() {
    let repo = Repo::with(&[("f", &lines(9))]);
    let roots = ["one", "two"].map(|name| repo.worktree(name));
    for root in &roots {
        write(
            &root.join("f"),
            lines_with(9, &[(4, root.to_str().unwrap())]),
        );
        commit(root);
    }
    // As `one`'s hook would have it: another index, another repository, and a setting that hides changes.
    let git_dir = repo.main().join(".git/worktrees/one");
    let set = |name: &str, value: &str| format!("{name}={value}");
    let variables = [
        set("GIT_DIR", git_dir.to_str().unwrap()),
        set("GIT_INDEX_FILE", git_dir.join("index").to_str().unwrap()),
        set("GIT_WORK_TREE", roots[0].to_str().unwrap()),
        set("GIT_OBJECT_DIRECTORY", "/nowhere"),
        set("GIT_COMMON_DIR", "/nowhere"),
        set("GIT_CONFIG_COUNT", "1"),
        set("GIT_CONFIG_KEY_0", "core.worktree"),
        set("GIT_CONFIG_VALUE_0", "/nowhere"),
        set("PLACE", repo.dir().to_str().unwrap()),
    ];
    let launcher: Vec<_> = ["env"]
        .into_iter()
        .chain(variables.iter().map(String::as_str))
        .collect();
    assert!(alone(&launcher, "with_the_variables_of_a_hook"));
}

#[test]
#[ignore = "only with the variables that the test above sets"]
fn with_the_variables_of_a_hook() {
    let place = std::path::PathBuf::from(std::env::var_os("PLACE").unwrap());
    for name in ["main", "one", "two"] {
        let picture = fresh(&place.join(name));
        assert_eq!(
            say(&picture),
            "f: one two same_line, conflict",
            "{:?}",
            picture.notes
        );
        assert_eq!(picture.notes, Vec::<String>::new());
    }
}

/// What a look says of a repository that can't be compared as it is.
fn refused(repo: &Repo) -> String {
    let said = match look(&repo.main(), &config(), &ConflictFilter::default()) {
        Ok(picture) => {
            assert!(
                picture.incomplete && picture.verdicts.is_empty(),
                "{picture:?}"
            );
            picture.notes.join("\n")
        }
        Err(error) => error.to_string(),
    };
    let ids = |word: &str| word.trim_matches('`').len() == 40;
    let words = said.replace(repo.dir().to_str().unwrap(), "DIR");
    let words = words
        .split(' ')
        .map(|word| if ids(word) { "ID" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// Two worktrees that changed the same line, committed.
fn two_sides(options: &[&str]) -> Repo {
    let repo = Repo::with_options(options, &[("f", &lines(9))]);
    for name in ["one", "two"] {
        let root = repo.worktree(name);
        write(&root.join("f"), lines_with(9, &[(4, name)]));
        commit(&root);
    }
    repo
}

#[test]
fn what_can_not_be_compared_is_told_with_the_worktree_and_the_reason() {
    let refs = refused(&two_sides(&["--ref-format=reftable"]));
    insta::assert_snapshot!(
        refs,
        @"the repository `DIR/main/.git` can't be compared: it keeps its refs as `reftable`"
    );
    let objects = refused(&two_sides(&["--object-format=sha256"]));
    insta::assert_snapshot!(
        objects,
        @"the repository `DIR/main/.git` can't be compared: it keeps its objects as `sha256`"
    );

    let damaged = two_sides(&[]);
    write(&damaged.main().join(".git/worktrees/two/index"), "garbage");
    insta::assert_snapshot!(
        refused(&damaged),
        @"could not read worktree `DIR/two`: its index is damaged: File is too small even for header with zero entries and smallest hash"
    );

    let lost = two_sides(&[]);
    let id = git(&lost.main(), &["rev-parse", "main:f"]);
    let object = lost
        .main()
        .join(".git/objects")
        .join(&id[..2])
        .join(&id[2..]);
    fs::remove_file(object).unwrap();
    insta::assert_snapshot!(
        refused(&lost),
        @"`f` of `one` and `f` of `two` can't be compared: the repository lacks object ID"
    );

    let far = two_sides(&[]);
    let origin = far.dir().join("origin");
    fs::rename(far.main(), &origin).unwrap();
    // Only the tips are fetched: where they meet is not.
    git(&origin, &["checkout", "-q", "--detach", "one"]);
    git(&origin, &["branch", "-q", "-D", "main"]);
    let url = format!("file://{}", origin.display());
    let clone = [
        "clone",
        "-q",
        "--depth=1",
        "--no-single-branch",
        &url,
        "main",
    ];
    git(&far.dir(), &clone);
    let two = far.dir().join("shallow-two");
    let two = two.to_str().unwrap();
    git(&far.main(), &["worktree", "add", "-q", two, "origin/two"]);
    insta::assert_snapshot!(refused(&far), @"`main` and `shallow-two` are not compared: the history was not fetched back to a common ancestor");
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
    could not read `DIR/one/f`: Permission denied (os error 13)
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
