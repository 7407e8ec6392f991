//! What people and agents do in a worktree, at random.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use proptest::prelude::*;

use super::{Repo, git};

#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Writes a file: these lines, with this end, with or without the last one's.
    Write(usize, Vec<u8>, &'static str, bool),
    Delete(usize),
    Rename(usize, usize),
    Chmod(usize),
    Link(usize),
    Binary(usize, u8),
    /// Bytes that are no UTF-8.
    Latin(usize),
    Stage(usize),
    StageAll,
    Unstage,
    Commit,
    Branch,
}

/// Paths that a program might stumble over.
pub(crate) const PATHS: [&str; 8] = [
    "a",
    "dir/b",
    "dir/deep/c",
    "with space",
    "ünï",
    "-dash",
    "tab\there",
    "glob[*]?",
];

pub(crate) fn act() -> impl Strategy<Value = Act> {
    let path = || 0..PATHS.len();
    let lines = proptest::collection::vec(0_u8..12, 0..40);
    let end = prop_oneof![4 => Just("\n"), 1 => Just("\r\n")];
    prop_oneof![
        8 => (path(), lines, end, any::<bool>()).prop_map(|(path, lines, end, last)| Act::Write(path, lines, end, last)),
        2 => path().prop_map(Act::Delete),
        3 => (path(), path()).prop_map(|(from, to)| Act::Rename(from, to)),
        2 => path().prop_map(Act::Chmod),
        1 => path().prop_map(Act::Link),
        1 => (path(), any::<u8>()).prop_map(|(path, byte)| Act::Binary(path, byte)),
        1 => path().prop_map(Act::Latin),
        3 => path().prop_map(Act::Stage),
        2 => Just(Act::StageAll),
        1 => Just(Act::Unstage),
        3 => Just(Act::Commit),
        1 => Just(Act::Branch),
    ]
}

pub(crate) fn write(place: &Path, bytes: &[u8]) {
    if place
        .symlink_metadata()
        .is_ok_and(|found| found.is_symlink())
    {
        fs::remove_file(place).unwrap();
    }
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, bytes).unwrap();
}

pub(crate) fn perform(repo: &Repo, act: &Act) {
    let root = repo.root();
    let at = |path: &usize| root.join(PATHS[*path]);
    match act {
        Act::Write(path, lines, end, last) => {
            let lines: Vec<_> = lines.iter().map(|line| format!("line {line}")).collect();
            let mut text = lines.join(end);
            if *last {
                text.push_str(end);
            }
            write(&at(path), text.as_bytes());
        }
        Act::Delete(path) => drop(fs::remove_file(at(path))),
        Act::Rename(from, to) => {
            if from != to && at(from).symlink_metadata().is_ok() {
                fs::create_dir_all(at(to).parent().unwrap()).unwrap();
                fs::rename(at(from), at(to)).unwrap();
            }
        }
        Act::Chmod(path) => {
            if let Ok(found) = at(path).symlink_metadata()
                && found.is_file()
            {
                let mode = found.permissions().mode() ^ 0o111;
                fs::set_permissions(at(path), fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        Act::Link(path) => {
            let _ = fs::remove_file(at(path));
            fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            // Out of the tree: it is never followed.
            symlink("/etc/passwd", at(path)).unwrap();
        }
        Act::Binary(path, byte) => write(&at(path), &[0, *byte, 10, 0, 255]),
        Act::Latin(path) => write(&at(path), b"caf\xe9\nline 1\nline 2\nna\xefve"),
        Act::Stage(path) => {
            // Nothing to stage is fine.
            repo.try_git(&["--literal-pathspecs", "add", "-A", "--", PATHS[*path]]);
        }
        Act::StageAll => drop(git(root, &["add", "-A"])),
        Act::Unstage => drop(git(root, &["reset", "-q"])),
        Act::Commit => drop(git(root, &["commit", "-q", "--allow-empty", "-m", "x"])),
        Act::Branch => {
            repo.try_git(&["checkout", "-q", "-b", "topic"]);
        }
    }
}
