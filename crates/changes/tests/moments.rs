//! What a worktree was at a moment: what changed since, and the way back.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may panic

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use changes::{
    ChangedFile, ChangesError, Chosen, DiffContent, DiffQuestion, FilePicture, FilePictures, Hunk,
    Since, SnapshotId, Snapshots, View,
};
use proptest::prelude::*;
use support::acts::{act, perform};
use support::{Repo, git, program};

const NOW: u64 = 1_700_000_000_000;

fn snapshots(repo: &Repo) -> Snapshots {
    Snapshots::new(repo.root().with_file_name("snapshots"), program())
}

fn remember(repo: &Repo) -> SnapshotId {
    snapshots(repo)
        .remember(&repo.worktree(), "Then", NOW)
        .unwrap()
}

fn since(repo: &Repo, id: &SnapshotId) -> Since {
    snapshots(repo).since(&repo.worktree(), id).unwrap()
}

fn chosen(path: &str, hunks: Vec<Hunk>) -> Chosen {
    Chosen {
        path: path.into(),
        from: None,
        hunks,
    }
}

fn restore(repo: &Repo, id: &SnapshotId, paths: Option<&[&str]>) -> Option<SnapshotId> {
    let chosen: Option<Vec<_>> =
        paths.map(|paths| paths.iter().map(|path| chosen(path, Vec::new())).collect());
    let restored = since(repo, id).restore(chosen.as_deref(), &snapshots(repo), NOW);
    restored.unwrap()
}

/// Everything in a directory: bytes, or where a link leads, and the mode of a file.
type Files = BTreeMap<Vec<u8>, (Vec<u8>, Option<u32>)>;

fn files(root: &Path) -> Files {
    let mut all = Files::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            let place = entry.path();
            let name = place.strip_prefix(root).unwrap().as_os_str().as_bytes();
            let about = entry.metadata().unwrap();
            if name == b".git" {
            } else if about.is_dir() {
                left.push(place);
            } else if about.is_symlink() {
                let to = fs::read_link(&place).unwrap();
                all.insert(name.to_vec(), (to.as_os_str().as_bytes().to_vec(), None));
            } else {
                let mode = about.permissions().mode();
                all.insert(name.to_vec(), (fs::read(&place).unwrap(), Some(mode)));
            }
        }
    }
    all
}

/// The paths at which two states differ, as git sees it.
fn differing(before: &Files, after: &Files) -> BTreeSet<Vec<u8>> {
    let seen = |files: &Files, path: &[u8]| {
        files
            .get(path)
            .map(|(bytes, mode)| (bytes.clone(), mode.map(|mode| mode & 0o100)))
    };
    let all = before.keys().chain(after.keys());
    all.filter(|path| seen(before, path) != seen(after, path))
        .cloned()
        .collect()
}

/// The paths that are told to differ.
fn told(repo: &Repo, id: &SnapshotId) -> BTreeSet<Vec<u8>> {
    let files = listed(repo, id);
    let paths = files
        .iter()
        .flat_map(|file| file.from.iter().chain([&file.path]));
    paths.map(|path| path.as_bytes().to_vec()).collect()
}

fn listed(repo: &Repo, id: &SnapshotId) -> Vec<ChangedFile> {
    let mut listed = since(repo, id).list().unwrap();
    assert_eq!(listed.views.len(), 1);
    listed.views.remove(0).files
}

/// All that a person's tools see of the repository, apart from the files.
fn repository(repo: &Repo) -> String {
    [
        "for-each-ref",
        "status --porcelain=v2",
        "ls-files --stage",
        "count-objects -v",
    ]
    .map(|args| {
        let args: Vec<_> = args.split(' ').collect();
        git(repo.root(), &args)
    })
    .join("\n")
}

fn diff(repo: &Repo, id: &SnapshotId, path: &str) -> String {
    let texts = hunks(repo, id, path, 0).into_iter().map(|hunk| hunk.text);
    texts.collect::<Vec<_>>().join("\n")
}

