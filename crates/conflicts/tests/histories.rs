//! What the room says, beside what git's own merge says, over random histories of the kinds that large teams have:
//! merges that cross, renamed directories, filters, merge drivers, sparse and partial checkouts, hooks; with work that
//! is committed, staged, not staged, or in the middle of a merge.
//!
//! `HISTORIES=500` compares that many of them; without, a few of each kind.

#![allow(clippy::unwrap_used)] // helpers of tests may panic, too

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use conflicts::{Picture, Verdict};
use support::{Dice, Repo, commit, fresh, git, git_output, merge_tree, merge_tree_in, say, write};

/// A repository with a random history, and its worktrees.
struct History {
    repo: Repo,
    /// Where the repository is: beside its origin when it is a partial clone.
    main: PathBuf,
    roots: Vec<PathBuf>,
}

/// What is special about a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Branches merge each other, so that two of them have several merge bases.
    CrissCross,
    /// Files and whole directories move.
    Renames,
    /// Programs convert some files on their way to the disk and back.
    Filters,
    /// A program merges some files.
    Drivers,
    /// Most worktrees hold a part of the files, with an index that names directories only.
    Sparse,
    /// Contents are fetched when they are needed.
    Partial,
    /// A worktree is in the middle of a merge.
    Merging,
    /// Each worktree has a submodule checked out, and changes it, too.
    Submodules,
}

const DIRS: [&str; 4] = ["app", "app/core", "lib", "docs"];

/// Lines that tell one file from another, with some that repeat.
fn text(dice: &mut Dice, name: &str) -> String {
    let count = 6 + dice.below(20);
    let line = |dice: &mut Dice, at: u64| match dice.below(7) {
        0 => "}\n".to_owned(),
        1 => "\n".to_owned(),
        _ => format!("{name} {at} {}\n", dice.below(1_000)),
    };
    (0..count).map(|at| line(dice, at)).collect()
}

fn edit(dice: &mut Dice, file: &Path) {
    let Ok(old) = fs::read_to_string(file) else {
        return;
    };
    let mut lines: Vec<_> = old.split_inclusive('\n').map(str::to_owned).collect();
    for _ in 0..1 + dice.below(2) {
        let at = dice.below(lines.len() as u64 + 1) as usize;
        let gone = (dice.below(3) as usize).min(lines.len() - at);
        let new = (0..1 + dice.below(2)).map(|_| format!("edit {}\n", dice.below(1_000_000)));
        let new: Vec<_> = new.collect();
        lines.splice(at..at + gone, new);
    }
    write(file, lines.concat());
}

/// The files of a worktree, by path.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            if [".git", ".gitattributes", ".gitmodules"]
                .iter()
                .any(|own| name == *own)
            {
                continue;
            }
            match entry.file_type().unwrap().is_dir() {
                true => dirs.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files.sort();
    files
}

/// Changes one worktree a few times.
fn spoil(dice: &mut Dice, root: &Path, kind: Kind) {
    for _ in 0..1 + dice.below(5) {
        let files = files(root);
        if files.is_empty() {
            return;
        }
        let file = dice.pick(&files).clone();
        let dir = root.join(dice.pick(&DIRS));
        let moves = match kind {
            Kind::Renames => 5,
            Kind::CrissCross | Kind::Merging => 1,
            _ => 0,
        };
        match dice.below(10 + moves) {
            0 => {
                fs::remove_file(&file).unwrap();
                // What was only ever staged must not stay staged alone.
                git(root, &["add", "-A"]);
            }
            1 if dir.is_dir() => {
                let name = format!("new-{}.txt", dice.below(4));
                let text = text(dice, &name);
                write(&dir.join(name), text);
            }
            2 => drop(git(root, &["add", "-A"])),
            3 => commit(root),
            4..10 => edit(dice, &file),
            10 | 11 => {
                // A whole directory gets another name.
                let to = root.join(format!("moved-{}", dice.below(3)));
                if dir.is_dir() && !to.exists() {
                    fs::rename(&dir, &to).unwrap();
                    git(root, &["add", "-A"]);
                }
            }
            _ => {
                let to = dir.join(format!("to-{}.txt", dice.below(6)));
                if dir.is_dir() && !to.exists() && file.exists() {
                    fs::rename(&file, &to).unwrap();
                    git(root, &["add", "-A"]);
                    if dice.below(2) == 0 {
                        edit(dice, &to);
                    }
                }
            }
        }
    }
}

