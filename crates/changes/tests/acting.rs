//! Staging, unstaging, discarding and its undo, beside git.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may panic

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use changes::{
    Act, ActRequest, ChangedFile, ChangesError, Chosen, DiffContent, DiffQuestion, Hunk,
    SnapshotId, SnapshotReason, Snapshots, View,
};
use git::RepoPath;
use proptest::prelude::*;
use support::{Repo, bytes, git, merge_conflict, program};

/// Long after any snapshot of these tests.
const NOW: u64 = 1_800_000_000_000;

fn snapshots(repo: &Repo) -> Snapshots {
    Snapshots::new(repo.root().with_file_name("snapshots"), program())
}

fn chosen(file: &ChangedFile) -> Chosen {
    Chosen {
        path: file.path.clone(),
        from: file.from.clone(),
        hunks: Vec::new(),
    }
}

fn files(repo: &Repo, view: View) -> Vec<ChangedFile> {
    repo.worktree()
        .list(&[view], None)
        .unwrap()
        .views
        .remove(0)
        .files
}

fn hunks(repo: &Repo, view: View, path: &str) -> Vec<Hunk> {
    let question = DiffQuestion {
        view,
        path: path.into(),
        from: None,
        base: None,
        context: Some(3),
        ignore_space: false,
    };
    match repo.worktree().diff(&question).unwrap().content {
        DiffContent::Text { hunks, .. } => hunks,
        other => panic!("no text: {other:?}"),
    }
}

fn act(
    repo: &Repo,
    act: Act,
    view: View,
    files: Vec<Chosen>,
) -> Result<Option<SnapshotId>, ChangesError> {
    let request = ActRequest { act, view, files };
    repo.worktree().act(&request, &snapshots(repo), NOW)
}

/// One hunk of a file.
fn part(repo: &Repo, view: View, path: &str, place: usize) -> Chosen {
    Chosen {
        path: path.into(),
        from: None,
        hunks: vec![hunks(repo, view, path).swap_remove(place)],
    }
}

