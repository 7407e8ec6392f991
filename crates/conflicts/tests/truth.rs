//! What the room says, beside what git's own merge says, over random repositories.

#![allow(clippy::unwrap_used)] // helpers of tests may panic, too

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::{Dice, Repo, commit, fresh, git, merge_tree, write};

const FILES: [&str; 7] = [
    "a.txt",
    "b.txt",
    "src/c.rs",
    "src/d.rs",
    "src/deep/e.rs",
    "f g.txt",
    "data.bin",
];

/// Lines that repeat as those of programs do: braces, blank lines, a few statements.
fn random_lines(dice: &mut Dice, count: u64) -> Vec<String> {
    let vocabulary = *dice.pick(&[4, 12, 60, 1_000]);
    let line = |dice: &mut Dice| match dice.below(6) {
        0 => String::new(),
        1 => "}".to_owned(),
        _ => format!("    statement {};", dice.below(vocabulary)),
    };
    (0..count).map(|_| line(dice)).collect()
}

fn text(dice: &mut Dice, lines: &[String]) -> String {
    let end = if dice.below(6) > 0 && !lines.is_empty() {
        "\n"
    } else {
        ""
    };
    lines.join("\n") + end
}

/// Spoils one worktree: edits, creations, deletions, modes, binaries, sometimes a commit in between.
fn spoil(dice: &mut Dice, root: &Path) {
    for _ in 0..1 + dice.below(6) {
        let file = root.join(dice.pick(&FILES));
        match dice.below(12) {
            0 => drop(fs::remove_file(&file)),
            1 => {
                use std::os::unix::fs::PermissionsExt as _;
                if file.exists() {
                    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
            2 => {
                let new = root.join(format!("new/{}.txt", dice.below(3)));
                let count = dice.below(4);
                let lines = random_lines(dice, count);
                write(&new, text(dice, &lines));
            }
            3 => {
                if dice.below(2) == 0 {
                    git(root, &["add", "-A"]);
                } else {
                    commit(root);
                }
            }
            _ => {
                let Ok(old) = fs::read(&file) else { continue };
                if old.contains(&0) {
                    write(&file, [b"\0".as_slice(), &[dice.below(3) as u8]].concat());
                    continue;
                }
                let old = String::from_utf8(old).unwrap();
                let mut lines: Vec<_> = old.lines().map(str::to_owned).collect();
                for _ in 0..1 + dice.below(2) {
                    let at = dice.below(lines.len() as u64 + 1) as usize;
                    let gone = (dice.below(3) as usize).min(lines.len() - at);
                    let count = dice.below(3);
                    let new = random_lines(dice, count);
                    lines.splice(at..at + gone, new);
                }
                write(&file, text(dice, &lines));
            }
        }
    }
    if dice.below(3) == 0 {
        commit(root);
    }
}

fn random_repository(seed: u64, worktrees: usize) -> (Repo, Vec<std::path::PathBuf>) {
    let mut dice = Dice::new(seed);
    let repo = Repo::empty();
    for file in FILES {
        if file == "data.bin" {
            write(&repo.main().join(file), b"\0base");
            continue;
        }
        let count = 5 + dice.below(40);
        let lines = random_lines(&mut dice, count);
        write(&repo.main().join(file), text(&mut dice, &lines));
    }
    commit(&repo.main());
    let mut roots = vec![repo.main()];
    for number in 1..worktrees {
        let root = repo.worktree(&format!("w{number}"));
        // Some start from where another one is by now: other merge bases.
        if dice.below(4) == 0 {
            let other = dice.pick(&roots).clone();
            git(
                &root,
                &[
                    "reset",
                    "-q",
                    "--hard",
                    &git(&other, &["rev-parse", "HEAD"]),
                ],
            );
        }
        spoil(&mut dice, &root);
        roots.push(root);
    }
    spoil(&mut dice, &repo.main());
    (repo, roots)
}

/// Compares every pair, and says how many files were in conflict.
fn assert_as_git(seed: u64, worktrees: usize) -> usize {
    let (repo, roots) = random_repository(seed, worktrees);
    let picture = fresh(&repo.main());
    let mut conflicts = 0;
    for (at, left) in roots.iter().enumerate() {
        for right in &roots[at + 1..] {
            let truth = merge_tree(&repo, left, right);
            let ids = [left, right].map(|root| root.to_string_lossy().into_owned());
            let ours: BTreeSet<_> = picture
                .verdicts
                .iter()
                .filter(|verdict| verdict.would_conflict)
                .filter(|verdict| {
                    ids.contains(&verdict.left.worktree.0)
                        && ids.contains(&verdict.right.worktree.0)
                })
                .map(|verdict| verdict.path.to_string())
                .collect();
            assert_eq!(ours, truth, "seed {seed}, {ids:?}");
            conflicts += truth.len();
        }
    }
    conflicts
}

#[test]
fn three_worktrees_conflict_where_git_says_so() {
    let conflicts: usize = (1..=10).map(|seed| assert_as_git(seed, 3)).sum();
    assert!(conflicts > 3, "{conflicts}");
}

#[test]
fn five_worktrees_conflict_where_git_says_so() {
    let conflicts: usize = (11..=15).map(|seed| assert_as_git(seed, 5)).sum();
    assert!(conflicts > 3, "{conflicts}");
}

#[test]
fn nine_worktrees_conflict_where_git_says_so() {
    let conflicts: usize = (16..=18).map(|seed| assert_as_git(seed, 9)).sum();
    assert!(conflicts > 30, "{conflicts}");
}

/// More of the same, for whoever changes the comparison: `cargo test --test truth -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn hundreds_of_worktrees_conflict_where_git_says_so() {
    for seed in 100..200 {
        assert_as_git(seed, 3 + (seed % 7) as usize);
    }
}
