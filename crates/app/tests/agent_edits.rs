//! An edit that an agent announces is known to the index of conflicts before it is on disk.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::Path;

use agents::{AgentId, BackendId, BackendKind, Prompt};
use app::{App, AppConfig, HostMode, Paths};
use conflicts::{ConflictFilter, Severity, Status};

#[path = "../../agents/tests/support/mod.rs"]
mod support;
use support::{Daemon, soon};

fn git(directory: &Path, arguments: &[&str]) {
    let done = std::process::Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@t"])
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announced_edit_warns_before_it_is_on_disk() {
    let home = tempfile::tempdir().unwrap();
    let main = home.path().join("main");
    std::fs::create_dir_all(main.join("src")).unwrap();
    git(&main, &["init", "-q"]);
    std::fs::write(main.join("src/lib.rs"), "one\na\nthree\n").unwrap();
    git(&main, &["add", "."]);
    git(&main, &["commit", "-q", "-m", "first"]);
    git(&main, &["worktree", "add", "-q", "-b", "other", "../other"]);
    std::fs::write(main.join("src/lib.rs"), "one\nz\nthree\n").unwrap();

    let daemon = Daemon::start().await;
    let paths = Paths::below(home.path());
    paths.create().unwrap();
    let file =
        serde_json::json!({ "paseo": [{ "address": format!("127.0.0.1:{}", daemon.port) }] });
    std::fs::write(paths.agents_file(), file.to_string()).unwrap();
    let app = App::start(AppConfig {
        paths,
        host: HostMode::InProcess,
    })
    .await
    .unwrap();
    soon(app.watch_repository(main.clone())).await.unwrap();
    let mut news = app.news();
    let cwd = home.path().join("other").display().to_string();
    let id = AgentId(daemon.add_with(|agent| {
        agent["cwd"] = serde_json::json!(cwd);
        agent["title"] = serde_json::json!("Replace a");
    }));
    let at = BackendId::new(BackendKind::Paseo, &format!("127.0.0.1:{}", daemon.port));
    soon(app.find_agent(Some(&at), &id.0)).await.unwrap();
    // It says that it replaces `a` in src/lib.rs, and does not do it.
    let turn = soon(app.prompt_agent(&at, &id, Prompt::new("EDIT")))
        .await
        .unwrap();
    let verdict = soon(async {
        loop {
            let verdicts = app.conflicts(ConflictFilter::default()).await.unwrap();
            if let [verdict] = verdicts.as_slice() {
                return verdict.clone();
            }
            news.next().await.expect("something is told");
        }
    })
    .await;
    assert_eq!(verdict.severity, Severity::SameLine);
    let sides = [&verdict.left, &verdict.right];
    let pending: Vec<_> = sides
        .iter()
        .filter(|side| side.status == Status::Pending)
        .collect();
    assert_eq!(pending.len(), 1, "{verdict:?}");
    assert_eq!(pending[0].agent.as_deref(), Some("Replace a"));
    soon(turn.result()).await;
    soon(app.shutdown()).await;
}
