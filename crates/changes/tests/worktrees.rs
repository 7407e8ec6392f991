//! Worktrees: what would be lost with each, which are merged, new ones, and the end of one.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may panic

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use changes::{
    ChangesError, ListedWorktree, Merged, NewWorktree, Removal, Removed, Snapshots, Worktree,
};
use support::{Repo, git, program};

const NOW: u64 = 1_800_000_000_000;

/// A repository whose `f` has a hundred lines, by somebody who may commit.
fn repository() -> Repo {
    let repo = Repo::empty();
    for (name, value) in [("user.name", "you"), ("user.email", "you@example.com")] {
        git(repo.root(), &["config", name, value]);
    }
    write(repo.root(), &[]);
    commit(repo.root(), "First");
    repo
}

/// Writes `f`, with some of its lines in capitals.
fn write(root: &Path, capitals: &[usize]) {
    let line = |at| match capitals.contains(&at) {
        true => format!("LINE {at}\n"),
        false => format!("line {at}\n"),
    };
    fs::write(root.join("f"), (0..100).map(line).collect::<String>()).unwrap();
}

fn commit(root: &Path, message: &str) {
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", message]);
}

fn add(repo: &Repo, branch: &str) -> PathBuf {
    let new = NewWorktree {
        branch: branch.to_owned(),
        base: None,
        path: None,
    };
    repo.worktree().add(&new).unwrap().root().to_owned()
}

fn open(root: &Path) -> Worktree {
    Worktree::open(root, program()).unwrap()
}

/// What the list says of a branch.
fn told(repo: &Repo, branch: &str) -> ListedWorktree {
    let all = repo.worktree().all().unwrap();
    let found = all
        .into_iter()
        .find(|one| one.branch.as_deref() == Some(branch));
    found.unwrap()
}

fn remove(repo: &Repo, root: &Path, how: Removal) -> Result<Removed, ChangesError> {
    let kept = Snapshots::new(repo.root().with_file_name("snapshots"), program());
    open(root).remove(how, &kept, NOW)
}

#[test]
fn a_branch_is_merged_as_it_is_as_others_squashed_or_not() {
    let repo = repository();
    let main = repo.root();
    for branch in [
        "fresh",
        "merged",
        "picked",
        "squashed",
        "squashed-late",
        "not",
    ] {
        let root = add(&repo, branch);
        if branch == "fresh" {
            continue;
        }
        // Two commits each, at lines of its own; those of one are near to another's.
        let at = match branch {
            "merged" => 10,
            "picked" => 20,
            "squashed" => 23,
            "squashed-late" => 40,
            _ => 60,
        };
        write(&root, &[at]);
        commit(&root, "one");
        write(&root, &[at, at + 1]);
        commit(&root, "two");
    }
    assert_eq!(told(&repo, "merged").merged, Merged::No);
    git(main, &["merge", "-q", "--no-ff", "merged"]);
    git(main, &["cherry-pick", "picked~1", "picked"]);
    git(main, &["merge", "-q", "--squash", "squashed"]);
    git(main, &["commit", "-q", "-m", "Squashed"]);
    let merged = |branch| told(&repo, branch).merged;
    assert_eq!(
        merged("squashed"),
        Merged::AsOthers,
        "near to others' lines"
    );
    // What it did was changed since: only its own commit says that it was there.
    git(main, &["merge", "-q", "--squash", "squashed-late"]);
    git(main, &["commit", "-q", "-m", "Squashed, too"]);
    fs::write(main.join("f"), "all else\n").unwrap();
    commit(main, "Rewritten");

    assert_eq!(merged("fresh"), Merged::Nothing);
    assert_eq!(merged("merged"), Merged::Yes);
    assert_eq!(merged("picked"), Merged::AsOthers);
    assert_eq!(merged("squashed-late"), Merged::AsOthers);
    assert_eq!(merged("not"), Merged::No);
    let holds = |branch| told(&repo, branch).holds.to_string();
    assert_eq!(holds("squashed-late"), "");
    assert_eq!(holds("not"), "2 commits that are nowhere else");
    // A remote has them.
    git(main, &["update-ref", "refs/remotes/origin/not", "not"]);
    assert_eq!(holds("not"), "");
    assert_eq!(merged("not"), Merged::No);
}

#[test]
fn to_look_writes_nothing() {
    let repo = repository();
    let root = add(&repo, "topic");
    write(&root, &[1]);
    commit(&root, "one");
    let objects = || git(repo.root(), &["count-objects", "-v"]);
    let before = objects();
    repo.worktree().all().unwrap();
    assert_eq!(objects(), before);
}

