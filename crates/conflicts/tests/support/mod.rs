//! A real repository with worktrees to spoil, and what git itself says of them.

#![allow(dead_code, clippy::unwrap_used)] // each test file uses its own part; a helper may panic

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clock::Clock;
use conflicts::{ConflictEvent, ConflictFilter, ConflictWatcher, Picture, WatchConfig};

/// How long a test waits for what must come.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Repo {
    dir: tempfile::TempDir,
}

pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    let output = git_output(dir, args, &[]);
    assert!(
        output.status.success(),
        "git {args:?} in {}: {}",
        dir.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

pub(crate) fn git_output(dir: &Path, args: &[&str], env: &[(&str, &Path)]) -> std::process::Output {
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "a")
        .env("GIT_AUTHOR_EMAIL", "a@b")
        .env("GIT_COMMITTER_NAME", "a")
        .env("GIT_COMMITTER_EMAIL", "a@b")
        .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z");
    for (name, value) in env {
        command.env(name, value);
    }
    command.output().unwrap()
}

impl Repo {
    /// A repository on `main` without a commit, in `main/`.
    pub(crate) fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = Self { dir };
        fs::create_dir(repo.main()).unwrap();
        git(&repo.main(), &["init", "-q", "-b", "main", "."]);
        repo
    }

    /// A repository whose first commit holds `files`.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        Self::with_options(&[], files)
    }

    /// The same, made with these options of `git init`.
    pub(crate) fn with_options(options: &[&str], files: &[(&str, &str)]) -> Self {
        let repo = Self::empty();
        if !options.is_empty() {
            fs::remove_dir_all(repo.main().join(".git")).unwrap();
            let init = [&["init", "-q", "-b", "main"], options].concat();
            git(&repo.main(), &init);
        }
        for (path, text) in files {
            write(&repo.main().join(path), text);
        }
        commit(&repo.main());
        repo
    }

    /// The place where worktrees lie, links resolved.
    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    pub(crate) fn main(&self) -> PathBuf {
        self.dir().join("main")
    }

    /// Adds a worktree on a branch of its name.
    pub(crate) fn worktree(&self, name: &str) -> PathBuf {
        let root = self.dir().join(name);
        git(
            &self.main(),
            &[
                "worktree",
                "add",
                "-q",
                "-b",
                name,
                root.to_str().unwrap(),
                "main",
            ],
        );
        root
    }
}

pub(crate) fn write(file: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// Writes a file so that nobody sees a part of it: a new one takes its place.
pub(crate) fn write_whole(file: &Path, text: impl AsRef<[u8]>) {
    let aside = tempfile::NamedTempFile::new_in(file.ancestors().nth(2).unwrap()).unwrap();
    fs::write(aside.path(), text).unwrap();
    aside.persist(file).unwrap();
}

/// Commits everything there is, untracked files included.
pub(crate) fn commit(root: &Path) {
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "--allow-empty", "-m", "x"]);
}

/// `count` lines that all differ: `line 1`, `line 2` …
pub(crate) fn lines(count: u32) -> String {
    (1..=count).map(|line| format!("line {line}\n")).collect()
}

/// The same with some lines replaced.
pub(crate) fn lines_with(count: u32, replaced: &[(u32, &str)]) -> String {
    let mut lines: Vec<_> = (1..=count).map(|line| format!("line {line}\n")).collect();
    for (line, text) in replaced {
        lines[*line as usize - 1] = format!("{text}\n");
    }
    lines.concat()
}

/// A configuration with a clock that starts at 1,000 and advances by one with each question.
pub(crate) fn config() -> WatchConfig {
    let ticks = AtomicU64::new(1_000);
    WatchConfig::new(Clock::new(move || ticks.fetch_add(1, Ordering::Relaxed)))
}

/// What a fresh start sees.
pub(crate) fn fresh(path: &Path) -> Picture {
    let filter = ConflictFilter {
        at_least: Some(conflicts::Severity::Identical),
        quiet_too: true,
        ..ConflictFilter::default()
    };
    conflicts::look(path, &config(), &filter).unwrap()
}

/// The verdicts of a picture, one a line.
pub(crate) fn say(picture: &Picture) -> String {
    let say = |verdict: &conflicts::Verdict| {
        format!(
            "{}: {} {} {}{}{}",
            verdict.path,
            verdict.left.name,
            verdict.right.name,
            verdict.severity,
            if verdict.would_conflict {
                ", conflict"
            } else {
                ""
            },
            verdict
                .note
                .as_ref()
                .map(|note| format!(" ({note})"))
                .unwrap_or_default(),
        )
    };
    picture
        .verdicts
        .iter()
        .map(say)
        .collect::<Vec<_>>()
        .join("\n")
}

