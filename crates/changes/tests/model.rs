//! Random edits, stages, renames and commits: what is told is what git tells, and the lines lead from one state to the other.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may panic

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use changes::{ChangedFile, DiffContent, DiffQuestion, FileChangeKind, FileDiff, FileKind, View};
use git::RepoPath;
use proptest::prelude::*;
use support::acts::{Act, PATHS, act, perform, write};
use support::{Repo, bytes, git, merge_conflict};

/// What git itself says of a view, read in another way: name, what happened, counts.
fn truth(repo: &Repo, args: &[&str], index: &Path) -> BTreeMap<Vec<u8>, (u8, String)> {
    let args = [&["diff", "-M", "--no-ext-diff", "-z"][..], args].concat();
    let bytes = |args: &[&str]| repo.bytes_by(index, args);
    let names = bytes(&[&args[..], &["--name-status", "--"]].concat());
    let mut names = names
        .split(|byte| *byte == 0)
        .filter(|part| !part.is_empty());
    let mut told = BTreeMap::new();
    while let Some(status) = names.next() {
        let mut path = names.next().unwrap();
        if status[0] == b'R' {
            path = names.next().unwrap();
        }
        told.insert(path.to_vec(), (status[0], String::new()));
    }
    let counted = bytes(&[&args[..], &["--numstat", "--"]].concat());
    let mut parts = counted
        .split(|byte| *byte == 0)
        .filter(|part| !part.is_empty());
    while let Some(part) = parts.next() {
        let text = String::from_utf8_lossy(part).into_owned();
        let (counts, path) = text.rsplit_once('\t').unwrap_or((&text, ""));
        let tab = PATHS[6].as_bytes();
        let (counts, path) = match part.ends_with(tab) {
            true => (
                text.strip_suffix(&format!("\t{}", PATHS[6])).unwrap(),
                tab.to_vec(),
            ),
            false => (counts, path.as_bytes().to_vec()),
        };
        let path = match path.is_empty() {
            true => {
                parts.next();
                parts.next().unwrap().to_vec()
            }
            false => path,
        };
        told.get_mut(&path).expect("it is in both").1 = counts.to_owned();
    }
    told
}

fn letter(kind: FileChangeKind) -> u8 {
    match kind {
        FileChangeKind::Added => b'A',
        FileChangeKind::Untracked => b'?',
        FileChangeKind::Modified => b'M',
        FileChangeKind::Deleted => b'D',
        FileChangeKind::Renamed => b'R',
        FileChangeKind::Copied => b'C',
        FileChangeKind::TypeChanged => b'T',
        FileChangeKind::Unmerged => b'U',
    }
}

fn told(files: &[ChangedFile]) -> BTreeMap<Vec<u8>, (u8, String)> {
    let one = |file: &ChangedFile| {
        let counts = match file.lines {
            Some(lines) => format!("{}\t{}", lines.added, lines.removed),
            None => "-\t-".to_owned(),
        };
        (file.path.as_bytes().to_vec(), (letter(file.kind), counts))
    };
    files.iter().map(one).collect()
}

/// What stands at a path in a state of the repository; the disk where `revision` is none.
fn state(repo: &Repo, revision: Option<&str>, path: &RepoPath) -> Vec<u8> {
    let path = path.to_path();
    match revision {
        Some(revision) => bytes(
            repo.root(),
            &[
                "cat-file",
                "blob",
                &format!("{revision}:{}", path.display()),
            ],
        ),
        None => {
            let place = repo.root().join(path);
            match fs::read_link(&place) {
                Ok(to) => to.into_os_string().into_encoded_bytes(),
                Err(_) => fs::read(place).unwrap(),
            }
        }
    }
}

