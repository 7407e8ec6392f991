//! Which repositories the workspace holds, with real repositories and real panes.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use app::{App, AppConfig, Code, HostMode, News, Paths, RepositoryView, check_change};
use conflicts::{LineRange, ProposedChange, Severity, Status};
use tempfile::TempDir;
use terminal::OpenPane;
use terminal::ask::Close;

const DEADLINE: Duration = Duration::from_secs(60);

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(directory)
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// A repository `shop` with two more worktrees, `one` and `two`, beside it.
fn repository(dir: &Path) -> PathBuf {
    let main = dir.join("shop");
    std::fs::create_dir(&main).unwrap();
    git(&main, &["init", "-q", "-b", "main"]);
    std::fs::write(main.join("f"), "1\n2\n3\n").unwrap();
    git(&main, &["add", "-A"]);
    git(&main, &["commit", "-q", "-m", "x"]);
    for name in ["one", "two"] {
        git(
            &main,
            &["worktree", "add", "-q", "-b", name, &format!("../{name}")],
        );
    }
    main
}

async fn open(home: &TempDir) -> App {
    let paths = Paths::below(home.path());
    let host = HostMode::InProcess;
    let app = App::start(AppConfig { paths, host }).await.unwrap();
    app.watch_workspace();
    app
}

/// Waits until the list of repositories is as wanted.
async fn until(app: &App, what: &str, wanted: impl Fn(&[RepositoryView]) -> bool) {
    let mut news = app.news();
    let waiting = async {
        while !wanted(&app.list_repositories()) {
            loop {
                let happened = news.next().await.unwrap();
                if matches!(happened, News::Repositories(_)) {
                    break;
                }
            }
        }
    };
    if tokio::time::timeout(DEADLINE, waiting).await.is_err() {
        panic!("waited in vain for {what}: {:#?}", app.list_repositories());
    }
}

/// The list as a person would read it.
fn say(repositories: &[RepositoryView]) -> String {
    let mut text = String::new();
    for repository in repositories {
        let added = if repository.added { ", added" } else { "" };
        text += &format!("{}{added}\n", repository.name);
        for tree in &repository.worktrees {
            let branch = tree.branch.as_deref().unwrap_or("-");
            let agent = tree.agent.as_deref().unwrap_or("nobody");
            let (files, conflicts) = (tree.changed_files, tree.conflicts);
            text += &format!(
                "  {} on {branch}, {agent}: {files} files, {conflicts} conflicts\n",
                tree.name
            );
        }
    }
    text
}

fn whole(repositories: &[RepositoryView]) -> bool {
    repositories
        .iter()
        .any(|repository| repository.worktrees.len() == 3)
}