/// Merges another worktree's branch as it was before, so that both may come to contain each other's past.
fn merge(root: &Path, branch: &str) {
    commit(root);
    let merged = git_output(root, &["merge", "-q", "--no-edit", branch], &[]);
    if !merged.status.success() {
        git(root, &["add", "-A"]);
        git(root, &["commit", "-q", "--allow-empty", "-m", "merged"]);
    }
}

impl History {
    fn random(seed: u64, kind: Kind) -> Self {
        let mut dice = Dice::new(seed);
        let dice = &mut dice;
        let repo = Repo::empty();
        let mut main = repo.main();
        let mut attributes = String::from("*.bin binary\n");
        if kind == Kind::Filters {
            attributes += "*.txt filter=upper\n";
        }
        if kind == Kind::Drivers {
            attributes += "docs/* merge=keep\nlib/* merge=union\n";
        }
        write(&main.join(".gitattributes"), attributes);
        for dir in DIRS {
            for number in 0..4 {
                let file = format!("{dir}/{}-{number}.txt", dir.replace('/', "-"));
                let text = text(dice, &file);
                write(&main.join(&file), text);
            }
        }
        write(&main.join("top.txt"), text(dice, "top"));
        configure(&main, kind);
        commit(&main);
        if kind == Kind::Submodules {
            let part = repo.dir().join("origin");
            git(&repo.dir(), &["init", "-q", "-b", "main", "origin"]);
            for number in 0..5 {
                let name = format!("p{number}.txt");
                write(&part.join(&name), text(dice, &name));
            }
            commit(&part);
            submodule(&main, &["add", part.to_str().unwrap(), "part"]);
            commit(&main);
        }
        if kind == Kind::Partial {
            let origin = repo.dir().join("origin");
            fs::rename(&main, &origin).unwrap();
            edit(dice, &origin.join("top.txt"));
            edit(dice, &origin.join("lib/lib-1.txt"));
            git(&origin, &["config", "uploadpack.allowFilter", "true"]);
            git(&origin, &["branch", "old"]);
            commit(&origin);
            let url = format!("file://{}", origin.display());
            let clone = ["clone", "-q", "--filter=blob:none", &url, "main"];
            git(&repo.dir(), &clone);
        }
        let mut roots = vec![main.clone()];
        for number in 1..3 + dice.below(2) {
            let root = repo.worktree(&format!("w{number}"));
            if kind == Kind::Sparse {
                let set = ["sparse-checkout", "set", "--cone", "--sparse-index"];
                git(&root, &[&set[..], &[*dice.pick(&DIRS)]].concat());
            }
            if kind == Kind::Partial && number > 1 {
                // Its contents were never at hand: nothing but the names of those in common is here.
                git(&root, &["reset", "-q", "--hard", "origin/old"]);
            }
            if kind == Kind::Submodules {
                submodule(&root, &["update", "--init"]);
            }
            roots.push(root);
        }
        main = roots[0].clone();
        for root in &roots {
            if kind == Kind::Submodules {
                spoil(dice, &root.join("part"), kind);
            }
            spoil(dice, root, kind);
        }
        if kind == Kind::Submodules {
            // Git can say which commit of a submodule contains which only where it has them.
            for root in &roots[1..] {
                let part = root.join("part");
                git(
                    &main.join("part"),
                    &["fetch", "-q", part.to_str().unwrap(), "HEAD"],
                );
            }
        }
        if matches!(kind, Kind::CrissCross | Kind::Merging) {
            for root in &roots {
                commit(root);
            }
            let heads: Vec<_> = roots
                .iter()
                .map(|root| git(root, &["rev-parse", "HEAD"]))
                .collect();
            // Each contains what the other was: two merge bases.
            merge(&roots[1], &heads[2]);
            merge(&roots[2], &heads[1]);
            for root in &roots {
                spoil(dice, root, kind);
            }
        }
        if kind == Kind::Merging {
            let root = &roots[1 + dice.below(2) as usize];
            commit(root);
            // Stopped or not: it is not concluded.
            git_output(
                root,
                &["merge", "-q", "--no-commit", "--no-ff", "main"],
                &[],
            );
            spoil_disk(dice, root);
        }
        Self { repo, main, roots }
    }

    /// The worktrees, and the checkouts of submodules in them.
    fn checkouts(&self) -> Vec<PathBuf> {
        let parts = self.roots.iter().map(|root| root.join("part"));
        let parts = parts.filter(|part| part.join(".git").exists());
        self.roots.iter().cloned().chain(parts).collect()
    }