/// Applies the hunks of a text to its old state.
fn apply(old: &[u8], diff: &FileDiff) -> Option<Vec<u8>> {
    let DiffContent::Text {
        hunks,
        encoding,
        cut,
    } = &diff.content
    else {
        return None;
    };
    assert!(!cut);
    let raw = |line: &str| match encoding {
        changes::TextEncoding::Utf8 => line.as_bytes().to_vec(),
        changes::TextEncoding::Latin1 => line.chars().map(|char| char as u8).collect(),
    };
    let old: Vec<&[u8]> = old.split_inclusive(|byte| *byte == b'\n').collect();
    let mut new = Vec::<u8>::new();
    let mut at = 0;
    for hunk in hunks {
        let start = match hunk.old_lines {
            0 => hunk.old_start,
            _ => hunk.old_start - 1,
        } as usize;
        new.extend(old[at..start].concat());
        at = start;
        let lines: Vec<&str> = match hunk.text.is_empty() {
            true => Vec::new(),
            false => hunk.text.split('\n').collect(),
        };
        for (place, line) in lines.iter().enumerate() {
            let open = lines
                .get(place + 1)
                .is_some_and(|next| next.starts_with('\\'));
            let mut text = raw(line.get(1..).unwrap_or_default());
            if !open {
                text.push(b'\n');
            }
            match line.as_bytes()[0] {
                b' ' => {
                    assert_eq!(old[at], text, "an unchanged line is one of the old ones");
                    at += 1;
                    new.extend(text);
                }
                b'-' => {
                    assert_eq!(old[at], text, "a line that is gone was there");
                    at += 1;
                }
                b'+' => new.extend(text),
                _ => {}
            }
        }
    }
    new.extend(old[at..].concat());
    Some(new)
}

