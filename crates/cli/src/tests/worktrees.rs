//! The worktrees of a repository, from the command line.

use std::fs;
use std::path::Path;

use super::changes::git;
use super::{Ran, User, run_in};

/// A repository `app` below `home`, by somebody who may commit.
fn repository(home: &Path) -> String {
    let main = home.join("app");
    fs::create_dir(&main).unwrap();
    git(&main, &["init", "-q", "-b", "main"]);
    for (name, value) in [("user.name", "you"), ("user.email", "you@example.com")] {
        git(&main, &["config", name, value]);
    }
    fs::write(main.join("list"), "one\n").unwrap();
    git(&main, &["add", "-A"]);
    git(&main, &["commit", "-q", "-m", "x"]);
    main.display().to_string()
}

fn run(home: &Path, args: &[&str]) -> Ran {
    let main = home.join("app").display().to_string();
    run_in(
        home,
        &[&["worktrees", "--repository", &main], args].concat(),
    )
}

#[test]
fn a_worktree_is_made_set_up_listed_and_renamed() {
    let home = tempfile::tempdir().unwrap();
    let home = &home.path().canonicalize().unwrap();
    let main = repository(home);
    fs::create_dir(format!("{main}/.switchyard")).unwrap();
    let set_up = format!("{main}/.switchyard/worktree.yaml");
    fs::write(
        &set_up,
        "copy: [.env, gone]\nrun:\n  - echo \"$PWD\" > made\n  - cat .env >> made\n",
    )
    .unwrap();
    fs::write(format!("{main}/.env"), "KEY=1\n").unwrap();
    insta::assert_snapshot!(run(home, &["new", "fix/login"]).shown(home), @"
    Made /home/me/app-fix-login on fix/login.
    Copied .env
    switchyard: not copied: `gone`: the main worktree has none
    [0]
    ");
    let made = fs::read_to_string(home.join("app-fix-login/made")).unwrap();
    assert_eq!(
        made,
        format!("{}\nKEY=1\n", home.join("app-fix-login").display())
    );
    assert_eq!(run(home, &["rename", "fix/login", "login"]).status, 0);
    insta::assert_snapshot!(run(home, &[]).shown(home), @"
    BRANCH  COMMITS  MERGED  HOLDS                           WORKTREE
    main             main    2 files that are not committed  /home/me/app
    login   +0 −0            2 files that are not committed  /home/me/app-fix-login
    [0]
    ");
    let listed = run(home, &["ls", "--sizes", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(listed[1]["branch"], "login");
    assert_eq!(listed[1]["holds"]["uncommitted"], 2);
    assert!(listed[1]["bytes"].as_u64().unwrap() > 0);

    // What fails says so; the worktree is there.
    fs::write(&set_up, "run: [exit 3]\n").unwrap();
    insta::assert_snapshot!(run(home, &["new", "other"]).shown(home), @"
    Made /home/me/app-other on other.
    switchyard: `exit 3` ended with exit status: 3; the worktree `/home/me/app-other` is there
    [1]
    ");
    // What can't be read is said before anything is made.
    fs::write(&set_up, "cop: [.env]\n").unwrap();
    insta::assert_snapshot!(run(home, &["new", "third"]).shown(home), @"
    switchyard: `/home/me/app/.switchyard/worktree.yaml`: line 1: unknown field `cop`, there are `copy` and `run`
    [1]
    ");
    assert!(!home.join("app-third").exists());
    assert_eq!(run(home, &["new", "third", "--no-set-up"]).status, 0);
}

#[test]
fn a_worktree_goes_when_nothing_would_be_lost_and_nobody_works_there() {
    let user = User::new();
    let home = &user.home.path().canonicalize().unwrap();
    repository(home);
    assert_eq!(run(home, &["new", "topic"]).status, 0);
    let topic = home.join("app-topic");
    fs::write(topic.join("new"), "x\n").unwrap();
    insta::assert_snapshot!(run(home, &["rm", "topic"]).shown(home), @"
    switchyard: could not remove the worktree `/home/me/app-topic`: it holds 1 file that is not committed
    [1]
    ");
    let at = topic.display().to_string();
    user.run(&["open", "--cwd", &at, "--name", "server", "--", "cat"]);
    insta::assert_snapshot!(run(home, &["rm", "topic", "--lose"]).shown(home), @"
    switchyard: could not remove the worktree `/home/me/app-topic`: there is work in it: pane 1 (server)
    [1]
    ");
    insta::assert_snapshot!(run(home, &["rm", "topic", "--close"]).shown(home), @"
    switchyard: could not remove the worktree `/home/me/app-topic`: it holds 1 file that is not committed
    [1]
    ");
    user.until("the pane runs on", &["panes"], |ran| {
        ran.out.contains("running")
    });
    let gone = run(home, &["rm", "topic", "--lose", "--close"]);
    assert!(
        gone.shown(home)
            .starts_with("Removed /home/me/app-topic.\nWhat was not committed"),
        "{}",
        gone.shown(home)
    );
    assert!(!topic.exists());
    user.until("the pane is closed", &["panes"], |ran| {
        !ran.out.contains("server")
    });
}

#[test]
fn what_is_merged_is_told_first_and_then_removed() {
    let user = User::new();
    let home = &user.home.path().canonicalize().unwrap();
    let main = repository(home);
    for branch in ["one", "two", "three", "fresh"] {
        assert_eq!(run(home, &["new", branch]).status, 0);
        if branch == "fresh" {
            continue;
        }
        let root = home.join(format!("app-{branch}"));
        fs::write(root.join(branch), "x\n").unwrap();
        git(&root, &["add", "-A"]);
        git(&root, &["commit", "-q", "-m", branch]);
    }
    git(Path::new(&main), &["merge", "-q", "--no-ff", "one"]);
    git(Path::new(&main), &["merge", "-q", "--squash", "two"]);
    git(Path::new(&main), &["commit", "-q", "-m", "two"]);
    fs::write(home.join("app-one/more"), "x\n").unwrap();
    insta::assert_snapshot!(run(home, &["prune"]).shown(home), @"
    stays    /home/me/app-one: it holds 1 file that is not committed
    merged   /home/me/app-two
    `switchyard worktrees prune --yes` removes what is merged, with its branch.
    [0]
    ");
    insta::assert_snapshot!(run(home, &["prune", "--yes"]).shown(home), @"
    stays    /home/me/app-one: it holds 1 file that is not committed
    removed  /home/me/app-two
    [0]
    ");
    insta::assert_snapshot!(run(home, &["ls"]).shown(home), @"
    BRANCH  COMMITS  MERGED  HOLDS                            WORKTREE
    main             main    2 commits that are nowhere else  /home/me/app
    fresh   +0 −3                                             /home/me/app-fresh
    one     +0 −2    yes     1 file that is not committed     /home/me/app-one
    three   +1 −3    no      1 commit that is nowhere else    /home/me/app-three
    [0]
    ");
}