    /// What a look may not change.
    fn prints(&self) -> BTreeMap<String, Vec<u8>> {
        let mut prints = BTreeMap::new();
        for root in &self.checkouts() {
            let index = git(
                root,
                &["rev-parse", "--path-format=absolute", "--git-path", "index"],
            );
            prints.insert(index.clone(), fs::read(&index).unwrap());
            let listed = files(root)
                .iter()
                .map(|file| format!("{}\n", file.display()))
                .collect::<String>();
            prints.insert(root.display().to_string(), listed.into_bytes());
            let objects = Path::new(&index).with_file_name("objects");
            if objects.exists() {
                let mut names = walk(&objects, true);
                names.sort();
                prints.insert(objects.display().to_string(), names.join("\n").into_bytes());
            }
        }
        let common = git(
            &self.main,
            &["rev-parse", "--path-format=absolute", "--git-common-dir"],
        );
        for dir in ["objects", "refs", "."] {
            let mut names: Vec<_> = walk(&Path::new(&common).join(dir), dir != ".");
            names.sort();
            prints.insert(dir.to_owned(), names.join("\n").into_bytes());
        }
        prints
    }
}

fn walk(dir: &Path, deep: bool) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        names.push(entry.path().display().to_string());
        if deep && entry.file_type().unwrap().is_dir() {
            names.extend(walk(&entry.path(), true));
        }
    }
    names
}

/// Edits files without touching the index.
fn spoil_disk(dice: &mut Dice, root: &Path) {
    let files = files(root);
    for _ in 0..dice.below(3) {
        let file = dice.pick(&files).clone();
        edit(dice, &file);
    }
}

/// Sets filters, drivers, and hooks that tell when they ran.
fn configure(main: &Path, kind: Kind) {
    match kind {
        Kind::Filters => {
            git(main, &["config", "filter.upper.clean", "tr a-z A-Z"]);
            git(main, &["config", "filter.upper.smudge", "tr A-Z a-z"]);
        }
        Kind::Drivers => drop(git(
            main,
            &["config", "merge.keep.driver", "touch ran-driver; true"],
        )),
        _ => {}
    }
}