#[test]
fn a_new_worktree_stands_beside_the_main_one_on_a_branch_of_its_own() {
    let repo = repository();
    let main = repo.root().to_owned();
    git(&main, &["branch", "old"]);
    write(&main, &[3]);
    commit(&main, "Second");
    let root = add(&repo, "fix/login");
    assert_eq!(root, main.with_file_name("main-fix-login"));
    assert_eq!(git(&root, &["branch", "--show-current"]), "fix/login");
    let make = |branch: &str, base: Option<&str>, path: Option<&str>| {
        let new = NewWorktree {
            branch: branch.to_owned(),
            base: base.map(str::to_owned),
            path: path.map(str::to_owned),
        };
        // From within another one as well.
        let made = open(&root).add(&new)?;
        Ok::<_, ChangesError>(made.root().to_owned())
    };
    let at_old = make("from-old", Some("old"), Some("elsewhere/one")).unwrap();
    assert_eq!(at_old, main.parent().unwrap().join("elsewhere/one"));
    let commits = |root: &Path| git(root, &["rev-list", "--count", "HEAD"]);
    assert_eq!((commits(&root), commits(&at_old)), ("2".into(), "1".into()));
    // A branch that is there is taken as it is.
    let old = make("old", None, None).unwrap();
    assert_eq!(git(&old, &["branch", "--show-current"]), "old");

    let refused = |branch: &str, base: Option<&str>, path: Option<&str>| {
        let told = make(branch, base, path).unwrap_err().to_string();
        told.replace(&main.parent().unwrap().display().to_string(), "/w")
    };
    assert_eq!(
        refused("-x", None, None),
        "`branch` is `-x`, which can't name a branch; use letters, digits, `-` and `/`"
    );
    assert_eq!(
        refused("old", Some("main"), None),
        "could not make the worktree `/w/main-old`: the branch `old` is there already, so it can't begin at `main`"
    );
    assert!(refused("a", Some("nowhere"), None).contains("nowhere"));
    assert!(refused("a", None, Some("elsewhere/one")).contains("already exists"));
    assert!(refused("a", Some("--detach"), None).contains("`--detach`"));
}

#[test]
fn what_is_nowhere_else_keeps_a_worktree() {
    let repo = repository();
    let root = add(&repo, "topic");
    let refused = |how| {
        let told = remove(&repo, &root, how).unwrap_err().to_string();
        told.replace(&root.parent().unwrap().display().to_string(), "/w")
    };
    let (alone, branch) = (
        Removal::default(),
        Removal {
            branch: true,
            lose: false,
        },
    );
    write(&root, &[1]);
    fs::write(root.join("new"), "x\n").unwrap();
    assert_eq!(
        refused(alone),
        "could not remove the worktree `/w/main-topic`: it holds 2 files that are not committed"
    );
    commit(&root, "one");
    assert_eq!(
        refused(branch),
        "could not remove the worktree `/w/main-topic`: it holds 1 commit that is nowhere else"
    );
    git(
        repo.root(),
        &[
            "worktree",
            "lock",
            "--reason",
            "on a stick",
            root.to_str().unwrap(),
        ],
    );
    assert!(refused(alone).ends_with("it is locked: on a stick"));
    git(repo.root(), &["worktree", "unlock", root.to_str().unwrap()]);
    assert!(root.join("f").exists());
    let own = remove(&repo, repo.root(), branch).unwrap_err();
    assert!(own.to_string().ends_with("it is the repository's own"));

    // Its branch has the commit.
    let removed = remove(&repo, &root, alone).unwrap();
    assert_eq!((removed.branch, removed.snapshot), (None, None));
    assert!(!root.exists());
    assert_eq!(git(repo.root(), &["branch", "--list", "topic"]), "  topic");
}

#[test]
fn what_is_said_to_be_lost_is_kept_for_an_undo() {
    let repo = repository();
    let root = add(&repo, "topic");
    write(&root, &[1]);
    git(&root, &["add", "f"]);
    fs::create_dir(root.join("d")).unwrap();
    fs::write(root.join("d/new"), "x\n").unwrap();
    symlink("nowhere", root.join("link")).unwrap();
    let text = fs::read(root.join("f")).unwrap();
    let lose = Removal {
        branch: true,
        lose: true,
    };
    let removed = remove(&repo, &root, lose).unwrap();
    assert_eq!(removed.branch.as_deref(), Some("topic"));
    assert_eq!(git(repo.root(), &["branch", "--list", "topic"]), "");
    assert!(!root.exists());
    let kept = Snapshots::new(repo.root().with_file_name("snapshots"), program());
    let again = add(&repo, "topic");
    assert_eq!(again, root);
    kept.restore(&open(&again), &removed.snapshot.unwrap(), NOW)
        .unwrap();
    assert_eq!(fs::read(root.join("f")).unwrap(), text);
    assert_eq!(fs::read(root.join("d/new")).unwrap(), b"x\n");
    assert!(root.join("link").is_symlink());
}

#[test]
fn a_worktree_whose_directory_is_gone_is_listed_and_forgotten() {
    let repo = repository();
    let root = add(&repo, "topic");
    fs::remove_dir_all(&root).unwrap();
    assert!(!told(&repo, "topic").present);
    repo.worktree().forget_missing().unwrap();
    assert_eq!(repo.worktree().all().unwrap().len(), 1);
}

#[test]
fn a_branch_gets_another_name() {
    let repo = repository();
    let root = add(&repo, "topic");
    open(&root).rename("fix/login").unwrap();
    assert_eq!(git(&root, &["branch", "--show-current"]), "fix/login");
    let there = open(&root).rename("main").unwrap_err().to_string();
    assert!(there.contains("'main' already exists"), "{there}");
    assert!(open(&root).rename("a b").is_err());
    git(&root, &["checkout", "-q", "--detach"]);
    let none = open(&root).rename("x").unwrap_err().to_string();
    assert!(none.ends_with("it is on no branch"), "{none}");
}

#[test]
fn the_size_is_what_the_disk_holds_and_no_link_leads_out() {
    let repo = repository();
    let before = repo.worktree().size();
    fs::write(repo.root().join("large"), vec![7; 1 << 20]).unwrap();
    fs::hard_link(repo.root().join("large"), repo.root().join("twice")).unwrap();
    symlink("/usr", repo.root().join("out")).unwrap();
    let more = repo.worktree().size() - before;
    assert!((1 << 20..(1 << 20) + 65_536).contains(&more), "{more}");
}