/// Everything in a worktree, with bytes and modes; what git keeps is left out.
fn everything(root: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let place = entry.unwrap().path();
            let about = place.symlink_metadata().unwrap();
            let name = place.strip_prefix(root).unwrap().display().to_string();
            if name == ".git" {
                continue;
            }
            if about.is_dir() {
                waiting.push(place);
            } else if about.is_symlink() {
                let to = fs::read_link(&place).unwrap().into_os_string();
                found.push((name, 0, to.into_encoded_bytes()));
            } else {
                let mode = about.permissions().mode();
                found.push((name, mode, fs::read(&place).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn twenty(replaced: &[(usize, &str)]) -> String {
    let line = |at: usize| {
        let found = replaced.iter().find(|(place, _)| *place == at);
        found.map_or_else(|| format!("line {at}\n"), |(_, text)| format!("{text}\n"))
    };
    (1..=20).map(line).collect()
}

/// A repository with `f` of twenty lines, changed at both its ends.
fn changed() -> Repo {
    let repo = Repo::empty();
    fs::write(repo.root().join("f"), twenty(&[])).unwrap();
    git(repo.root(), &["add", "-A"]);
    git(repo.root(), &["commit", "-q", "-m", "x"]);
    fs::write(
        repo.root().join("f"),
        twenty(&[(2, "two"), (19, "nineteen")]),
    )
    .unwrap();
    repo
}

#[test]
fn one_hunk_is_staged_and_unstaged_and_the_other_stays() {
    let repo = changed();
    let second = part(&repo, View::Unstaged, "f", 1);
    assert_eq!(
        act(&repo, Act::Stage, View::Unstaged, vec![second]).unwrap(),
        None
    );
    assert_eq!(
        git(repo.root(), &["show", ":f"]),
        twenty(&[(19, "nineteen")]).trim_end()
    );
    assert_eq!(hunks(&repo, View::Unstaged, "f").len(), 1);
    let only = part(&repo, View::Staged, "f", 0);
    act(&repo, Act::Unstage, View::Staged, vec![only]).unwrap();
    assert_eq!(git(repo.root(), &["diff", "--cached"]), "");
    assert_eq!(hunks(&repo, View::Unstaged, "f").len(), 2);
}

#[test]
fn a_hunk_that_is_discarded_comes_back_with_its_undo() {
    let repo = changed();
    let before = everything(repo.root());
    let first = part(&repo, View::Unstaged, "f", 0);
    let undo = act(&repo, Act::Discard, View::Unstaged, vec![first])
        .unwrap()
        .unwrap();
    let text = fs::read_to_string(repo.root().join("f")).unwrap();
    assert_eq!(text, twenty(&[(19, "nineteen")]));
    // Nothing of it is in the person's repository.
    assert_eq!(
        git(repo.root(), &["for-each-ref", "--format=%(refname)"]),
        "refs/heads/main"
    );
    assert_eq!(
        git(repo.root(), &["fsck", "--unreachable", "--no-progress"]),
        ""
    );
    assert_eq!(git(repo.root(), &["status", "--porcelain"]), " M f");
    let redo = snapshots(&repo)
        .restore(&repo.worktree(), &undo, NOW)
        .unwrap();
    assert_eq!(everything(repo.root()), before);
    snapshots(&repo)
        .restore(&repo.worktree(), &redo, NOW)
        .unwrap();
    assert_eq!(fs::read_to_string(repo.root().join("f")).unwrap(), text);
}

#[test]
fn a_hunk_that_is_another_one_by_now_is_left_alone() {
    let repo = changed();
    let seen = part(&repo, View::Unstaged, "f", 0);
    let later = twenty(&[(2, "two and more"), (19, "nineteen")]);
    fs::write(repo.root().join("f"), &later).unwrap();
    for what in [Act::Stage, Act::Discard] {
        let refused = act(&repo, what, View::Unstaged, vec![seen.clone()]).unwrap_err();
        assert!(matches!(refused, ChangesError::Moved { .. }), "{refused}");
    }
    assert_eq!(fs::read_to_string(repo.root().join("f")).unwrap(), later);
    assert_eq!(git(repo.root(), &["diff", "--cached"]), "");
}

#[test]
fn what_is_written_after_a_discard_is_kept_when_that_is_undone() {
    let repo = changed();
    let all = files(&repo, View::Unstaged).iter().map(chosen).collect();
    let undo = act(&repo, Act::Discard, View::Unstaged, all)
        .unwrap()
        .unwrap();
    fs::write(repo.root().join("f"), "written since\n").unwrap();
    let since = snapshots(&repo)
        .restore(&repo.worktree(), &undo, NOW)
        .unwrap();
    snapshots(&repo)
        .restore(&repo.worktree(), &since, NOW)
        .unwrap();
    assert_eq!(
        fs::read_to_string(repo.root().join("f")).unwrap(),
        "written since\n"
    );
}

#[test]
fn line_ends_that_git_converts_are_kept() {
    let repo = Repo::empty();
    fs::write(repo.root().join(".gitattributes"), "*.txt text eol=crlf\n").unwrap();
    let crlf = |text: &str| text.replace('\n', "\r\n");
    fs::write(repo.root().join("f.txt"), crlf(&twenty(&[]))).unwrap();
    git(repo.root(), &["add", "-A"]);
    git(repo.root(), &["commit", "-q", "-m", "x"]);
    fs::write(
        repo.root().join("f.txt"),
        crlf(&twenty(&[(2, "two"), (19, "nineteen")])),
    )
    .unwrap();
    let first = part(&repo, View::Unstaged, "f.txt", 0);
    act(&repo, Act::Discard, View::Unstaged, vec![first]).unwrap();
    let text = || fs::read_to_string(repo.root().join("f.txt")).unwrap();
    assert_eq!(text(), crlf(&twenty(&[(19, "nineteen")])));
    let all = files(&repo, View::Unstaged).iter().map(chosen).collect();
    act(&repo, Act::Discard, View::Unstaged, all).unwrap();
    assert_eq!(text(), crlf(&twenty(&[])));
}

#[test]
fn what_cannot_be_done_is_said_and_nothing_is_done() {
    let repo = merge_conflict();
    let all: Vec<_> = files(&repo, View::Unstaged).iter().map(chosen).collect();
    let before = everything(repo.root());
    let refused = act(&repo, Act::Discard, View::Unstaged, all.clone()).unwrap_err();
    assert!(refused.to_string().contains("a merge left it"), "{refused}");
    let refused = act(&repo, Act::Unstage, View::Unstaged, all).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "nothing was done with `f`: what is unstaged can't be unstaged"
    );
    assert_eq!(everything(repo.root()), before);

    let repo = changed();
    fs::write(repo.root().join(".git/index.lock"), "").unwrap();
    let all: Vec<_> = files(&repo, View::Unstaged).iter().map(chosen).collect();
    let refused = act(&repo, Act::Stage, View::Unstaged, all)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("index.lock': File exists"), "{refused}");
}

#[test]
fn a_directory_that_became_a_link_is_not_written_through() {
    let repo = Repo::empty();
    fs::create_dir(repo.root().join("d")).unwrap();
    fs::write(repo.root().join("d/f"), "x\n").unwrap();
    let all: Vec<_> = files(&repo, View::Untracked).iter().map(chosen).collect();
    let undo = act(&repo, Act::Discard, View::Untracked, all)
        .unwrap()
        .unwrap();
    let outside = repo.root().with_file_name("outside");
    fs::create_dir(&outside).unwrap();
    fs::remove_dir(repo.root().join("d")).unwrap();
    symlink(&outside, repo.root().join("d")).unwrap();
    let refused = snapshots(&repo)
        .restore(&repo.worktree(), &undo, NOW)
        .unwrap_err();
    assert!(
        refused.to_string().starts_with("could not write"),
        "{refused}"
    );
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn snapshots_end_with_their_time_and_others_names_are_none() {
    let repo = changed();
    let all: Vec<_> = files(&repo, View::Unstaged).iter().map(chosen).collect();
    let undo = act(&repo, Act::Discard, View::Unstaged, all)
        .unwrap()
        .unwrap();
    let kept = snapshots(&repo);
    kept.prune(NOW + 1000).unwrap();
    kept.restore(&repo.worktree(), &undo, NOW).unwrap();
    kept.prune(NOW + 40 * 24 * 3600 * 1000).unwrap();
    let gone = kept.restore(&repo.worktree(), &undo, NOW).unwrap_err();
    assert!(matches!(gone, ChangesError::NoSnapshot { .. }), "{gone}");
    let name: SnapshotId = serde_json::from_str("\"../heads/main\"").unwrap();
    let none = kept.restore(&repo.worktree(), &name, NOW).unwrap_err();
    assert!(matches!(none, ChangesError::NoSnapshot { .. }), "{none}");
}

#[test]
fn what_was_discarded_is_listed_by_worktree_the_newest_first() {
    let repo = changed();
    let kept = snapshots(&repo);
    assert_eq!(kept.list(None).unwrap(), []);
    fs::write(repo.root().join("new\n\"1\""), "x").unwrap();
    let mut taken = Vec::new();
    for view in [View::Unstaged, View::Untracked] {
        let all = files(&repo, view).iter().map(chosen).collect();
        taken.extend(act(&repo, Act::Discard, view, all).unwrap());
    }
    taken.push(kept.restore(&repo.worktree(), &taken[0], NOW + 5).unwrap());
    let told: Vec<_> = kept
        .list(Some(repo.root()))
        .unwrap()
        .into_iter()
        .map(|one| (one.id, one.taken_ms, one.kept.reason, one.kept.files))
        .collect();
    use SnapshotReason::{Discarded, Restored};
    let expected = [
        (taken[2].clone(), NOW + 5, Restored, vec!["f".to_owned()]),
        (
            taken[1].clone(),
            NOW,
            Discarded,
            vec!["new\n\"1\"".to_owned()],
        ),
        (taken[0].clone(), NOW, Discarded, vec!["f".to_owned()]),
    ];
    assert_eq!(told, expected);
    assert_eq!(kept.list(Some(Path::new("/elsewhere"))).unwrap(), []);
    assert_eq!(kept.list(None).unwrap().len(), 3);
}

#[test]
fn a_repository_of_snapshots_that_was_begun_and_not_ended_is_in_nobodys_way() {
    let repo = changed();
    // As a process leaves it that was killed while it made one.
    let place = repo.root().with_file_name("snapshots");
    fs::create_dir_all(place.join("refs")).unwrap();
    fs::remove_dir(place.join("refs")).unwrap();
    let beside = repo.root().with_file_name(".snapshots-killed");
    fs::create_dir(&beside).unwrap();
    fs::write(beside.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    let all = files(&repo, View::Unstaged).iter().map(chosen).collect();
    let undo = act(&repo, Act::Discard, View::Unstaged, all)
        .unwrap()
        .unwrap();
    let before = everything(repo.root());
    snapshots(&repo)
        .restore(&repo.worktree(), &undo, NOW)
        .unwrap();
    assert_ne!(everything(repo.root()), before);
    let mode = fs::metadata(&place).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "for its owner only");
}

/// A name, what it holds, and its mode; none: a link to nowhere.
fn content() -> impl Strategy<Value = (Vec<u8>, Option<u32>)> {
    let mode = prop_oneof![
        Just(Some(0o644)),
        Just(Some(0o755)),
        Just(Some(0o600)),
        Just(None)
    ];
    (proptest::collection::vec(any::<u8>(), 0..200), mode)
}

const NAMES: [&str; 5] = ["a", "dir/b", "with \"quotes\"\tand tab", "ünï", "-x"];

fn put(repo: &Repo, name: &str, (bytes, mode): &(Vec<u8>, Option<u32>)) {
    let place = repo.root().join(name);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&place);
    match mode {
        Some(mode) => {
            fs::write(&place, bytes).unwrap();
            fs::set_permissions(&place, fs::Permissions::from_mode(*mode)).unwrap();
        }
        None => symlink("no\nwhere", &place).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 100, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_discarded_comes_back_byte_by_byte(
        committed in proptest::collection::vec(content(), NAMES.len()),
        now in proptest::collection::vec(proptest::option::of(content()), NAMES.len()),
        extra in content(),
    ) {
        let repo = Repo::empty();
        for (name, what) in NAMES.iter().zip(&committed) {
            put(&repo, name, what);
        }
        git(repo.root(), &["add", "-A"]);
        git(repo.root(), &["commit", "-q", "-m", "x"]);
        for (name, what) in NAMES.iter().zip(&now) {
            match what {
                Some(what) => put(&repo, name, what),
                None => fs::remove_file(repo.root().join(name)).unwrap(),
            }
        }
        put(&repo, "new one", &extra);
        let before = everything(repo.root());
        let mut undos = Vec::new();
        for view in [View::Unstaged, View::Untracked] {
            let all: Vec<_> = files(&repo, view).iter().map(chosen).collect();
            undos.extend(act(&repo, Act::Discard, view, all).unwrap());
        }
        prop_assert_eq!(bytes(repo.root(), &["status", "--porcelain"]), Vec::<u8>::new());
        for undo in undos.iter().rev() {
            snapshots(&repo).restore(&repo.worktree(), undo, NOW).unwrap();
        }
        prop_assert_eq!(everything(repo.root()), before);
    }
}

#[test]
fn names_that_are_no_text_are_staged() {
    let repo = Repo::empty();
    let name = RepoPath::new(b"caf\xe9");
    fs::write(repo.root().join(name.to_path()), "x\n").unwrap();
    let shown = Chosen {
        path: RepoPath::new(name.to_string()),
        from: None,
        hunks: Vec::new(),
    };
    act(&repo, Act::Stage, View::Untracked, vec![shown]).unwrap();
    assert_eq!(bytes(repo.root(), &["ls-files", "-z"]), b"caf\xe9\0");
}
