//! Landing a branch in its base, updating it from there, and taking both back.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may panic

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use changes::{
    ChangesError, Landed, Landing, LandingEnd, NewWorktree, Prospect, TakenBack, Way, Worktree,
};
use support::{Repo, git, program};

/// A repository of two files, whose main worktree is on `main`, with a worktree `topic`.
fn repository() -> (Repo, PathBuf) {
    let repo = Repo::empty();
    for (name, value) in [("user.name", "you"), ("user.email", "you@example.com")] {
        git(repo.root(), &["config", name, value]);
    }
    write(repo.root(), "f", "one\ntwo\nthree\n", "First");
    let topic = add(&repo, "topic");
    (repo, topic)
}

fn add(repo: &Repo, branch: &str) -> PathBuf {
    let new = NewWorktree {
        branch: branch.to_owned(),
        base: None,
        path: None,
    };
    repo.worktree().add(&new).unwrap().root().to_owned()
}

/// Commits a file.
fn write(root: &Path, name: &str, text: &str, message: &str) {
    fs::write(root.join(name), text).unwrap();
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", message]);
}

fn open(root: &Path) -> Worktree {
    Worktree::open(root, program()).unwrap()
}

fn of(way: Way) -> Landing {
    Landing {
        way,
        base: None,
        message: None,
        without_uncommitted: false,
        leave_conflicts: false,
    }
}

fn land(root: &Path) -> Result<Landed, ChangesError> {
    open(root).land(&of(Way::Land))
}

fn update(root: &Path) -> Result<Landed, ChangesError> {
    open(root).land(&of(Way::Update))
}

fn take_back(root: &Path, way: Way) -> Result<TakenBack, ChangesError> {
    open(root).take_back(way, None)
}

fn hook(repo: &Repo, name: &str, script: &str) {
    let place = repo.root().join(".git/hooks").join(name);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
}

/// All that a merge could spoil: refs, files, what git says of them.
fn state(repo: &Repo, others: &[&Path]) -> String {
    let mut all = git(repo.root(), &["for-each-ref"]);
    for root in [repo.root()].iter().chain(others) {
        all += &git(root, &["status", "--porcelain=v2", "--branch"]);
        all += &git(root, &["ls-files", "--stage"]);
        all += &fs::read_to_string(root.join("f")).unwrap_or_default();
    }
    all
}

fn refused(repo: &Repo, topic: &Path, done: Result<Landed, ChangesError>) -> String {
    let home = repo.root().parent().unwrap().display().to_string();
    let told = done.unwrap_err().to_string();
    let told = told.replace(&home, "");
    let place = topic.file_name().unwrap().to_string_lossy().into_owned();
    told.replace(&format!("/{place}"), "/topic")
}

fn is_done(landed: &Landed) -> bool {
    matches!(landed.end, LandingEnd::Done { .. })
}

#[test]
fn a_branch_lands_where_its_base_is_checked_out_and_is_taken_back() {
    let (repo, topic) = repository();
    let before = git(repo.root(), &["rev-parse", "main"]);
    write(&topic, "g", "new\n", "Second");
    let landed = land(&topic).unwrap();
    assert!(is_done(&landed), "{landed:?}");
    assert_eq!((&*landed.from, &*landed.into), ("topic", "main"));
    assert_eq!(fs::read_to_string(repo.root().join("g")).unwrap(), "new\n");
    assert_eq!(git(repo.root(), &["status", "--porcelain"]), "");
    assert_eq!(land(&topic).unwrap().end, LandingEnd::Nothing);

    let back = take_back(&topic, Way::Land).unwrap();
    assert_eq!((&*back.branch, &*back.now), ("main", &*before));
    assert_eq!(git(repo.root(), &["rev-parse", "main"]), before);
    assert!(!repo.root().join("g").exists());
    assert_eq!(git(repo.root(), &["status", "--porcelain"]), "");
    let again = take_back(&topic, Way::Land).unwrap_err().to_string();
    assert!(
        again.ends_with("it is not the last that happened to `main`"),
        "{again}"
    );
    // And it can land again.
    assert!(is_done(&land(&topic).unwrap()));
}