fn hunks(repo: &Repo, id: &SnapshotId, path: &str, context: u32) -> Vec<Hunk> {
    let question = DiffQuestion {
        view: View::Whole,
        path: path.into(),
        from: None,
        base: None,
        context: Some(context),
        ignore_space: false,
    };
    let told = since(repo, id).diff(&question).unwrap();
    let DiffContent::Text { hunks, .. } = told.content else {
        panic!("{told:?}");
    };
    hunks
}

/// A file that is committed, one that is changed, a new one.
fn changed() -> Repo {
    let repo = Repo::empty();
    let root = repo.root();
    for name in ["committed", "edited", "dropped"] {
        fs::write(root.join(name), "one\ntwo\n").unwrap();
    }
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "First"]);
    fs::write(root.join("edited"), "one\n2\n").unwrap();
    fs::write(root.join("new"), "mine\n").unwrap();
    fs::set_permissions(root.join("new"), fs::Permissions::from_mode(0o640)).unwrap();
    repo
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_changed_since_is_told_and_the_way_there_and_back_gives_the_same_bytes_and_modes(
        first in proptest::collection::vec(act(), 0..14),
        then in proptest::collection::vec(act(), 0..14),
    ) {
        let repo = Repo::empty();
        for act in &first {
            perform(&repo, act);
        }
        let (before, tools) = (files(repo.root()), repository(&repo));
        let moment = remember(&repo);
        prop_assert_eq!(&files(repo.root()), &before);
        prop_assert_eq!(repository(&repo), tools);
        prop_assert_eq!(told(&repo, &moment), BTreeSet::new());

        for act in &then {
            perform(&repo, act);
        }
        let after = files(repo.root());
        prop_assert_eq!(told(&repo, &moment), differing(&before, &after));
        let undo = restore(&repo, &moment, None);
        prop_assert_eq!(&files(repo.root()), &before);
        prop_assert_eq!(undo.is_some(), differing(&before, &after) != BTreeSet::new());
        if let Some(undo) = undo {
            snapshots(&repo).restore(&repo.worktree(), &undo, NOW).unwrap();
            prop_assert_eq!(&files(repo.root()), &after);
        }
    }
}

#[test]
fn the_lines_that_came_since_are_told_whatever_was_staged_or_committed_meanwhile() {
    let repo = changed();
    let root = repo.root();
    let moment = remember(&repo);
    assert_eq!(diff(&repo, &moment, "edited"), "");
    fs::write(root.join("edited"), "one\n2\n3\n").unwrap();
    fs::write(root.join("new"), "mine\nand theirs\n").unwrap();
    git(root, &["add", "edited", "new"]);
    git(root, &["commit", "-q", "-m", "Second"]);
    fs::write(root.join("later"), "x\n").unwrap();
    assert_eq!(diff(&repo, &moment, "edited"), "+3");
    assert_eq!(diff(&repo, &moment, "new"), "+and theirs");
    assert_eq!(diff(&repo, &moment, "later"), "+x");
    let paths: Vec<_> = listed(&repo, &moment)
        .iter()
        .map(|file| file.path.to_string())
        .collect();
    assert_eq!(paths, ["edited", "later", "new"]);
}