#[tokio::test]
async fn a_pane_brings_its_repository_with_it_and_warnings_are_counted() {
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let main = repository(place.path());
    let app = open(&home).await;
    assert!(app.list_repositories().is_empty());
    let pane = OpenPane {
        program: Some("sh".to_owned()),
        cwd: Some(place.path().join("one").display().to_string()),
        role: terminal::PaneRole::Agent,
        name: Some("claude".to_owned()),
        ..OpenPane::default()
    };
    let pane = app.open_pane(pane).await.unwrap();
    until(&app, "the repository with its agent", |all| {
        whole(all) && all[0].worktrees.iter().any(|tree| tree.agent.is_some())
    })
    .await;
    insta::assert_snapshot!(say(&app.list_repositories()), @r"
    shop
      shop on main, nobody: 0 files, 0 conflicts
      one on one, claude: 0 files, 0 conflicts
      two on two, nobody: 0 files, 0 conflicts
    ");
    for name in ["one", "two"] {
        std::fs::write(place.path().join(name).join("f"), format!("1\n{name}\n3\n")).unwrap();
    }
    until(&app, "both warnings", |all| {
        all[0]
            .worktrees
            .iter()
            .filter(|tree| tree.would_conflict == 1)
            .count()
            == 2
    })
    .await;
    insta::assert_snapshot!(say(&app.list_repositories()), @r"
    shop
      shop on main, nobody: 0 files, 0 conflicts
      one on one, claude: 1 files, 1 conflicts
      two on two, nobody: 1 files, 1 conflicts
    ");
    // The agent is gone with its pane; the repository is watched on for a while.
    app.ask(Close(pane.id)).await.unwrap();
    until(&app, "no agent", |all| {
        all[0].worktrees.iter().all(|tree| tree.agent.is_none())
    })
    .await;
    // What is taken out stays out, although a pane works there.
    let listed = app.list_repositories();
    app.remove_repository(listed[0].repository.clone())
        .await
        .unwrap();
    assert!(app.list_repositories().is_empty());
    let refused = app.remove_repository(listed[0].repository.clone()).await;
    assert_eq!(refused.unwrap_err().code, Code::BadId);
    app.shutdown().await;
    assert!(main.join("f").exists());
}

#[tokio::test]
async fn a_repository_that_was_added_is_there_after_a_restart_also_when_it_is_gone() {
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    repository(place.path());
    let app = open(&home).await;
    let refused = app
        .add_repository(home.path().to_owned())
        .await
        .unwrap_err();
    assert_eq!(refused.code, Code::BadParams);
    let added = app.add_repository(place.path().join("two")).await.unwrap();
    assert!(added.added);
    until(&app, "the worktrees", whole).await;
    app.shutdown().await;
    drop(app);

    let app = open(&home).await;
    until(&app, "the worktrees after a restart", whole).await;
    insta::assert_snapshot!(say(&app.list_repositories()), @r"
    shop, added
      shop on main, nobody: 0 files, 0 conflicts
      one on one, nobody: 0 files, 0 conflicts
      two on two, nobody: 0 files, 0 conflicts
    ");
    app.shutdown().await;
    drop(app);

    std::fs::remove_dir_all(place.path().join("shop")).unwrap();
    let app = open(&home).await;
    until(
        &app,
        "the reason",
        |all| matches!(all, [view] if matches!(view.state, app::RepositoryState::Failed { .. })),
    )
    .await;
    app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_is_answered_by_the_index_that_runs_and_by_a_look_without_one() {
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let main = repository(place.path());
    let app = open(&home).await;
    app.answer_checks();
    app.watch_repository(main).await.unwrap();
    let change = |worktree: &str| ProposedChange {
        file: "f".to_owned(),
        lines: vec![LineRange { start: 2, end: 3 }],
        worktree: place.path().join(worktree).display().to_string(),
        new_text: None,
    };
    // Announced and not on disk: only the running index can know.
    app.announce_change(change("one"), Some("ada".to_owned()))
        .await
        .unwrap();
    let check = |paths: Option<Paths>| {
        let change = change("two");
        async move {
            let asked =
                tokio::task::spawn_blocking(move || check_change(paths.as_ref(), &change, false));
            asked.await.unwrap().unwrap()
        }
    };
    let paths = app.paths().clone();
    let socket = paths.runtime().join("conflicts.sock");
    let asked = async {
        loop {
            // On a busy machine it may have been quicker to look.
            let mut answer = check(Some(paths.clone())).await;
            if let Some(touch) = answer.touches.pop() {
                return touch;
            }
        }
    };
    let touch = tokio::time::timeout(DEADLINE, asked).await.unwrap();
    assert_eq!(touch.severity, Severity::SameLine);
    assert_eq!(touch.side.status, Status::Pending);
    assert_eq!(touch.side.agent.as_deref(), Some("ada"));
    assert_eq!(check(None).await.touches, []);

    // It is as true as the disk: no notice has to arrive first.
    for text in ["one", "uno", "un"] {
        let file = place.path().join("one/f");
        std::fs::write(file, format!("1\n{text}\n3\n")).unwrap();
        let answer = check(Some(paths.clone())).await;
        assert_eq!(answer.touches[0].side.status, Status::Applied, "{text}");
        let file = place.path().join("one/f");
        std::fs::write(file, "1\n2\n3\n").unwrap();
        let answer = check(Some(paths.clone())).await;
        let applied = |touch: &conflicts::Touch| touch.side.status == Status::Applied;
        assert!(!answer.touches.iter().any(applied), "{answer:?}");
    }

    // Whatever is wrong with the one who is asked, there is an answer.
    app.shutdown().await;
    assert!(!socket.exists());
    std::fs::write(place.path().join("one/f"), "1\none\n3\n").unwrap();
    assert_eq!(
        check(Some(paths.clone())).await.severity,
        Some(Severity::SameLine)
    );
    let mute = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert_eq!(check(Some(paths)).await.severity, Some(Severity::SameLine));
    drop(mute);
}

#[tokio::test]
async fn a_look_without_a_window_knows_what_was_muted_in_one() {
    use conflicts::{ConflictFilter, Quiet, QuietAbout, QuietUntil, WorktreeId};
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let main = repository(place.path());
    for name in ["one", "two"] {
        std::fs::write(place.path().join(name).join("f"), format!("1\n{name}\n3\n")).unwrap();
    }
    let paths = Paths::below(home.path());
    let look = |quiet_too| {
        let filter = ConflictFilter {
            quiet_too,
            ..ConflictFilter::default()
        };
        let picture =
            app::look_for_conflicts(&app::watch_config(Some(&paths), &main), &main, &filter)
                .unwrap();
        (picture.verdicts.len(), picture.groups.len())
    };
    assert_eq!(look(false), (1, 1));
    assert!(!paths.database().exists(), "a look makes no database");
    let app = open(&home).await;
    let repository = app.watch_repository(main.clone()).await.unwrap().repository;
    // The whole worktree: all that it has a part in.
    let one = place.path().canonicalize().unwrap().join("one");
    let mute = Quiet {
        about: QuietAbout {
            left: Some(WorktreeId(one.display().to_string())),
            ..QuietAbout::default()
        },
        until: QuietUntil::Removed,
    };
    app.quiet_conflicts(&repository, mute).await.unwrap();
    // While the window runs, and after it.
    assert_eq!(look(false), (0, 0));
    app.shutdown().await;
    assert_eq!(look(false), (0, 0));
    assert_eq!(look(true), (1, 1));
}