#[test]
fn branches_that_went_apart_are_merged_by_git_with_its_words_and_the_hooks() {
    let (repo, topic) = repository();
    write(&topic, "g", "new\n", "Second");
    write(repo.root(), "h", "here\n", "Third");
    hook(
        &repo,
        "commit-msg",
        "echo 'Reviewed-by: me' >> \"$1\"; echo heard >&2",
    );
    let landed = land(&topic).unwrap();
    let LandingEnd::Done { said, .. } = &landed.end else {
        panic!("{landed:?}");
    };
    assert!(said.contains("heard"), "{said}");
    let told = git(repo.root(), &["log", "-1", "--format=%an %p|%B"]);
    assert!(told.contains("Merge branch 'topic'"), "{told}");
    assert!(told.contains("Reviewed-by: me"), "{told}");
    assert!(repo.root().join("g").exists() && repo.root().join("h").exists());
    // The branch that was landed is where it was.
    assert!(!topic.join("h").exists());
    take_back(&topic, Way::Land).unwrap();
    assert!(!repo.root().join("g").exists() && repo.root().join("h").exists());
}

#[test]
fn a_base_that_is_checked_out_nowhere_is_moved_beside() {
    let (repo, topic) = repository();
    git(repo.root(), &["switch", "-q", "-c", "elsewhere"]);
    let onto_main = |way| Landing {
        base: Some("main".to_owned()),
        ..of(way)
    };
    write(&topic, "g", "new\n", "Second");
    let landed = open(&topic).land(&onto_main(Way::Land)).unwrap();
    assert_eq!(landed.at, None);
    let tip = |name: &str| git(repo.root(), &["rev-parse", name]);
    assert_eq!(tip("main"), tip("topic"), "it is moved forward");

    // Both went on: a commit is made.
    let other = add(&repo, "other");
    write(&other, "h", "there\n", "Third");
    write(&topic, "g", "newer\n", "Fourth");
    open(&other).land(&onto_main(Way::Land)).unwrap();
    open(&topic).land(&onto_main(Way::Land)).unwrap();
    let told = git(repo.root(), &["log", "-1", "--format=%an: %s", "main"]);
    assert_eq!(told, "you: Merge branch 'topic'");
    assert_eq!(
        git(repo.root(), &["ls-tree", "--name-only", "main"]),
        "f\ng\nh"
    );
    let fsck = git(repo.root(), &["fsck", "--strict"]);
    assert!(!fsck.contains("error"), "{fsck}");
    let back = open(&topic).take_back(Way::Land, Some("main")).unwrap();
    assert_eq!(tip("main"), back.now);
    assert_eq!(git(repo.root(), &["show", "main:h"]), "there");

    // Hooks that judge a merge would not be heard there.
    hook(&repo, "pre-merge-commit", "exit 0");
    let told = refused(&repo, &topic, open(&topic).land(&onto_main(Way::Land)));
    assert_eq!(
        told,
        "could not land `/topic`: the hook `pre-merge-commit` has to see the merge, and `main` is checked out nowhere: make a worktree for it"
    );
    assert_eq!(tip("main"), back.now);
}

#[test]
fn what_a_merge_would_stop_at_is_told_and_nothing_is_touched() {
    let (repo, topic) = repository();
    write(&topic, "f", "one\nTOPIC\nthree\n", "Second");
    write(repo.root(), "f", "one\nMAIN\nthree\n", "Third");
    let before = state(&repo, &[&topic]);
    let objects = || git(repo.root(), &["count-objects", "-v"]);
    let had = objects();
    for done in [land(&topic), update(&topic)] {
        let LandingEnd::Conflicts { files, left: false } = done.unwrap().end else {
            panic!("it is told");
        };
        assert_eq!(
            files.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["f"]
        );
    }
    assert_eq!(state(&repo, &[&topic]), before);
    assert_eq!(objects(), had, "nothing is left in the repository");

    // Asked for, they are left to be resolved where the agent works.
    let leave = Landing {
        leave_conflicts: true,
        ..of(Way::Update)
    };
    let left = open(&topic).land(&leave).unwrap();
    assert!(
        matches!(left.end, LandingEnd::Conflicts { left: true, .. }),
        "{left:?}"
    );
    assert!(
        fs::read_to_string(topic.join("f"))
            .unwrap()
            .contains("<<<<<<<")
    );
    assert_eq!(
        refused(&repo, &topic, land(&topic)),
        "could not land `/topic`: git is in the middle of a merge"
    );
    write(&topic, "f", "one\nBOTH\nthree\n", "Resolved");
    assert!(is_done(&land(&topic).unwrap()));
    assert_eq!(
        fs::read_to_string(repo.root().join("f")).unwrap(),
        "one\nBOTH\nthree\n"
    );
}

