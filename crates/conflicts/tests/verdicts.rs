//! Verdicts of worktrees as they lie there: severities, kinds, and what a repository can do to one.

#![allow(clippy::unwrap_used)] // helpers of tests may panic, too

mod support;

use std::fs;
use std::path::Path;

use conflicts::{ConflictFilter, LineRange, ProposedChange, Severity, VerdictKey, look, look_at};
use support::{
    Repo, commit, config, fresh, git, git_output, lines, lines_with, merge_tree, say, write,
};

/// What is said of `file` when two worktrees write it so.
fn said(base: &str, left: &str, right: &str) -> String {
    let repo = Repo::with(&[("f", base)]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    write(&one.join("f"), left);
    write(&two.join("f"), right);
    say(&fresh(&repo.main()))
}

#[test]
fn gaps_of_zero_one_five_and_six_lines_are_told_apart() {
    let edit = |line| lines_with(20, &[(line, "new")]);
    let with = |line| said(&lines(20), &edit(5), &edit(line));
    insta::assert_snapshot!(
        [with(6), with(7), with(11), with(12)].join("\n"),
        @"
    f: one two same_line, conflict
    f: one two adjacent_line
    f: one two adjacent_line
    f: one two different_area
    "
    );
}

#[test]
fn an_insertion_above_shifts_nothing() {
    let above = format!("{}{}", "top\n".repeat(100), lines(600));
    let edit = lines_with(600, &[(500, "new")]);
    insta::assert_snapshot!(said(&lines(600), &above, &edit), @"f: one two different_area");
}

#[test]
fn the_same_change_on_both_sides_is_information() {
    let edit = lines_with(9, &[(4, "new")]);
    insta::assert_snapshot!(said(&lines(9), &edit, &edit), @"f: one two identical");
}

#[test]
fn committed_staged_unstaged_and_untracked_work_all_count() {
    let repo = Repo::with(&[("f", &lines(9))]);
    let roots = ["one", "two", "three", "four"].map(|name| repo.worktree(name));
    for (number, root) in roots.iter().enumerate() {
        write(
            &root.join("f"),
            lines_with(9, &[(4, &format!("by {number}"))]),
        );
        write(&root.join("new"), format!("by {number}\n"));
    }
    commit(&roots[0]);
    git(&roots[1], &["add", "-A"]);
    let picture = fresh(&repo.main());
    // All pairs of four, for both files.
    assert_eq!(picture.verdicts.len(), 12, "{}", say(&picture));
    assert!(
        picture
            .verdicts
            .iter()
            .all(|verdict| verdict.would_conflict)
    );
}

#[test]
fn work_that_is_only_staged_counts() {
    let repo = Repo::with(&[("f", &lines(9))]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    write(&one.join("f"), lines_with(9, &[(4, "staged")]));
    git(&one, &["add", "f"]);
    write(&one.join("f"), lines(9));
    write(&two.join("f"), lines_with(9, &[(4, "other")]));
    insta::assert_snapshot!(say(&fresh(&repo.main())), @"f: one two same_line, conflict");
}

#[test]
fn deletions_renames_modes_links_and_binaries_have_verdicts_of_their_own() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let files = [
        "deleted",
        "dir/moved",
        "mode",
        "link",
        "binary",
        "moved-twice",
    ];
    // Contents of their own: equal ones would be taken for renames of one another.
    let text = |file: &str, edit: &str| lines_with(30, &[(1, file), (2, file), (10, edit)]);
    let texts = files.map(|file| text(file, "base"));
    let files: Vec<_> = files
        .into_iter()
        .zip(texts.iter().map(String::as_str))
        .collect();
    let repo = Repo::with(&files);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    fs::remove_file(one.join("deleted")).unwrap();
    write(&two.join("deleted"), text("deleted", "edit"));
    git(&one, &["mv", "dir/moved", "elsewhere"]);
    write(&one.join("elsewhere"), text("dir/moved", "other"));
    write(&two.join("dir/moved"), text("dir/moved", "edit"));
    fs::set_permissions(one.join("mode"), fs::Permissions::from_mode(0o755)).unwrap();
    write(&two.join("mode"), text("mode", "edit"));
    fs::remove_file(one.join("link")).unwrap();
    symlink("/etc/hostname", one.join("link")).unwrap();
    write(&two.join("link"), text("link", "edit"));
    write(&one.join("binary"), b"\0one");
    write(&two.join("binary"), b"\0two");
    git(&one, &["mv", "moved-twice", "here"]);
    git(&two, &["mv", "moved-twice", "there"]);
    insta::assert_snapshot!(say(&fresh(&repo.main())), @"
    binary: one two same_line, conflict (not text)
    deleted: one two same_line, conflict (deleted on one side, changed on the other)
    dir/moved: one two same_line, conflict
    link: one two same_line, conflict (two kinds of file)
    moved-twice: one two same_line, conflict (renamed to two different places)
    mode: one two different_area
    ");
    let truth = merge_tree(&repo, &one, &two);
    for path in ["binary", "deleted", "elsewhere", "moved-twice"] {
        assert!(truth.contains(path), "{path} in {truth:?}");
    }
    assert!(!truth.contains("mode"));
}

#[test]
fn line_ends_that_git_converts_are_no_change() {
    let repo = Repo::with(&[(".gitattributes", "*.txt text\n"), ("f.txt", &lines(9))]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    write(&one.join("f.txt"), lines(9).replace('\n', "\r\n"));
    write(&two.join("f.txt"), lines_with(9, &[(4, "new")]));
    assert_eq!(say(&fresh(&repo.main())), "");
    write(
        &one.join("f.txt"),
        lines_with(9, &[(8, "new")]).replace('\n', "\r\n"),
    );
    insta::assert_snapshot!(say(&fresh(&repo.main())), @"f.txt: one two adjacent_line");
}

#[test]
fn a_missing_final_newline_is_a_change_of_the_last_line() {
    let base = lines(9);
    let cut = base.trim_end();
    let more = format!("{base}more\n");
    let edit = |line| lines_with(9, &[(line, "new")]);
    insta::assert_snapshot!(
        [
            said(&base, cut, &edit(9)),
            said(&base, cut, &more),
            said(&base, cut, cut),
            said(&base, cut, &edit(1)),
            said(cut, &base, &more),
        ]
        .join("\n"),
        @"
    f: one two same_line, conflict
    f: one two same_line, conflict
    f: one two identical
    f: one two different_area
    f: one two same_line, conflict
    "
    );
}

#[test]
fn a_union_merge_never_stops() {
    let repo = Repo::with(&[(".gitattributes", "log merge=union\n"), ("log", &lines(3))]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    write(&one.join("log"), lines(3) + "one\n");
    write(&two.join("log"), lines(3) + "two\n");
    insta::assert_snapshot!(say(&fresh(&repo.main())), @"log: one two same_line");
    assert!(merge_tree(&repo, &one, &two).is_empty());
}

#[test]
fn names_that_differ_by_case_are_different_files() {
    let repo = Repo::with(&[("f", "x\n")]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    write(&one.join("Read.me"), "one\n");
    write(&two.join("READ.ME"), "two\n");
    assert_eq!(say(&fresh(&repo.main())), "");
}

#[test]
fn links_out_of_the_tree_are_not_followed() {
    use std::os::unix::fs::symlink;
    let repo = Repo::with(&[("dir/f", "x\n")]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    let outside = repo.dir().join("outside");
    write(&outside.join("f"), "outside\n");
    fs::remove_dir_all(one.join("dir")).unwrap();
    symlink(&outside, one.join("dir")).unwrap();
    write(&two.join("dir/f"), "two\n");
    let picture = fresh(&repo.main());
    let changed: Vec<_> = picture
        .entries
        .iter()
        .filter(|entry| entry.worktree.0.ends_with("one"))
        .map(|entry| format!("{} {:?}", entry.path, entry.change))
        .collect();
    insta::assert_snapshot!(changed.join("\n"), @"
    dir Symlink
    dir/f Delete
    ");
    assert!(
        say(&picture).contains("dir/f: one two same_line, conflict"),
        "{}",
        say(&picture)
    );
}

#[test]
fn a_file_too_large_for_lines_is_compared_whole() {
    let repo = Repo::with(&[("f", "x\n")]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    for (root, byte) in [(&one, b'1'), (&two, b'2')] {
        use std::os::unix::fs::FileExt as _;
        let file = fs::File::create(root.join("large")).unwrap();
        file.set_len(100_000).unwrap();
        file.write_at(&[byte; 16], 9_000).unwrap();
    }
    let small = conflicts::WatchConfig {
        max_text: 50_000,
        ..config()
    };
    let picture = look(&repo.main(), &small, &ConflictFilter::default()).unwrap();
    insta::assert_snapshot!(
        say(&picture),
        @"large: one two same_line, conflict (too large to be compared by lines)"
    );
}

#[test]
fn a_directory_without_a_repository_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let error = look(dir.path(), &config(), &ConflictFilter::default()).unwrap_err();
    let text = error
        .to_string()
        .replace(&dir.path().to_string_lossy().into_owned(), "DIR");
    insta::assert_snapshot!(text, @"`DIR` is not in a git repository");
}

#[test]
fn a_bare_repository_is_known_by_its_worktrees() {
    let repo = Repo::with(&[("f", &lines(9))]);
    let bare = repo.dir().join("bare.git");
    git(&repo.dir(), &["clone", "-q", "--bare", "main", "bare.git"]);
    assert!(fresh(&bare).worktrees.is_empty());
    for name in ["one", "two"] {
        let root = repo.dir().join(name);
        git(
            &bare,
            &["worktree", "add", "-q", "-b", name, root.to_str().unwrap()],
        );
        write(&root.join("f"), lines_with(9, &[(4, name)]));
    }
    insta::assert_snapshot!(say(&fresh(&bare)), @"f: one two same_line, conflict");
}

#[test]
fn before_the_first_commit_there_is_nothing_to_compare() {
    let repo = Repo::empty();
    write(&repo.main().join("f"), "x\n");
    let picture = fresh(&repo.main());
    assert_eq!((picture.worktrees.len(), picture.verdicts.len()), (1, 0));
}

#[test]
fn without_a_common_ancestor_a_note_says_so() {
    let repo = Repo::with(&[("f", "x\n")]);
    let one = repo.worktree("one");
    git(&one, &["checkout", "-q", "--orphan", "other"]);
    write(&one.join("f"), "other\n");
    commit(&one);
    insta::assert_snapshot!(
        fresh(&repo.main()).notes.join("\n"),
        @"`main` and `one` are not compared: they have no common ancestor"
    );
}

#[test]
fn a_worktree_on_another_filesystem_is_one_like_the_others() {
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
        return; // this machine has no second filesystem to write to
    };
    let repo = Repo::with(&[("f", &lines(9))]);
    let one = elsewhere.path().canonicalize().unwrap().join("one");
    git(
        &repo.main(),
        &["worktree", "add", "-q", "-b", "one", one.to_str().unwrap()],
    );
    write(&one.join("f"), lines_with(9, &[(4, "one")]));
    write(&repo.main().join("f"), lines_with(9, &[(4, "main")]));
    let picture = fresh(&repo.main());
    assert_eq!(picture.verdicts.len(), 1, "{}", say(&picture));
}

#[test]
fn a_head_that_git_can_not_read_is_told_and_the_others_are_compared() {
    let repo = Repo::with(&[("f", &lines(9))]);
    for name in ["one", "two"] {
        write(&repo.worktree(name).join("f"), lines_with(9, &[(4, name)]));
    }
    fs::write(repo.main().join(".git/HEAD"), "no ref\n").unwrap();
    let picture = fresh(&repo.dir().join("one"));
    insta::assert_snapshot!(say(&picture), @"f: one two same_line, conflict");
    let [note] = picture.notes.as_slice() else {
        panic!("{:?}", picture.notes)
    };
    assert!(note.starts_with("could not read worktree"), "{note}");
}

#[test]
fn a_file_inside_another_repository_is_not_ours() {
    let repo = Repo::with(&[("f", "x\n")]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    for root in [&one, &two] {
        fs::create_dir(root.join("nested")).unwrap();
        git(&root.join("nested"), &["init", "-q"]);
        write(&root.join("nested/f"), root.to_str().unwrap());
    }
    assert_eq!(say(&fresh(&repo.main())), "");
    let change = ProposedChange {
        file: "nested/f".to_owned(),
        lines: vec![LineRange { start: 1, end: 2 }],
        worktree: "one".to_owned(),
        new_text: None,
    };
    let answer = look_at(&repo.main(), &config(), &change).unwrap();
    assert_eq!(answer.touches, []);
}

#[test]
fn a_proposed_change_hears_who_is_near_in_the_lines_it_will_have() {
    let repo = Repo::with(&[("src/f", &lines(50))]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    write(&one.join("src/f"), lines_with(50, &[(20, "by one")]));
    // In `two`, the base's line 20 is line 23 by now.
    write(&two.join("src/f"), format!("a\nb\nc\n{}", lines(50)));
    let near = |start, end| {
        let change = ProposedChange {
            file: two.join("src/f").to_string_lossy().into_owned(),
            lines: vec![LineRange { start, end }],
            worktree: "two".to_owned(),
            new_text: None,
        };
        let answer = look_at(&repo.main(), &config(), &change).unwrap();
        let touch = &answer.touches[0];
        format!(
            "{} {} {}",
            touch.side.name, touch.side.ranges[0], touch.severity
        )
    };
    insta::assert_snapshot!(
        [near(23, 24), near(20, 21), near(30, 31), near(17, 18)].join("\n"),
        @"
    one 20 same_line
    one 20 adjacent_line
    one 20 different_area
    one 20 adjacent_line
    "
    );
}

/// What a look at one file and a running watcher say, which must be the same.
fn asked(repo: &Repo, worktree: &str, file: &str, lines: &[(u32, u32)]) -> String {
    let change = ProposedChange {
        file: file.to_owned(),
        lines: lines
            .iter()
            .map(|&(start, end)| LineRange { start, end })
            .collect(),
        worktree: worktree.to_owned(),
        new_text: None,
    };
    let said = |answer: conflicts::CheckAnswer| {
        let touch = |touch: &conflicts::Touch| {
            format!(
                "{} {:?} {} {}",
                touch.side.name, touch.side.change, touch.side.path, touch.severity
            )
        };
        let mut touches: Vec<_> = answer.touches.iter().map(touch).collect();
        touches.sort();
        touches.join("\n")
    };
    let alone = said(look_at(&repo.main(), &config(), &change).unwrap());
    let watcher = conflicts::ConflictWatcher::open(&repo.main(), config()).unwrap();
    assert_eq!(alone, said(watcher.check(&change).unwrap()), "{change:?}");
    alone
}

#[test]
fn a_rename_is_followed_from_either_side_whoever_answers() {
    let repo = Repo::with(&[
        ("src/f", &lines(50)),
        ("src/g", &lines(9)),
        ("other", "x\n"),
    ]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    repo.worktree("three");
    fs::rename(one.join("src/f"), one.join("src/h")).unwrap();
    write(&one.join("new"), lines(3));
    write(&two.join("src/f"), lines_with(50, &[(20, "by two")]));
    insta::assert_snapshot!(
        [
            asked(&repo, "one", "src/h", &[(20, 21)]),
            asked(&repo, "one", "src/h", &[(1, 2), (17, 18)]),
            asked(&repo, "two", "src/f", &[(20, 21)]),
            asked(&repo, "three", "src/f", &[(40, 41)]),
            asked(&repo, "three", "src/h", &[]),
            asked(&repo, "three", "new", &[]),
            asked(&repo, "two", "src/g", &[(1, 2)]),
        ]
        .join("\n--\n"),
        @r#"
    two Modify src/f same_line
    --
    two Modify src/f adjacent_line
    --
    one Rename { to: "src/h" } src/h different_area
    --
    one Rename { to: "src/h" } src/h different_area
    two Modify src/f different_area
    --
    one Rename { to: "src/h" } src/h different_area
    --
    one Create new different_area
    --
    "#
    );
    // Committed, and renamed on both sides.
    commit(&one);
    fs::rename(two.join("src/f"), two.join("src/h")).unwrap();
    insta::assert_snapshot!(
        asked(&repo, "one", "src/h", &[(20, 21)]),
        @r#"two Rename { to: "src/h" } src/h same_line"#
    );
}

#[test]
fn a_question_that_makes_no_sense_is_refused_in_words() {
    let repo = Repo::with(&[("f", "x\n")]);
    let ask = |file: &str, lines: Option<LineRange>, worktree: &str| {
        let change = ProposedChange {
            file: file.to_owned(),
            lines: lines.into_iter().collect(),
            worktree: worktree.to_owned(),
            new_text: None,
        };
        let error = look_at(&repo.main(), &config(), &change).unwrap_err();
        error
            .to_string()
            .replace(&repo.dir().to_string_lossy().into_owned(), "DIR")
    };
    insta::assert_snapshot!(
        [
            ask("f", None, "nowhere"),
            ask("/etc/passwd", None, "main"),
            ask("../f", None, "main"),
            ask("f", Some(LineRange { start: 0, end: 2 }), "main"),
            ask("f", Some(LineRange { start: 3, end: 2 }), "main"),
        ]
        .join("\n"),
        @"
    `nowhere` is no worktree of this repository; it has `DIR/main`
    file `/etc/passwd` is not inside the worktree `DIR/main`
    file `../f` is not inside the worktree `DIR/main`
    lines `0` to `2` are no range: the first is 1, and the end is not before the start
    lines `3` to `2` are no range: the first is 1, and the end is not before the start
    "
    );
}

#[test]
fn a_filter_narrows_by_path_glob_severity_and_worktree() {
    let repo = Repo::with(&[
        ("src/a.rs", &lines(40)),
        ("src/b.md", &lines(40)),
        ("c", &lines(40)),
    ]);
    let roots = ["one", "two"].map(|name| repo.worktree(name));
    for (root, line) in roots.iter().zip([5, 30]) {
        write(
            &root.join("src/a.rs"),
            lines_with(40, &[(5, &format!("{line}"))]),
        );
        write(&root.join("src/b.md"), lines_with(40, &[(line, "x")]));
        write(&root.join("c"), lines_with(40, &[(line, "x")]));
    }
    let list = |paths: &[&str], at_least: Option<Severity>, worktree: Option<&str>| {
        let filter = ConflictFilter {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            at_least,
            worktree: worktree.map(str::to_owned),
            quiet_too: false,
        };
        let picture = look(&repo.main(), &config(), &filter).unwrap();
        let paths: Vec<_> = picture
            .verdicts
            .iter()
            .map(|verdict| verdict.path.to_string())
            .collect();
        paths.join(" ")
    };
    insta::assert_snapshot!(
        [
            list(&[], None, None),
            list(&["src"], None, None),
            list(&["**/*.rs"], None, None),
            list(&[], Some(Severity::SameLine), None),
            list(&[], None, Some("main")),
        ]
        .join("\n"),
        @"
    src/a.rs c src/b.md
    src/a.rs src/b.md
    src/a.rs
    src/a.rs
    "
    );
}

#[test]
fn details_show_both_sides_and_the_merge() {
    let repo = Repo::with(&[("f", &lines(6))]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    write(&one.join("f"), lines_with(6, &[(4, "by one")]));
    write(&two.join("f"), lines_with(6, &[(4, "by two")]));
    let watcher = conflicts::ConflictWatcher::open(&repo.main(), config()).unwrap();
    let key: VerdictKey = watcher.picture().verdicts[0].key();
    let details = watcher.details(&key).unwrap();
    let rows: Vec<_> = details.left[0]
        .rows
        .iter()
        .map(|row| {
            format!(
                "{:?} {:?} {:?} {}",
                row.change, row.base_line, row.line, row.text
            )
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    Same Some(1) Some(1) line 1
    Same Some(2) Some(2) line 2
    Same Some(3) Some(3) line 3
    Removed Some(4) None line 4
    Added None Some(4) by one
    Same Some(5) Some(5) line 5
    Same Some(6) Some(6) line 6
    ");
    insta::assert_snapshot!(details.merged.unwrap(), @"
    line 1
    line 2
    line 3
    <<<<<<< one
    by one
    =======
    by two
    >>>>>>> two
    line 5
    line 6
    ");
}

#[test]
fn a_file_new_in_a_directory_that_the_other_side_renamed_is_a_conflict() {
    let files = ["a", "b", "c"].map(|name| (format!("dir/{name}"), lines_with(30, &[(1, name)])));
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let repo = Repo::with(&files);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    // Nothing of it is staged, and nothing committed.
    fs::rename(one.join("dir"), one.join("moved")).unwrap();
    write(&two.join("dir/new"), "new\n");
    insta::assert_snapshot!(
        say(&fresh(&repo.main())),
        @"moved/new: one two same_line, conflict (in a directory that the other side renamed)"
    );
    assert!(merge_tree(&repo, &one, &two).contains("moved/new"));

    // Without git it can't be told, and that is said.
    let alone = conflicts::WatchConfig {
        git: "/nowhere/git".into(),
        ..config()
    };
    let picture = look(&repo.main(), &alone, &ConflictFilter::default()).unwrap();
    assert!(picture.incomplete);
    insta::assert_snapshot!(
        picture.notes.join("\n"),
        @"`one` and `two`: what git would make of their renames or merge bases is not known: `/nowhere/git` is not there"
    );
}

#[test]
fn a_merge_in_progress_counts_as_the_merge_that_it_will_be() {
    let repo = Repo::with(&[("f", &lines(20)), ("g", &lines(20))]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    write(&one.join("f"), lines_with(20, &[(4, "one")]));
    write(&one.join("g"), lines_with(20, &[(4, "one")]));
    commit(&one);
    write(&two.join("f"), lines_with(20, &[(4, "two")]));
    commit(&two);
    insta::assert_snapshot!(say(&fresh(&repo.main())), @"f: one two same_line, conflict");
    let merging = git_output(&two, &["merge", "-q", "one"], &[]);
    assert!(!merging.status.success());
    write(&two.join("f"), lines_with(20, &[(4, "one and two")]));
    // It contains all of the other side's work, in whatever words.
    assert_eq!(say(&fresh(&repo.main())), "");
    write(&one.join("f"), lines_with(20, &[(4, "one, later")]));
    insta::assert_snapshot!(say(&fresh(&repo.main())), @"f: one two same_line, conflict");
}

/// `git submodule` with what a test's repository on this machine needs.
fn submodule(root: &Path, arguments: &[&str]) {
    let here = ["-c", "protocol.file.allow=always", "submodule", "--quiet"];
    git(root, &[&here, arguments].concat());
}

#[test]
fn of_two_commits_of_a_submodule_one_may_contain_the_other() {
    let repo = Repo::with(&[("f", "x\n")]);
    let part = Repo::with(&[("p", "1\n")]);
    submodule(
        &repo.main(),
        &["add", part.main().to_str().unwrap(), "part"],
    );
    commit(&repo.main());
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    let go_on = |root: &Path, text: &str| {
        write(&root.join("part/p"), text);
        commit(&root.join("part"));
    };
    for root in [&one, &two] {
        submodule(root, &["update", "--init"]);
        go_on(root, "2\n");
    }
    // The same commit, made twice; then one that follows it.
    go_on(&two, "3\n");
    insta::assert_snapshot!(
        say(&fresh(&repo.main())),
        @"part: one two same_line (one commit of the submodule contains the other)"
    );
    go_on(&one, "4\n");
    insta::assert_snapshot!(
        say(&fresh(&repo.main())),
        @"
    part: one two same_line, conflict (two commits of a submodule)
    part/p: one two same_line, conflict
    "
    );
}

/// A repository with the submodule `part`, and the worktrees `one` and `two` that have it checked out.
fn with_submodule(files: &[(&str, &str)]) -> (Repo, Repo, [std::path::PathBuf; 2]) {
    let (repo, part) = (Repo::with(&[("f", "x\n")]), Repo::with(files));
    let at = part.main();
    submodule(&repo.main(), &["add", at.to_str().unwrap(), "part"]);
    commit(&repo.main());
    let roots = ["one", "two"].map(|name| repo.worktree(name));
    for root in &roots {
        submodule(root, &["update", "--init"]);
    }
    (repo, part, roots)
}

#[test]
fn edits_inside_of_a_submodule_are_compared_as_those_of_worktrees_of_it() {
    let files = [
        ("src/a", lines(40)),
        ("src/b", lines_with(40, &[(1, "b")])),
        ("c", lines_with(40, &[(1, "c")])),
        ("d", lines_with(40, &[(1, "d")])),
        ("e", lines_with(40, &[(1, "e")])),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let (repo, _part, inside) = with_submodule(&files);
    let inside = inside.map(|root| root.join("part"));
    let plain = Repo::with(&files);
    let outside = ["one", "two"].map(|name| plain.worktree(name));
    // The same life in both: committed, staged, unstaged and untracked; a rename; a deletion.
    for [one, two] in [&inside, &outside] {
        write(&one.join("src/a"), lines_with(40, &[(9, "one")]));
        write(&two.join("src/a"), lines_with(40, &[(9, "two")]));
        git(one, &["mv", "src/b", "b"]);
        write(&two.join("src/b"), lines_with(40, &[(1, "b"), (9, "two")]));
        commit(two);
        write(&one.join("c"), lines_with(40, &[(1, "c"), (9, "one")]));
        git(one, &["add", "-A"]);
        write(&two.join("c"), lines_with(40, &[(1, "c"), (11, "two")]));
        write(&one.join("new"), "one\n");
        write(&two.join("new"), "two\n");
        fs::remove_file(one.join("d")).unwrap();
        write(&two.join("d"), lines_with(40, &[(1, "d"), (30, "two")]));
        write(&one.join("e"), lines_with(40, &[(1, "e"), (9, "one")]));
        write(&two.join("e"), lines_with(40, &[(1, "e"), (30, "two")]));
    }
    let told = say(&fresh(&plain.main()));
    assert_eq!(told.lines().count(), 6, "{told}");
    let mut within: Vec<_> = told.lines().map(|line| format!("part/{line}")).collect();
    within.sort();
    let said = |from: &Path| {
        let said = say(&fresh(from));
        let mut said: Vec<_> = said.lines().map(str::to_owned).collect();
        said.sort();
        said
    };
    assert_eq!(said(&repo.main()), within);
    // From inside of the submodule it is the same question.
    assert_eq!(said(&inside[0].join("src")), within);
    let root = conflicts::worktree_of(&inside[0].join("src/a")).unwrap();
    assert_eq!(root, Some(repo.dir().join("one")));

    insta::assert_snapshot!(
        asked(&repo, "one", "part/src/a", &[(9, 10)]),
        @"two Modify part/src/a same_line"
    );
    insta::assert_snapshot!(
        asked(&repo, "two", "part/src/b", &[(9, 10)]),
        @r#"one Rename { to: "part/b" } part/b different_area"#
    );
    let picture = fresh(&repo.main());
    let verdict = |path: &str| {
        let mut all = picture.verdicts.iter();
        all.find(|verdict| verdict.path.to_string() == path)
            .unwrap()
    };
    let details = watched(&repo)
        .details(&verdict("part/src/a").key())
        .unwrap();
    assert_eq!(details.verdict.path, verdict("part/src/a").path);
    insta::assert_snapshot!(
        details.left[0].unified().join("\n"),
        @"
    @@ -6,7 +6,7 @@
     line 6
     line 7
     line 8
    -line 9
    +one
     line 10
     line 11
     line 12
    "
    );
    // Whose they are is told of the worktree, not of the submodule, whose head is on no branch.
    assert_eq!(details.verdict.left.branch.as_deref(), Some("one"));
}

fn watched(repo: &Repo) -> conflicts::ConflictWatcher {
    conflicts::ConflictWatcher::open(&repo.main(), config()).unwrap()
}

#[test]
fn a_submodule_that_goes_two_ways_conflicts_where_its_files_do() {
    let (repo, part, [one, two]) = with_submodule(&[("p", &lines(30))]);
    let go_on = |root: &Path, line: u32, text: &str| {
        write(&root.join("part/p"), lines_with(30, &[(line, text)]));
        commit(&root.join("part"));
    };
    go_on(&one, 4, "one");
    go_on(&two, 25, "two");
    // Git's own merge of the two would stop at the submodule, and nowhere inside of it.
    insta::assert_snapshot!(
        say(&fresh(&repo.main())),
        @"
    part: one two same_line, conflict (two commits of a submodule)
    part/p: one two different_area
    "
    );
    go_on(&two, 4, "two");
    insta::assert_snapshot!(
        say(&fresh(&repo.main())),
        @"
    part: one two same_line, conflict (two commits of a submodule)
    part/p: one two same_line, conflict
    "
    );
    // Where one goes on from the other, there is nothing left between them: git says so, too, once it has both.
    let head = git(&two.join("part"), &["rev-parse", "HEAD"]);
    git(
        &one.join("part"),
        &["fetch", "-q", two.join("part").to_str().unwrap()],
    );
    git(&one.join("part"), &["reset", "-q", "--hard", &head]);
    go_on(&one, 20, "later");
    commit(&one);
    commit(&two);
    insta::assert_snapshot!(
        say(&fresh(&repo.main())),
        @"part: one two same_line (one commit of the submodule contains the other)"
    );
    let merged = git_output(&one, &["merge", "--no-commit", "--no-ff", "two"], &[]);
    assert!(merged.status.success(), "{merged:?}");
    drop(part);
}

#[test]
fn a_submodule_that_one_worktree_alone_has_is_told_by_its_commit() {
    let (repo, _part, [one, two]) = with_submodule(&[("p", &lines(30))]);
    write(&two.join("part/p"), lines_with(30, &[(4, "two")]));
    commit(&two.join("part"));
    commit(&two);
    submodule(&repo.main(), &["deinit", "-q", "--all", "--force"]);
    submodule(&two, &["deinit", "-q", "--all", "--force"]);
    write(&one.join("part/p"), lines_with(30, &[(4, "one")]));
    assert_eq!(say(&fresh(&repo.main())), "");
    insta::assert_snapshot!(
        asked(&repo, "one", "part/p", &[(4, 5)]),
        @"two Submodule part different_area"
    );
}

#[test]
fn a_merge_driver_is_told_and_not_run() {
    let repo = Repo::with(&[
        (".gitattributes", "*.lock merge=lock\n"),
        ("f.lock", &lines(9)),
        ("f", &lines(9)),
    ]);
    git(
        &repo.main(),
        &["config", "merge.lock.driver", "touch ran; true"],
    );
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    for (root, text) in [(&one, "one"), (&two, "two")] {
        write(&root.join("f.lock"), lines_with(9, &[(4, text)]));
        write(&root.join("f"), lines_with(9, &[(4, text)]));
    }
    let driver = "f: one two same_line, conflict\nf.lock: one two same_line, conflict (its merge driver decides, and is not asked)";
    assert_eq!(say(&fresh(&repo.main())), driver);
    // What no attribute speaks of is merged as the configuration says.
    git(&repo.main(), &["config", "merge.default", "union"]);
    insta::assert_snapshot!(say(&fresh(&repo.main())), @"
    f.lock: one two same_line, conflict (its merge driver decides, and is not asked)
    f: one two same_line
    ");
    assert!(
        ![&one, &two, &repo.main()]
            .iter()
            .any(|root| root.join("ran").exists())
    );
}

#[test]
fn files_outside_of_a_sparse_checkout_are_as_they_are_committed() {
    let repo = Repo::with(&[
        ("in/f", &lines(9)),
        ("out/g", &lines(9)),
        ("out/deep/h", &lines(9)),
    ]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    write(&one.join("out/g"), lines_with(9, &[(4, "one")]));
    commit(&one);
    git(
        &one,
        &["sparse-checkout", "set", "--cone", "--sparse-index", "in"],
    );
    assert!(!one.join("out").exists());
    write(&two.join("out/g"), lines_with(9, &[(4, "two")]));
    write(&two.join("out/deep/h"), lines_with(9, &[(4, "two")]));
    insta::assert_snapshot!(say(&fresh(&repo.main())), @"out/g: one two same_line, conflict");
    let change = ProposedChange {
        file: "out/deep/h".to_owned(),
        lines: Vec::new(),
        worktree: "two".to_owned(),
        new_text: None,
    };
    assert_eq!(
        look_at(&repo.main(), &config(), &change).unwrap().touches,
        []
    );
}

#[test]
fn files_that_a_program_converts_are_compared_as_git_keeps_them() {
    let repo = Repo::with(&[(".gitattributes", "*.txt filter=upper\n")]);
    git(
        &repo.main(),
        &["config", "filter.upper.clean", "tr a-z A-Z"],
    );
    git(
        &repo.main(),
        &["config", "filter.upper.smudge", "tr A-Z a-z"],
    );
    write(&repo.main().join("f.txt"), lines(20));
    commit(&repo.main());
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    assert_eq!(say(&fresh(&repo.main())), "");
    assert_eq!(fresh(&repo.main()).entries, []);
    write(&one.join("f.txt"), lines_with(20, &[(4, "one")]));
    write(&two.join("f.txt"), lines_with(20, &[(7, "two")]));
    insta::assert_snapshot!(say(&fresh(&repo.main())), @"f.txt: one two adjacent_line");
    // Another spelling of what is committed is no change.
    write(&two.join("f.txt"), lines(20).to_uppercase());
    assert_eq!(say(&fresh(&repo.main())), "");

    git(&repo.main(), &["config", "filter.upper.clean", "false"]);
    git(&repo.main(), &["config", "filter.upper.required", "true"]);
    let picture = fresh(&repo.main());
    assert!(picture.incomplete, "{:?}", picture.notes);
    assert!(
        picture.notes[0].contains("1 files of `one` are converted by a program"),
        "{:?}",
        picture.notes
    );
}

/// The files of the verdicts that pass, by what was asked for.
fn files(repo: &Repo, path: &str) -> String {
    let filter = ConflictFilter {
        paths: vec![path.replace("DIR", &repo.dir().to_string_lossy())],
        ..ConflictFilter::default()
    };
    let picture = look(&repo.main(), &config(), &filter).unwrap();
    let files = picture
        .verdicts
        .iter()
        .map(|verdict| verdict.path.to_string());
    files.collect::<Vec<_>>().join(" ")
}

#[test]
fn globs_find_files_and_whatever_lies_below_a_directory() {
    let names = ["src/a/f.rs", "src/a/g.md", "src/b/f.rs", "top"];
    let texts = names.map(|name| lines_with(30, &[(1, name), (2, name)]));
    let all: Vec<_> = names
        .iter()
        .copied()
        .zip(texts.iter().map(String::as_str))
        .collect();
    let repo = Repo::with(&all);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    for (root, text) in [(&one, "one"), (&two, "two")] {
        for name in names {
            write(
                &root.join(name),
                lines_with(30, &[(1, name), (2, name), (9, text)]),
            );
        }
    }
    fs::rename(one.join("top"), one.join("renamed")).unwrap();
    let said = |path: &str| files(&repo, path);
    insta::assert_snapshot!(said("src/*/f.rs"), @"src/a/f.rs src/b/f.rs");
    insta::assert_snapshot!(said("src/a*"), @"src/a/f.rs src/a/g.md");
    insta::assert_snapshot!(said("**/*.md"), @"src/a/g.md");
    insta::assert_snapshot!(said("DIR/two/src/*/f.rs"), @"src/a/f.rs src/b/f.rs");
    insta::assert_snapshot!(said("DIR/one/renamed"), @"top");
    insta::assert_snapshot!(said("DIR/elsewhere/*"), @"");
    insta::assert_snapshot!(said("./"), @"src/a/f.rs src/a/g.md src/b/f.rs top");
}

#[test]
fn a_check_shows_what_the_others_do_near_the_proposed_lines() {
    let repo = Repo::with(&[("f", &lines(60))]);
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    write(
        &one.join("f"),
        lines_with(60, &[(10, "ten"), (50, "fifty")]),
    );
    write(&two.join("f"), format!("top\n{}", lines(60)));
    let hunks = |lines: Vec<LineRange>| {
        let change = ProposedChange {
            file: "f".to_owned(),
            lines,
            worktree: "two".to_owned(),
            new_text: None,
        };
        let answer = look_at(&repo.main(), &config(), &change).unwrap();
        let shown = answer.touches[0].hunks.iter().map(|hunk| {
            let rows = hunk.rows.iter().map(|row| row.text.as_str());
            format!(
                "{} {}: {}",
                hunk.base,
                hunk.meets,
                rows.collect::<Vec<_>>().join("|")
            )
        });
        shown.collect::<Vec<_>>().join("\n")
    };
    // Line 11 there is line 10 at the merge base.
    insta::assert_snapshot!(
        hunks(vec![LineRange { start: 11, end: 12 }]),
        @"10 true: line 7|line 8|line 9|line 10|ten|line 11|line 12|line 13"
    );
    assert_eq!(hunks(vec![LineRange { start: 30, end: 31 }]), "");
    assert_eq!(hunks(Vec::new()).lines().count(), 2);
}

#[test]
fn many_renames_are_found_by_content_and_by_name_and_the_rest_is_told() {
    let text =
        |number: u32, edit: &str| lines_with(9, &[(1, &format!("file {number}")), (5, edit)]);
    let repo = Repo::empty();
    for number in 0..220 {
        write(
            &repo.main().join(format!("old/{number}")),
            text(number, "x"),
        );
    }
    commit(&repo.main());
    let (one, two) = (repo.worktree("one"), repo.worktree("two"));
    fs::rename(one.join("old"), one.join("new")).unwrap();
    for number in 0..3 {
        write(&one.join(format!("new/{number}")), text(number, "edited"));
    }
    write(&two.join("old/1"), text(1, "other"));
    write(&two.join("old/7"), text(7, "other"));
    let picture = fresh(&repo.main());
    insta::assert_snapshot!(say(&picture), @"
    old/1: one two same_line, conflict
    old/7: one two different_area
    ");
    assert_eq!(picture.notes, [""; 0]);
    // Other contents under other names, and too many to be compared each with each.
    for number in 0..220 {
        let from = one.join(format!("new/{number}"));
        write(
            &one.join(format!("other/n{number}")),
            text(number, "edited"),
        );
        fs::remove_file(from).unwrap();
    }
    let picture = fresh(&repo.main());
    insta::assert_snapshot!(
        picture.notes.join("\n"),
        @"`one`: renames with changes are not looked for among 220 deleted and 220 new files"
    );
    // Git knows them, up to a limit of its own.
    assert!(
        picture
            .verdicts
            .iter()
            .any(|verdict| verdict.would_conflict),
        "{}",
        say(&picture)
    );
    assert!(!picture.incomplete);
}