#[test]
fn one_file_is_what_it_was_and_the_others_are_left_alone() {
    let repo = changed();
    let root = repo.root();
    let moment = remember(&repo);
    for name in ["committed", "edited", "new"] {
        fs::write(root.join(name), "spoilt\n").unwrap();
    }
    fs::remove_file(root.join("dropped")).unwrap();
    let spoilt = files(root);
    let undo = restore(&repo, &moment, Some(&["new", "dropped", "nothing"])).unwrap();
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    assert_eq!(
        (read("new"), read("dropped")),
        ("mine\n".into(), "one\ntwo\n".into())
    );
    assert_eq!(
        (read("edited"), read("committed")),
        ("spoilt\n".into(), "spoilt\n".into())
    );
    let mode = fs::metadata(root.join("new")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    snapshots(&repo)
        .restore(&repo.worktree(), &undo, NOW)
        .unwrap();
    assert_eq!(files(root), spoilt);
    assert_eq!(restore(&repo, &moment, Some(&["nothing"])), None);
}

#[test]
fn a_file_in_the_place_of_a_directory_makes_room_again_both_ways() {
    let repo = Repo::empty();
    let root = repo.root();
    fs::create_dir(root.join("d")).unwrap();
    fs::write(root.join("d/x"), "x\n").unwrap();
    fs::write(root.join("f"), "f\n").unwrap();
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "First"]);
    fs::write(root.join("d/y"), "y\n").unwrap();
    let (before, moment) = (files(root), remember(&repo));
    fs::remove_dir_all(root.join("d")).unwrap();
    fs::write(root.join("d"), "a file\n").unwrap();
    fs::remove_file(root.join("f")).unwrap();
    fs::create_dir_all(root.join("f/deep")).unwrap();
    fs::write(root.join("f/deep/z"), "z\n").unwrap();
    let after = files(root);
    let undo = restore(&repo, &moment, None).unwrap();
    assert_eq!(files(root), before);
    snapshots(&repo)
        .restore(&repo.worktree(), &undo, NOW)
        .unwrap();
    assert_eq!(files(root), after);
}

#[test]
fn line_ends_that_git_converts_are_no_change_and_come_back_as_they_were() {
    let repo = Repo::empty();
    let root = repo.root();
    git(root, &["config", "core.autocrlf", "true"]);
    fs::write(root.join("f"), "one\r\ntwo\r\n").unwrap();
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "First"]);
    fs::write(root.join("f"), "one\r\n2\r\n").unwrap();
    let moment = remember(&repo);
    assert_eq!(told(&repo, &moment), BTreeSet::new());
    fs::write(root.join("f"), "1\r\n2\r\n").unwrap();
    assert_eq!(diff(&repo, &moment, "f"), "-one\n+1");
    restore(&repo, &moment, None).unwrap();
    assert_eq!(fs::read(root.join("f")).unwrap(), b"one\r\n2\r\n");
}

#[test]
fn moments_are_listed_by_worktree_kept_in_number_and_end_with_their_time() {
    let repo = changed();
    let kept = snapshots(&repo);
    let worktree = repo.worktree();
    for number in 0..52 {
        let label = format!("Number {number}");
        kept.remember(&worktree, &label, NOW + number).unwrap();
    }
    kept.prune_moments().unwrap();
    let labels = |kept: &Snapshots| -> Vec<_> {
        let all = kept.moments(&worktree).unwrap();
        all.into_iter().map(|one| one.kept.label).collect()
    };
    let told = labels(&kept);
    assert_eq!(
        (told.len(), &*told[0], &*told[49]),
        (50, "Number 51", "Number 2")
    );
    assert_eq!(
        kept.list(None).unwrap(),
        [],
        "a moment is nothing that was discarded"
    );
    let id = &kept.moments(&worktree).unwrap()[0].id.clone();
    let other = Repo::empty();
    let refused = kept.since(&other.worktree(), id).unwrap_err().to_string();
    assert!(refused.contains("it is a moment of"), "{refused}");
    kept.prune(NOW + 31 * 24 * 3600 * 1000).unwrap();
    assert_eq!(labels(&kept), [""; 0]);
    assert!(matches!(
        kept.since(&worktree, id),
        Err(ChangesError::NoSnapshot { .. })
    ));
}

#[test]
fn a_moment_before_the_first_commit_is_one_as_well_and_what_is_too_much_is_said() {
    let repo = Repo::empty();
    let root = repo.root();
    fs::write(root.join("f"), "one\n").unwrap();
    let moment = remember(&repo);
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "First"]);
    fs::write(root.join("f"), "2\n").unwrap();
    assert_eq!(diff(&repo, &moment, "f"), "-one\n+2");
    restore(&repo, &moment, None).unwrap();
    assert_eq!(fs::read(root.join("f")).unwrap(), b"one\n");

    let large = fs::File::create(root.join("large")).unwrap();
    large.set_len(129 * 1024 * 1024).unwrap();
    let refused = snapshots(&repo).remember(&repo.worktree(), "Then", NOW);
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("129 MiB, at most 128 MiB are kept"),
        "{refused}"
    );
}