#[test]
fn a_branch_is_updated_from_its_base_and_put_back() {
    let (repo, topic) = repository();
    write(repo.root(), "h", "here\n", "Third");
    assert!(is_done(&update(&topic).unwrap()));
    assert!(topic.join("h").exists());
    assert_eq!(update(&topic).unwrap().end, LandingEnd::Nothing);
    take_back(&topic, Way::Update).unwrap();
    assert!(!topic.join("h").exists());
    // What a branch did itself since is not taken back with it.
    update(&topic).unwrap();
    write(&topic, "g", "new\n", "Mine");
    let told = take_back(&topic, Way::Update).unwrap_err().to_string();
    assert!(
        told.ends_with("it is not the last that happened to `topic`"),
        "{told}"
    );
}

#[test]
fn what_is_in_the_way_is_told_and_nothing_is_done() {
    let (repo, topic) = repository();
    write(&topic, "f", "one\ntwo\n3\n", "Second");
    let told = |done| refused(&repo, &topic, done);

    // In the worktree itself.
    fs::write(topic.join("new"), "x\n").unwrap();
    assert_eq!(
        told(land(&topic)),
        "could not land `/topic`: `new` is not committed"
    );
    fs::write(topic.join("f"), "mine\n").unwrap();
    assert_eq!(
        told(land(&topic)),
        "could not land `/topic`: 2 files are not committed"
    );
    assert_eq!(
        told(update(&topic)),
        "could not update `/topic`: `f` is not committed"
    );
    let without = Landing {
        without_uncommitted: true,
        ..of(Way::Land)
    };
    // In the one that has the base.
    fs::write(repo.root().join("f"), "somebody's\n").unwrap();
    assert_eq!(
        told(open(&topic).land(&without)),
        "could not land `/topic`: `main` is checked out in `/main`: there, `f` is not committed"
    );
    git(repo.root(), &["checkout", "-q", "f"]);
    // A new file there that would be written over.
    write(&topic, "g", "theirs\n", "Third");
    fs::write(topic.join("later"), "x\n").unwrap();
    fs::write(repo.root().join("g"), "mine\n").unwrap();
    let over = told(open(&topic).land(&without));
    assert!(over.contains("would be overwritten by merge"), "{over}");
    assert_eq!(fs::read_to_string(repo.root().join("g")).unwrap(), "mine\n");
    fs::remove_file(repo.root().join("g")).unwrap();
    // A hook that says no leaves no merge behind.
    write(repo.root(), "h", "here\n", "Fourth");
    hook(
        &repo,
        "pre-merge-commit",
        "echo 'not on a Friday' >&2; exit 1",
    );
    let before = state(&repo, &[&topic]);
    let no = told(open(&topic).land(&without));
    assert!(no.contains("not on a Friday"), "{no}");
    assert_eq!(state(&repo, &[&topic]), before);
    fs::remove_file(repo.root().join(".git/hooks/pre-merge-commit")).unwrap();

    assert!(is_done(&open(&topic).land(&without).unwrap()));
    assert_eq!(fs::read_to_string(topic.join("later")).unwrap(), "x\n");

    git(&topic, &["switch", "-q", "--detach"]);
    let detached = told(land(&topic));
    assert!(detached.contains("it is on no branch"), "{detached}");
}