/// Everything that is told of a repository is what git says, and the lines lead from each old state to the new one.
fn check(repo: &Repo) {
    let worktree = repo.worktree();
    let listed = worktree.list(&View::ALL, None).unwrap();
    let head = repo.try_git(&["rev-parse", "-q", "--verify", "HEAD"]);
    let base = listed.base.as_ref().map(|base| base.commit.clone());
    let on = listed.branch.as_deref();
    if on == Some("topic")
        && repo
            .try_git(&["rev-parse", "-q", "--verify", "main"])
            .is_some()
    {
        let expected = git(repo.root(), &["merge-base", "main", "HEAD"]);
        assert_eq!(base.as_deref(), Some(expected.as_str()));
    }
    let nothing = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned();
    let from = base.clone().or(head.clone()).unwrap_or(nothing);
    let untracked = bytes(repo.root(), &["ls-files", "-z", "-o", "--exclude-standard"]);
    let untracked = || {
        let paths = untracked.split(|byte| *byte == 0);
        paths.filter(|path| !path.is_empty())
    };
    // What is new to the index is compared with what the base has of it, as if it was about to be added.
    let index = repo.root().join(".git/index");
    let whole = repo.root().with_file_name("index");
    let _ = fs::copy(&index, &whole);
    let of_base = bytes(repo.root(), &["ls-tree", "-r", "-z", "--name-only", &from]);
    let of_base: Vec<_> = of_base.split(|byte| *byte == 0).collect();
    for path in untracked().filter(|path| of_base.contains(path)) {
        let path = std::str::from_utf8(path).unwrap();
        repo.bytes_by(&whole, &["--literal-pathspecs", "add", "-N", "--", path]);
    }
    for view in &listed.views {
        let (args, old, new): (Vec<&str>, Option<&str>, Option<&str>) = match view.view {
            View::Staged => (vec!["--cached"], Some("HEAD"), Some("")),
            View::Unstaged => (vec![], Some(""), None),
            View::Whole => (vec![&from], Some(&from), None),
            View::Committed => match (&base, &head) {
                (Some(base), Some(head)) => (vec![base, head], Some(base), Some(head)),
                _ => {
                    assert!(view.files.is_empty());
                    continue;
                }
            },
            View::Untracked => {
                let names: Vec<_> = view.files.iter().map(|file| file.path.as_bytes()).collect();
                let mut expected: Vec<_> = untracked().collect();
                expected.sort_unstable();
                assert_eq!(names, expected, "untracked");
                (vec![], None, None)
            }
        };
        let known: Vec<_> = view
            .files
            .iter()
            .filter(|file| file.kind != FileChangeKind::Untracked)
            .cloned()
            .collect();
        if view.view != View::Untracked {
            let index = match view.view {
                View::Whole => &whole,
                _ => &index,
            };
            assert_eq!(told(&known), truth(repo, &args, index), "{}", view.view);
        }
        let paths: BTreeSet<_> = view.files.iter().map(|file| &file.path).collect();
        assert_eq!(paths.len(), view.files.len(), "each file stands there once");
        for file in &view.files {
            for context in [Some(3), None] {
                let diff = worktree
                    .diff(&DiffQuestion {
                        view: view.view,
                        path: file.path.clone(),
                        from: file.from.clone(),
                        base: None,
                        context,
                        ignore_space: false,
                    })
                    .unwrap();
                let same = diff.file.as_ref().expect("it changed");
                assert_eq!(
                    (&same.kind, same.old, same.new),
                    (&file.kind, file.old, file.new),
                    "{file:?}"
                );
                assert_eq!(same.lines, file.lines, "{file:?}");
                let text = matches!(diff.content, DiffContent::Text { .. });
                assert_eq!(text, file.lines.is_some(), "{file:?}");
                if file.kind == FileChangeKind::TypeChanged || !text {
                    continue;
                }
                let before = match file.old {
                    Some(_) => state(repo, old, file.from.as_ref().unwrap_or(&file.path)),
                    None => Vec::new(),
                };
                let after = match file.new {
                    Some(_) => state(repo, new, &file.path),
                    None => Vec::new(),
                };
                assert_eq!(apply(&before, &diff), Some(after), "{file:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn what_is_told_is_what_git_tells(acts in proptest::collection::vec(act(), 1..25)) {
        let repo = Repo::empty();
        for act in &acts {
            perform(&repo, act);
        }
        check(&repo);
    }
}

#[test]
fn what_was_taken_out_of_the_index_and_is_there_is_compared_with_what_the_base_has() {
    let repo = Repo::empty();
    for (path, text) in [
        ("changed", "one\ntwo\n"),
        ("same", "x\n"),
        ("moved", "1\n2\n3\n"),
    ] {
        write(&repo.root().join(path), text.as_bytes());
    }
    git(repo.root(), &["add", "-A"]);
    git(repo.root(), &["commit", "-q", "-m", "x"]);
    git(repo.root(), &["mv", "moved", "here"]);
    git(repo.root(), &["rm", "-q", "--cached", "changed", "same"]);
    write(&repo.root().join("changed"), b"one\n2\n");
    write(&repo.root().join("moved"), b"another\n");
    check(&repo);
    let listed = repo.worktree().list(&[View::Whole], None).unwrap();
    let files: Vec<_> = listed.views[0]
        .files
        .iter()
        .map(|file| (file.path.to_string(), letter(file.kind)))
        .collect();
    let expected = [("changed", b'M'), ("here", b'A'), ("moved", b'M')];
    assert_eq!(files, expected.map(|(path, kind)| (path.to_owned(), kind)));
}

#[test]
fn what_is_no_text_is_told_as_that_also_where_its_mode_alone_changed() {
    let repo = Repo::empty();
    let acts = [Act::Binary(0, 0), Act::StageAll, Act::Chmod(0)];
    acts.iter().for_each(|act| perform(&repo, act));
    check(&repo);
    let moved = [Act::Commit, Act::Rename(0, 1), Act::StageAll];
    moved.iter().for_each(|act| perform(&repo, act));
    check(&repo);
}

#[test]
fn what_could_not_be_merged_is_told_once_beside_our_own_side() {
    let repo = merge_conflict();
    let listed = repo
        .worktree()
        .list(&[View::Staged, View::Unstaged], None)
        .unwrap();
    assert_eq!(listed.doing, Some(changes::Doing::Merge));
    let [staged, unstaged] = &listed.views[..] else {
        panic!("two views");
    };
    assert_eq!(staged.files, []);
    let [file] = &unstaged.files[..] else {
        panic!("one file: {:?}", unstaged.files);
    };
    assert_eq!(file.kind, FileChangeKind::Unmerged);
    let diff = repo
        .worktree()
        .diff(&DiffQuestion {
            view: View::Unstaged,
            path: file.path.clone(),
            from: None,
            base: None,
            context: Some(0),
            ignore_space: false,
        })
        .unwrap();
    let DiffContent::Text { hunks, .. } = diff.content else {
        panic!("text");
    };
    let lines: Vec<_> = hunks.iter().map(|hunk| hunk.text.as_str()).collect();
    assert_eq!(
        lines,
        ["+<<<<<<< HEAD", "+=======\n+theirs\n+>>>>>>> topic"]
    );
}

#[test]
fn a_path_that_is_no_text_is_found_by_how_it_is_shown() {
    let repo = Repo::empty();
    let name = RepoPath::new(b"caf\xe9");
    fs::write(repo.root().join(name.to_path()), "x\n").unwrap();
    let shown = RepoPath::new(name.to_string());
    assert_ne!(shown, name);
    let diff = repo
        .worktree()
        .diff(&DiffQuestion {
            view: View::Untracked,
            path: shown,
            from: None,
            base: None,
            context: Some(3),
            ignore_space: false,
        })
        .unwrap();
    assert_eq!(diff.file.map(|file| file.path), Some(name));
}

#[test]
fn a_persons_own_settings_change_nothing_of_how_it_is_read() {
    let repo = Repo::empty();
    write(&repo.root().join("f"), b"one\ntwo\n");
    git(repo.root(), &["add", "-A"]);
    git(repo.root(), &["commit", "-q", "-m", "x"]);
    for (name, value) in [
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("color.diff", "always"),
        ("color.ui", "always"),
        ("diff.external", "false"),
        ("diff.renames", "copies"),
        ("diff.context", "0"),
        ("diff.wsErrorHighlight", "all"),
        ("diff.submodule", "log"),
        ("diff.relative", "true"),
        ("status.showUntrackedFiles", "no"),
        ("status.short", "true"),
        ("core.quotePath", "true"),
        ("core.pager", "false"),
    ] {
        git(repo.root(), &["config", name, value]);
    }
    write(&repo.root().join("f"), b"one\n2\n");
    write(&repo.root().join("ünï"), b"new\n");
    check(&repo);
    let listed = repo.worktree().list(&View::ALL, None).unwrap();
    let count: Vec<_> = listed.views.iter().map(|view| view.files.len()).collect();
    assert_eq!(count, [0, 1, 1, 0, 2]);
}

#[test]
fn white_space_is_left_out_when_it_is_asked_to_be() {
    let repo = Repo::empty();
    write(&repo.root().join("f"), b"one\ntwo\nthree\n");
    git(repo.root(), &["add", "-A"]);
    write(&repo.root().join("f"), b"  one\ntwo\nTHREE\n");
    let question = |ignore_space| DiffQuestion {
        view: View::Unstaged,
        path: "f".into(),
        from: None,
        base: None,
        context: Some(0),
        ignore_space,
    };
    let texts = |ignore_space| {
        let diff = repo.worktree().diff(&question(ignore_space)).unwrap();
        let DiffContent::Text { hunks, .. } = diff.content else {
            panic!("text");
        };
        hunks.into_iter().map(|hunk| hunk.text).collect::<Vec<_>>()
    };
    assert_eq!(texts(false), ["-one\n+  one", "-three\n+THREE"]);
    assert_eq!(texts(true), ["-three\n+THREE"]);
}

#[test]
fn nothing_but_files_is_opened() {
    let repo = Repo::empty();
    fs::write(repo.root().join("x"), "x").unwrap();
    symlink("/etc/passwd", repo.root().join("link")).unwrap();
    let inner = repo.root().join("inner");
    fs::create_dir(&inner).unwrap();
    git(&inner, &["init", "-q", "."]);
    git(&inner, &["commit", "-q", "--allow-empty", "-m", "x"]);
    let listed = repo.worktree().list(&[View::Untracked], None).unwrap();
    let kinds: Vec<_> = listed.views[0]
        .files
        .iter()
        .map(|file| (file.path.to_string(), file.new))
        .collect();
    assert_eq!(
        kinds,
        [
            ("inner".to_owned(), Some(FileKind::Repository)),
            ("link".to_owned(), Some(FileKind::Link)),
            ("x".to_owned(), Some(FileKind::File)),
        ]
    );
}

#[test]
fn a_worktree_is_compared_with_the_branch_of_the_main_one() {
    let repo = Repo::empty();
    git(repo.root(), &["commit", "-q", "--allow-empty", "-m", "x"]);
    git(repo.root(), &["checkout", "-q", "-b", "next"]);
    let beside = repo.root().with_file_name("beside");
    let place = beside.to_str().unwrap();
    git(repo.root(), &["worktree", "add", "-q", "-b", "mine", place]);
    fs::write(beside.join("f"), "x\n").unwrap();
    git(&beside, &["add", "-A"]);
    git(&beside, &["commit", "-q", "-m", "x"]);
    let worktree = repo.named("mine").unwrap();
    let listed = worktree.list(&[View::Committed], None).unwrap();
    let base = listed.base.unwrap();
    assert_eq!(
        (base.name.as_str(), base.ahead, base.behind),
        ("next", 1, 0)
    );
    assert_eq!(listed.views[0].files.len(), 1);
    let wrong = worktree
        .list(&[View::Committed], Some("--all"))
        .unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "there is no branch or commit `--all` to compare with"
    );
    assert!(
        repo.named("nobody")
            .unwrap_err()
            .to_string()
            .contains("beside")
    );
}

#[test]
fn a_worktree_that_is_gone_is_said_to_be() {
    let repo = Repo::empty();
    let worktree = repo.worktree();
    fs::remove_dir_all(repo.root()).unwrap();
    let told = worktree.list(&View::ALL, None).unwrap_err().to_string();
    assert!(told.starts_with("could not tell the state of"), "{told}");
}