/// Lets every hook that git knows leave a mark, and the file system monitor as well.
fn set_hooks(main: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let git_dir = git(
        main,
        &["rev-parse", "--path-format=absolute", "--git-common-dir"],
    );
    let hooks = Path::new(&git_dir).join("hooks");
    let names = [
        "post-index-change",
        "reference-transaction",
        "pre-commit",
        "post-checkout",
        "post-commit",
        "fsmonitor",
    ];
    for name in names {
        let hook = hooks.join(name);
        write(&hook, format!("#!/bin/sh\ntouch '{git_dir}/ran-{name}'\n"));
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let monitor = hooks.join("fsmonitor");
    git(
        main,
        &["config", "core.fsmonitor", monitor.to_str().unwrap()],
    );
    for name in names {
        let _ = fs::remove_file(Path::new(&git_dir).join(format!("ran-{name}")));
    }
}

/// The paths that a verdict speaks of: git may name any of them.
fn paths(verdict: &Verdict) -> [String; 3] {
    [&verdict.path, &verdict.left.path, &verdict.right.path].map(ToString::to_string)
}

/// Paths inside of the submodule that git's merge of its own checkouts stops at.
fn inside_submodule(history: &History, left: &Path, right: &Path) -> Vec<String> {
    let parts = [history.main.as_path(), left, right].map(|root| root.join("part"));
    if !parts.iter().all(|part| part.join(".git").exists()) {
        return Vec::new();
    }
    let [place, left, right] = &parts;
    let stops = merge_tree_in(place, &history.repo, left, right).into_iter();
    stops.map(|path| format!("part/{path}")).collect()
}

/// `git submodule` with what a test's repository on this machine needs.
fn submodule(root: &Path, arguments: &[&str]) {
    let here = ["-c", "protocol.file.allow=always", "submodule", "--quiet"];
    git(root, &[&here, arguments].concat());
}

/// What the picture and git say differently of a pair, one a line.
fn differences(history: &History, picture: &Picture, left: &Path, right: &Path) -> Vec<String> {
    let ids = [left, right].map(|root| root.to_string_lossy().into_owned());
    let of_pair = |verdict: &&Verdict| {
        ids.contains(&verdict.left.worktree.0) && ids.contains(&verdict.right.worktree.0)
    };
    let ours: Vec<_> = picture.verdicts.iter().filter(of_pair).collect();
    let not_known: Vec<_> = ours
        .iter()
        .filter(|verdict| {
            verdict
                .note
                .as_deref()
                .is_some_and(|note| note.contains("merge driver"))
        })
        .flat_map(|verdict| paths(verdict))
        .collect();
    let mut truth = merge_tree(&history.repo, left, right);
    truth.extend(inside_submodule(history, left, right));
    let stops = |verdict: &&&Verdict| verdict.would_conflict;
    let missed = truth.iter().filter(|path| {
        !not_known.contains(path)
            && !ours
                .iter()
                .filter(stops)
                .any(|verdict| paths(verdict).contains(path))
    });
    let missed = missed.map(|path| format!("missed {path} of {ids:?}"));
    let false_ones = ours.iter().filter(stops).filter(|verdict| {
        let paths = paths(verdict);
        !paths
            .iter()
            .any(|path| truth.contains(path) || not_known.contains(path))
    });
    let false_ones = false_ones.map(|verdict| format!("false {} of {ids:?}", verdict.path));
    missed.chain(false_ones).collect()
}

/// Compares every pair of one history with git; gives how many files git stops at, or what is said differently.
fn compare(seed: u64, kind: Kind) -> Result<usize, String> {
    let history = History::random(seed, kind);
    set_hooks(&history.main);
    let before = history.prints();
    let mut picture = fresh(&history.main);
    let after = history.prints();
    for (what, print) in &before {
        assert!(
            after.get(what) == Some(print),
            "seed {seed} {kind:?}: a look changed {what}"
        );
    }
    git(&history.main, &["config", "--unset", "core.fsmonitor"]);
    let mut conflicts = 0;
    let mut different = Vec::new();
    for again in [false, true] {
        different.clear();
        conflicts = 0;
        for (at, left) in history.roots.iter().enumerate() {
            for right in &history.roots[at + 1..] {
                different.extend(differences(&history, &picture, left, right));
                conflicts += merge_tree(&history.repo, left, right).len();
                conflicts += inside_submodule(&history, left, right).len();
            }
        }
        // What is not here can't be known, and must be told. Git has fetched it by now.
        if again || !picture.incomplete {
            break;
        }
        if kind != Kind::Partial {
            return Err(format!("seed {seed} {kind:?}: {:#?}", picture.notes));
        }
        picture = fresh(&history.main);
    }
    if different.is_empty() && !picture.incomplete {
        return Ok(conflicts);
    }
    Err(format!(
        "seed {seed} {kind:?}: {different:#?}\nsaid:\n{}\nnotes: {:#?}",
        say(&picture),
        picture.notes,
    ))
}

/// Compares a few random histories of one kind, or as many as `HISTORIES` says, from the one that `FROM` says.
fn assert_as_git(kind: Kind) {
    let number = |name: &str| -> Option<u64> { std::env::var(name).ok()?.parse().ok() };
    let count = number("HISTORIES").unwrap_or(2);
    let from = number("FROM").unwrap_or(1);
    let mut conflicts = 0;
    let mut different = Vec::new();
    for seed in from..from + count {
        match compare(seed, kind) {
            Ok(count) => conflicts += count,
            Err(told) => different.push(told),
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
    // A generator that makes no conflicts would compare nothing.
    assert!(conflicts > 0, "{kind:?}");
}

#[test]
fn merges_that_cross_conflict_where_git_says_so() {
    assert_as_git(Kind::CrissCross);
}

#[test]
fn renamed_files_and_directories_conflict_where_git_says_so() {
    assert_as_git(Kind::Renames);
}

#[test]
fn filtered_files_conflict_where_git_says_so() {
    assert_as_git(Kind::Filters);
}

#[test]
fn files_with_a_merge_driver_are_told_and_all_others_conflict_where_git_says_so() {
    assert_as_git(Kind::Drivers);
}

#[test]
fn sparse_worktrees_conflict_where_git_says_so() {
    assert_as_git(Kind::Sparse);
}

#[test]
fn partial_clones_tell_what_is_missing_and_conflict_where_git_says_so() {
    assert_as_git(Kind::Partial);
}

#[test]
fn submodules_and_their_files_conflict_where_git_says_so() {
    assert_as_git(Kind::Submodules);
}

#[test]
fn merges_in_progress_conflict_where_git_says_so() {
    assert_as_git(Kind::Merging);
}
