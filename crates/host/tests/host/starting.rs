//! Finding a host, starting one, and what follows when it dies: with hosts that are processes of their own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{self, DEADLINE, gone, paths, pid, script, seen, soon};
use host::{
    ConnectError, Host, HostClient, HostError, HostEvent, HostOptions, PANES, ServeError,
    stop_running, until_told_to_end,
};
use terminal::ask::{Info, List, Open};

/// The host process of the other tests, which run it by name.
#[test]
#[ignore = "it is a host, run by other tests"]
fn host_process() {
    let Some(home) = std::env::var_os("HOST_TEST_HOME").map(PathBuf::from) else {
        return;
    };
    host::detach();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let stop = until_told_to_end().unwrap();
        let host = match Host::claim(&PANES, &paths(&home)) {
            Ok(host) => host,
            Err(ServeError::AlreadyRunning { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        // A test that is killed leaves no host behind for long.
        let options = HostOptions {
            idle_after: Duration::from_secs(2),
            started_at: u64::from(std::process::id()),
        };
        host.serve(support::panes(&home), options, stop)
            .await
            .unwrap();
    });
}

/// An executable that is asked for `host --detached`, and is this test's `host_process`.
fn program(home: &Path) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    executable(
        home,
        &format!(
            "[ \"$*\" = 'host --detached' ] || exit 9\nHOST_TEST_HOME='{}' exec '{}' --ignored --exact starting::host_process",
            home.display(),
            test.display()
        ),
    )
}

fn executable(home: &Path, body: &str) -> PathBuf {
    let path = home.join("switchyard");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

async fn stop(home: &Path) {
    stop_running(&PANES, &paths(home), DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_host_is_started_when_none_runs_and_found_again_afterwards() {
    let home = tempfile::tempdir().unwrap();
    let (exe, paths) = (program(home.path()), paths(home.path()));
    let first = HostClient::connect_or_start(&paths, &exe).await.unwrap();
    let pane = first.ask(Open(script("echo hello; cat"))).await.unwrap();
    seen(&first, pane.id, "hello").await;
    let host = first.host();
    assert_ne!(host.0, std::process::id());
    drop(first);
    let second = HostClient::connect_or_start(&paths, &exe).await.unwrap();
    assert_eq!(second.host(), host);
    seen(&second, pane.id, "hello").await;
    stop(home.path()).await;
}

#[tokio::test]
async fn of_two_that_start_a_host_at_once_both_reach_the_same() {
    let home = tempfile::tempdir().unwrap();
    let (exe, paths) = (program(home.path()), paths(home.path()));
    let clients = tokio::join!(
        HostClient::connect_or_start(&paths, &exe),
        HostClient::connect_or_start(&paths, &exe),
        HostClient::connect_or_start(&paths, &exe),
    );
    let (one, two, three) = (clients.0.unwrap(), clients.1.unwrap(), clients.2.unwrap());
    assert_eq!(one.host(), two.host());
    assert_eq!(one.host(), three.host());
    one.ask(Open(script("cat"))).await.unwrap();
    assert_eq!(two.ask(List).await.unwrap().len(), 1);
    stop(home.path()).await;
}

#[tokio::test]
async fn a_host_that_is_killed_is_missed_and_replaced() {
    let home = tempfile::tempdir().unwrap();
    let (exe, paths) = (program(home.path()), paths(home.path()));
    let client = HostClient::connect_or_start(&paths, &exe).await.unwrap();
    let mut events = client.events();
    client.ask(Open(script("cat"))).await.unwrap();
    let (former, _) = client.host();
    let pid = rustix::process::Pid::from_raw(i32::try_from(former).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    soon("the client is told", async {
        while !matches!(events.recv().await, Ok(HostEvent::Down { .. })) {}
    })
    .await;
    assert!(matches!(
        client.ask(List).await,
        Err(HostError::Down { .. })
    ));

    client.reconnect().await.unwrap();
    assert_ne!(client.host().0, former);
    assert_eq!(client.ask(List).await.unwrap(), [], "its panes are gone");
    soon("the client is told", async {
        while events.recv().await.unwrap() != (HostEvent::Up { restarted: true }) {}
    })
    .await;
    stop(home.path()).await;
}

#[tokio::test]
async fn a_host_is_in_a_session_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    let client = HostClient::connect_or_start(&paths(home.path()), &program(home.path()))
        .await
        .unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(client.host().0).unwrap()).unwrap();
    assert_eq!(rustix::process::getsid(Some(pid)).unwrap(), pid);
    stop(home.path()).await;
}

#[tokio::test]
async fn a_host_that_does_not_come_up_says_why() {
    let home = tempfile::tempdir().unwrap();
    let exe = executable(home.path(), "echo 'the disk is full' >&2\nexit 3");
    let error = HostClient::connect_or_start(&paths(home.path()), &exe)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Start { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("exit status: 3") && text.contains("the disk is full"),
        "{text}"
    );
}

#[tokio::test]
async fn a_program_that_is_missing_is_named() {
    let home = tempfile::tempdir().unwrap();
    let exe = home.path().join("gone");
    let error = HostClient::connect_or_start(&paths(home.path()), &exe)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("gone host`"), "{error}");
}

#[tokio::test]
async fn a_host_that_is_stopped_takes_its_programs_along_and_a_hangup_means_nothing_to_it() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    assert_eq!(stop_running(&PANES, &paths, DEADLINE).await.unwrap(), None);
    let client = HostClient::connect_or_start(&paths, &program(home.path()))
        .await
        .unwrap();
    let (number, _) = client.host();
    let process = rustix::process::Pid::from_raw(i32::try_from(number).unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::HUP).unwrap();
    let pane = client.ask(Open(script("cat"))).await.unwrap();
    assert_eq!(
        stop_running(&PANES, &paths, DEADLINE).await.unwrap(),
        Some(number)
    );
    gone(pid(&pane)).await;
}

#[tokio::test]
async fn a_host_that_lost_its_runtime_directory_is_found_again() {
    let serving = support::Serving::start().await;
    let pane = serving
        .client()
        .await
        .ask(Open(script("cat")))
        .await
        .unwrap();
    // What a logout does.
    std::fs::remove_dir_all(serving.paths.socket().parent().unwrap()).unwrap();
    let bin = tempfile::tempdir().unwrap();
    // What a host does that finds the lock taken.
    let exe = executable(bin.path(), "exit 0");
    let client = HostClient::connect_or_start(&serving.paths, &exe)
        .await
        .unwrap();
    assert_eq!(client.host().0, std::process::id());
    assert_eq!(client.ask(Info(pane.id)).await.unwrap().id, pane.id);
    serving.stop().await;
}

#[tokio::test]
async fn a_host_that_can_not_be_reached_is_named_as_what_is_in_the_way() {
    let home = tempfile::tempdir().unwrap();
    // Holds the lock, and never listens.
    let _claim = Host::claim(&PANES, &paths(home.path())).unwrap();
    let note = format!(
        r#"{{"pid": {}, "started_at": 1, "version": "1", "protocol": 1}}"#,
        std::process::id()
    );
    std::fs::write(home.path().join("host.json"), note).unwrap();
    let exe = executable(home.path(), "exit 0");
    let error = HostClient::connect_or_start(&paths(home.path()), &exe)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!("process {}", std::process::id())),
        "{text}"
    );
    assert!(text.contains("end that process first"), "{text}");
}