#[test]
fn one_hunk_is_taken_back_and_what_was_there_before_the_moment_stays() {
    let repo = Repo::empty();
    let root = repo.root();
    let lines = |changes: &[(usize, &str)]| {
        let lines = (1..=30).map(|line| {
            let found = changes.iter().find(|(at, _)| *at == line);
            found.map_or_else(|| format!("{line}\n"), |(_, text)| format!("{text}\n"))
        });
        lines.collect::<String>()
    };
    fs::write(root.join("f"), lines(&[])).unwrap();
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "First"]);
    fs::write(root.join("f"), lines(&[(3, "mine")])).unwrap();
    let moment = remember(&repo);
    let after = lines(&[(3, "mine"), (5, "five"), (25, "theirs")]);
    fs::write(root.join("f"), &after).unwrap();
    git(root, &["commit", "-qam", "Second"]);
    let told = hunks(&repo, &moment, "f", 3);
    assert_eq!(told.len(), 2);
    let one = [chosen("f", vec![told[0].clone()])];
    let undo = since(&repo, &moment).restore(Some(&one), &snapshots(&repo), NOW);
    let undo = undo.unwrap().unwrap();
    let read = || fs::read_to_string(root.join("f")).unwrap();
    assert_eq!(read(), lines(&[(3, "mine"), (25, "theirs")]));
    // It is not there any more as it was seen.
    let again = since(&repo, &moment).restore(Some(&one), &snapshots(&repo), NOW);
    assert!(
        matches!(again, Err(ChangesError::Moved { .. })),
        "{again:?}"
    );
    snapshots(&repo)
        .restore(&repo.worktree(), &undo, NOW)
        .unwrap();
    assert_eq!(read(), after);
}

#[test]
fn a_picture_is_given_as_it_was_and_as_it_is_in_every_view() {
    let repo = Repo::empty();
    let root = repo.root();
    // The beginning of a PNG of this width is all that is read of it.
    let png = |width: u8| {
        [
            &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0"[..],
            &[width, 0, 0, 0, 1, 8, 6, 0, 0, 0],
        ]
        .concat()
    };
    let write = |width: u8| fs::write(root.join("p.png"), png(width)).unwrap();
    write(1);
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "First"]);
    git(root, &["switch", "-q", "-c", "topic"]);
    write(2);
    git(root, &["commit", "-qam", "Second"]);
    write(3);
    git(root, &["add", "-A"]);
    write(4);
    let moment = remember(&repo);
    write(5);
    fs::write(root.join("new.png"), png(9)).unwrap();
    let question = |view: View, path: &str| DiffQuestion {
        view,
        path: path.into(),
        from: None,
        base: Some("main".to_owned()),
        context: None,
        ignore_space: false,
    };
    let widths = |pictures: FilePictures| {
        let width = |one: Option<FilePicture>| one.map(|one| one.width);
        (width(pictures.old), width(pictures.new))
    };
    let told =
        |view: View, path: &str| widths(repo.worktree().pictures(&question(view, path)).unwrap());
    assert_eq!(told(View::Committed, "p.png"), (Some(1), Some(2)));
    assert_eq!(told(View::Staged, "p.png"), (Some(2), Some(3)));
    assert_eq!(told(View::Unstaged, "p.png"), (Some(3), Some(5)));
    assert_eq!(told(View::Whole, "p.png"), (Some(1), Some(5)));
    assert_eq!(told(View::Untracked, "new.png"), (None, Some(9)));
    assert_eq!(told(View::Unstaged, "nothing"), (None, None));
    let then = since(&repo, &moment).pictures(&question(View::Whole, "p.png"));
    assert_eq!(widths(then), (Some(4), Some(5)));
}