#[test]
fn a_base_that_is_a_remotes_or_in_a_rebase_is_left_alone() {
    let (repo, topic) = repository();
    write(&topic, "g", "new\n", "Second");
    let onto = |base: &str| {
        let base = Some(base.to_owned());
        open(&topic).land(&Landing {
            base,
            ..of(Way::Land)
        })
    };
    let main = git(repo.root(), &["rev-parse", "main"]);
    git(
        repo.root(),
        &["update-ref", "refs/remotes/origin/main", &main],
    );
    let told = refused(&repo, &topic, onto("origin/main"));
    assert!(
        told.contains("`origin/main` is no branch of this repository"),
        "{told}"
    );
    let none = refused(&repo, &topic, onto("nothing-like-it"));
    assert!(
        none.contains("no branch or commit `nothing-like-it`"),
        "{none}"
    );

    // A landing that somebody else has already is not taken back.
    land(&topic).unwrap();
    git(
        repo.root(),
        &["update-ref", "refs/remotes/origin/main", "main"],
    );
    let told = take_back(&topic, Way::Land).unwrap_err().to_string();
    assert!(told.ends_with("`origin/main` has it already"), "{told}");

    // In the middle of a rebase, a branch is on no worktree, and still not free.
    write(&topic, "f", "topic\n", "Third");
    write(repo.root(), "f", "main\n", "Fourth");
    repo.try_git(&["rebase", "topic"]);
    let told = refused(&repo, &topic, onto("main"));
    assert!(
        told.contains("`main` is being rebased in `/main`"),
        "{told}"
    );
}

#[test]
fn what_would_come_of_it_is_told_before_and_nothing_is_written() {
    let (repo, topic) = repository();
    let told = |root: &Path| open(root).outlook(None).unwrap();
    let one = |root: &Path, way: Way| told(root).into_iter().find(|one| one.way == way).unwrap();
    assert_eq!(told(&topic), [], "there is nothing to go either way");

    write(&topic, "g", "new\n", "Second");
    write(&topic, "g", "newer\n", "Third");
    write(repo.root(), "h", "here\n", "Fourth");
    let before = state(&repo, &[&topic]);
    let objects = git(repo.root(), &["count-objects", "-v"]);
    let (land_it, update_it) = (one(&topic, Way::Land), one(&topic, Way::Update));
    assert_eq!((&*land_it.from, &*land_it.into), ("topic", "main"));
    assert_eq!((&*update_it.from, &*update_it.into), ("main", "topic"));
    assert_eq!((land_it.commits, update_it.commits), (2, 1));
    assert_eq!(land_it.base_at.as_deref(), repo.root().to_str());
    assert_eq!(land_it.prospect, Prospect::Clean);
    assert_eq!(update_it.prospect, Prospect::Clean);
    assert_eq!(state(&repo, &[&topic]), before);
    assert_eq!(git(repo.root(), &["count-objects", "-v"]), objects);

    // What is not committed here stays here, and is told; an update would not begin.
    fs::write(topic.join("f"), "mine\n").unwrap();
    let land_it = one(&topic, Way::Land);
    assert_eq!(land_it.uncommitted.as_deref(), Some("`f` is not committed"));
    assert_eq!(land_it.prospect, Prospect::Clean);
    let held = Prospect::Not {
        why: "`f` is not committed".to_owned(),
    };
    assert_eq!(one(&topic, Way::Update).prospect, held);
    // There, it would be in the way.
    fs::write(repo.root().join("f"), "theirs\n").unwrap();
    let Prospect::Not { why } = one(&topic, Way::Land).prospect else {
        panic!("it would not begin");
    };
    assert!(why.ends_with("there, `f` is not committed"), "{why}");

    // Both changed the same line.
    git(repo.root(), &["commit", "-qam", "Fifth"]);
    git(&topic, &["commit", "-qam", "Sixth"]);
    let stops = Prospect::Conflicts {
        files: vec!["f".into()],
    };
    assert_eq!(one(&topic, Way::Land).prospect, stops);
    assert_eq!(one(&topic, Way::Update).prospect, stops);
    assert_eq!(told(repo.root()), [], "the base itself has none");
}