/// What two pictures must agree about: everything but times, health and what is quiet.
pub(crate) fn essence(picture: &Picture) -> String {
    let mut entries: Vec<_> = picture
        .entries
        .iter()
        .map(|entry| {
            format!(
                "{} {} {:?} {:?}",
                entry.path, entry.worktree, entry.change, entry.ranges
            )
        })
        .collect();
    entries.sort();
    let worktrees: Vec<_> = picture
        .worktrees
        .iter()
        .map(|tree| {
            format!(
                "{} {:?} {:?} {}",
                tree.id, tree.branch, tree.head, tree.changed_files
            )
        })
        .collect();
    format!(
        "{}\n{}\n{}",
        worktrees.join("\n"),
        entries.join("\n"),
        say(picture)
    )
}

/// Paths that git's own merge stops at, for the worktrees as they lie there, committed or not.
pub(crate) fn merge_tree(repo: &Repo, left: &Path, right: &Path) -> BTreeSet<String> {
    merge_tree_in(&repo.main(), repo, left, right)
}

/// The same, asked in `place`: of the checkouts of a submodule, each has objects of its own.
pub(crate) fn merge_tree_in(
    place: &Path,
    repo: &Repo,
    left: &Path,
    right: &Path,
) -> BTreeSet<String> {
    let objects = [left, right].map(|root| {
        git(
            root,
            &[
                "rev-parse",
                "--path-format=absolute",
                "--git-path",
                "objects",
            ],
        )
    });
    let objects = PathBuf::from(objects.join(":"));
    let (left, right) = (snapshot(repo, left), snapshot(repo, right));
    let output = git_output(
        place,
        &[
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            "-z",
            &left,
            &right,
        ],
        &[("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects.as_path())],
    );
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    out.split('\0')
        .skip(1)
        .filter(|path| !path.is_empty())
        // Two kinds of file can't have one name: `f~<commit>` is the one side's.
        .map(|path| {
            let marks = [&left, &right].map(|commit| format!("~{commit}"));
            let at = marks.iter().find_map(|mark| path.rfind(mark.as_str()));
            path[..at.unwrap_or(path.len())].to_owned()
        })
        .collect()
}

/// A commit of a worktree as it lies there, made without touching its index.
fn snapshot(repo: &Repo, root: &Path) -> String {
    let scratch = repo.dir().join("scratch-index");
    let index = git(
        root,
        &["rev-parse", "--path-format=absolute", "--git-path", "index"],
    );
    fs::copy(&index, &scratch).unwrap();
    // Git trusts entries older than the index: a copy that looks newer would hide late edits.
    let written = fs::metadata(&index).unwrap().modified().unwrap();
    let copy = fs::File::options().write(true).open(&scratch).unwrap();
    copy.set_modified(written).unwrap();
    let env = [("GIT_INDEX_FILE", scratch.as_path())];
    let run = |args: &[&str]| {
        let output = git_output(root, args, &env);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    run(&["add", "-A"]);
    let tree = run(&["write-tree"]);
    // A merge that is in progress will have been one.
    let merging = git_output(root, &["rev-parse", "-q", "--verify", "MERGE_HEAD"], &[]);
    let merging = String::from_utf8_lossy(&merging.stdout).trim().to_owned();
    let parents = match merging.as_str() {
        "" => vec!["-p", "HEAD"],
        other => vec!["-p", "HEAD", "-p", other],
    };
    run(&[&["commit-tree", "-m", "snapshot", &tree], &parents[..]].concat())
}

/// Waits until the watcher's picture is as wanted: looks again at each event, and now and then, for
/// what raises none (other lines of a verdict that says the same).
pub(crate) fn until(
    watcher: &ConflictWatcher,
    what: &str,
    wanted: impl Fn(&Picture) -> bool,
) -> Picture {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut events = watcher.events();
        let end = tokio::time::Instant::now() + DEADLINE;
        loop {
            let picture = watcher.picture();
            if wanted(&picture) {
                return picture;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "waited in vain for {what}; there is\n{}\n{:?}",
                essence(&picture),
                watcher.health()
            );
            let _ = tokio::time::timeout(Duration::from_millis(50), events.recv()).await;
        }
    })
}

/// Takes the events that are there already.
pub(crate) fn drain(
    events: &mut tokio::sync::broadcast::Receiver<ConflictEvent>,
) -> Vec<ConflictEvent> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

/// Random numbers that are the same in each run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}
