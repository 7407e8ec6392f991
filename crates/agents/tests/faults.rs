//! What goes wrong between this room and a daemon, stage by stage; nothing hangs, and nobody else notices.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agents::{
    AgentBackend, AgentError, AgentEvent, AgentId, Agents, AgentsConfig, AgentsEvent, Health,
    ListAgents, MemorySessions, NewAgent, Outcome, Paseo, PaseoConfig, PasswordRef, Prompt,
    SessionStatus, Transport, Turn,
};
use clock::Clock;
use support::{Daemon, program, soon};

fn id(text: &str) -> AgentId {
    AgentId(text.into())
}

fn registry() -> Agents {
    Agents::new(
        AgentsConfig {
            tick: Duration::from_millis(50),
            patience: Duration::from_secs(2),
            ..AgentsConfig::default()
        },
        Arc::new(MemorySessions::default()),
        Clock::new(|| 1_000),
    )
}

async fn until_text(turn: &mut Turn) {
    loop {
        match soon(turn.next()).await {
            Some(AgentEvent::Text { .. }) => return,
            Some(_) => {}
            None => panic!("the turn ended without a word"),
        }
    }
}

/// Begins a turn that says something and goes on, does `fault` to the daemon, and says why the turn failed; with what is
/// left of the daemon.
async fn failed_by<T>(
    daemon: Daemon,
    paseo: &Paseo,
    fault: impl AsyncFnOnce(Daemon) -> T,
) -> (String, T) {
    let agent = id(&daemon.add("a"));
    let mut turn = soon(paseo.prompt(&agent, Prompt::new("SLEEP")))
        .await
        .unwrap();
    until_text(&mut turn).await;
    let left = fault(daemon).await;
    match soon(turn.result()).await.outcome {
        Outcome::Failed { message } => (message, left),
        other => panic!("it did not fail: {other:?}"),
    }
}

async fn restarted(daemon: Daemon) -> Daemon {
    daemon.restart();
    daemon
}

async fn restarted_awake(daemon: Daemon) -> Daemon {
    daemon.restart_awake();
    daemon
}

async fn list_error(daemon: &Daemon, program: &Path) -> String {
    let paseo = daemon.client(Transport::Program, program);
    soon(paseo.list(ListAgents::default()))
        .await
        .unwrap_err()
        .to_string()
}

#[tokio::test]
async fn without_a_paseo_program_the_reason_says_what_to_do() {
    let daemon = Daemon::start().await;
    let error = list_error(&daemon, Path::new("paseo-that-nobody-has")).await;
    insta::assert_snapshot!(error, @"could not start `paseo-that-nobody-has`: it is not on the PATH; install it, or say in the settings where it is");
}

#[tokio::test]
async fn what_a_program_prints_is_judged_and_its_exit_and_text_are_kept() {
    let daemon = Daemon::start().await;
    let dir = tempfile::tempdir().unwrap();
    let mut errors = Vec::new();
    for name in [
        "paseo-garbage",
        "paseo-half",
        "paseo-empty",
        "paseo-exit3",
        "paseo-exit3-text",
    ] {
        errors.push(list_error(&daemon, &program(dir.path(), name)).await);
    }
    insta::assert_debug_snapshot!(errors, @r#"
    [
        "the answer to `paseo ls` could not be read: it is not JSON: `Segmentation fault (core dumped)\n\u{1b}[31mred\u{1b}[0m`",
        "the answer to `paseo ls` could not be read: it is not JSON: `[\n  {\n    \"id\": \"3c27bbe3-53a0-4bef-8afe-`",
        "the answer to `paseo ls` could not be read: it is not JSON: ``",
        "`paseo ls` ended with exit status 3",
        "`paseo ls` ended with exit status 3: TypeError: cannot read properties of undefined\n    at tcp://h:1?password=…",
    ]
    "#);
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let daemon = Daemon::start().await;
    let dir = tempfile::tempdir().unwrap();
    let hangs = program(dir.path(), "paseo-hang");
    let mut config = daemon.config(Transport::Program, &hangs);
    config.deadlines.program = Duration::from_millis(500);
    let paseo = Paseo::new(config);
    let error = soon(paseo.stop(&id("00000000-dead-4eef-8000-000000000000")))
        .await
        .unwrap_err();
    assert!(matches!(error, AgentError::Timeout { .. }), "{error}");
    let child = std::fs::read_to_string(hangs.with_extension("child"))
        .or_else(|_| std::fs::read_to_string(format!("{}.child", hangs.display())));
    let child: i32 = child.unwrap().trim().parse().unwrap();
    let gone = async {
        // A zombie may be waited for by init; what counts is that it does not run.
        while std::fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| {
            !stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .trim_start()
                .starts_with('Z')
        }) {
            tokio::task::yield_now().await;
        }
    };
    soon(gone).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_its_program() {
    let daemon = Daemon::start().await;
    let dir = tempfile::tempdir().unwrap();
    let hangs = program(dir.path(), "paseo-hang");
    let paseo = daemon.client(Transport::Program, &hangs);
    let note = format!("{}.child", hangs.display());
    let listing = tokio::spawn(async move { paseo.list(ListAgents::default()).await });
    let child = soon(async {
        loop {
            match std::fs::read_to_string(&note)
                .ok()
                .and_then(|text| text.trim().parse::<i32>().ok())
            {
                Some(child) => return child,
                None => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    listing.abort();
    soon(async {
        while std::fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| {
            !stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .trim_start()
                .starts_with('Z')
        }) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_socket_that_hangs_at_any_stage_is_given_up() {
    let daemon = Daemon::start().await;
    let agent = id(&daemon.add("a"));
    daemon.faults(|faults| faults.silent = true);
    let paseo = daemon.client(Transport::Socket, Path::new("none"));
    let error = soon(paseo.list(ListAgents::default())).await.unwrap_err();
    assert!(
        error.to_string().contains("said nothing for 0.4 s"),
        "{error}"
    );
    assert!(matches!(soon(paseo.check()).await, Health::Down { .. }));

    daemon.faults(|faults| {
        faults.silent = false;
        faults.no_greeting = true;
    });
    let error = soon(paseo.list(ListAgents::default())).await.unwrap_err();
    assert!(matches!(error, AgentError::Unreachable { .. }), "{error}");

    daemon.faults(|faults| faults.no_greeting = false);
    soon(paseo.list(ListAgents::default())).await.unwrap();
    for (request, call) in [
        ("fetch_agents_request", 0),
        ("fetch_agent_request", 1),
        ("archive_agent_request", 2),
        ("fetch_agent_timeline_request", 3),
    ] {
        daemon.faults(|faults| faults.mute = [request.to_owned()].into());
        let error = match call {
            0 => soon(paseo.list(ListAgents::default())).await.unwrap_err(),
            1 => soon(paseo.inspect(&agent.0)).await.unwrap_err(),
            2 => soon(paseo.close(&agent, false)).await.unwrap_err(),
            _ => soon(paseo.timeline(&agent)).await.unwrap_err(),
        };
        assert!(
            matches!(error, AgentError::Timeout { .. }),
            "{request}: {error}"
        );
    }
    daemon.faults(|faults| faults.mute = ["send_agent_message_request".to_owned()].into());
    let error = soon(paseo.prompt(&agent, Prompt::new("hi")))
        .await
        .unwrap_err();
    assert!(matches!(error, AgentError::Timeout { .. }), "{error}");
    assert!(!paseo.busy());
    // A cancel that is never answered ends the turn all the same.
    daemon.faults(|faults| faults.mute = ["cancel_agent_request".to_owned()].into());
    let turn = soon(paseo.prompt(&agent, Prompt::new("HANG")))
        .await
        .unwrap();
    turn.canceller().cancel();
    assert_eq!(soon(turn.result()).await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn an_agent_of_which_nothing_is_heard_is_stopped() {
    let daemon = Daemon::start().await;
    let agent = id(&daemon.add("a"));
    let mut config = daemon.config(Transport::Socket, Path::new("none"));
    config.deadlines.silent_turn = Duration::from_millis(150);
    let paseo = Paseo::new(config);
    let turn = soon(paseo.prompt(&agent, Prompt::new("HANG")))
        .await
        .unwrap();
    let Outcome::Failed { message } = soon(turn.result()).await.outcome else {
        panic!("it did not fail");
    };
    assert!(message.contains("nothing was heard"), "{message}");
    assert_eq!(daemon.status(&agent.0), "idle");
}

#[tokio::test]
async fn frames_that_are_no_messages_are_passed_over() {
    let daemon = Daemon::start().await;
    let agent = id(&daemon.add("a"));
    daemon.faults(|faults| faults.garbage = true);
    let paseo = daemon.client(Transport::Socket, Path::new("none"));
    let turn = soon(paseo.prompt(&agent, Prompt::new("hi"))).await.unwrap();
    assert_eq!(soon(turn.result()).await.answer, "The answer is 42.");
}

#[tokio::test]
async fn a_socket_that_is_not_understood_is_replaced_by_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start().await;
    daemon.add("a");
    daemon.faults(|faults| faults.close = Some((4003, "Incompatible protocol version")));
    let only_socket = daemon.client(Transport::Socket, Path::new("none"));
    let error = soon(only_socket.list(ListAgents::default()))
        .await
        .unwrap_err();
    let error = error.to_string().replace(&daemon.port.to_string(), "PORT");
    insta::assert_snapshot!(error, @"`127.0.0.1:PORT` is not understood: Incompatible protocol version (4003)");

    // Without a program, the socket's own reason stays.
    let no_program = daemon.client(Transport::Auto, Path::new("none"));
    let error = soon(no_program.list(ListAgents::default()))
        .await
        .unwrap_err();
    assert!(matches!(error, AgentError::Protocol { .. }), "{error}");

    let auto = daemon.client(Transport::Auto, &program(dir.path(), "paseo"));
    assert_eq!(auto.transport(), "socket");
    // The stand-in program speaks the socket's protocol itself, so it fails as the real one would
    // at a daemon that refuses; what counts is that it was asked.
    let _ = soon(auto.list(ListAgents::default())).await;
    assert_eq!(auto.transport(), "program");
    daemon.faults(|faults| faults.close = None);
    assert_eq!(
        soon(auto.list(ListAgents::default())).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn something_else_that_listens_there_is_named_as_such() {
    let daemon = Daemon::start().await;
    daemon.faults(|faults| faults.plain_http = true);
    let paseo = daemon.client(Transport::Socket, Path::new("none"));
    let error = soon(paseo.list(ListAgents::default())).await.unwrap_err();
    assert!(
        error.to_string().contains("not as a Paseo daemon"),
        "{error}"
    );
    daemon.faults(|faults| faults.health = Some("404 Not Found"));
    let Health::Down { reason } = soon(paseo.check()).await else {
        panic!("it is no daemon");
    };
    assert!(reason.contains("404"), "{reason}");
}

/// The password is read from a variable; this one is set by nobody else.
fn password_in(daemon: &Daemon, transport: Transport, program: &Path, variable: &str) -> Paseo {
    Paseo::new(PaseoConfig {
        password: Some(PasswordRef::Environment {
            name: variable.into(),
        }),
        ..daemon.config(transport, program)
    })
}

#[tokio::test]
async fn passwords_are_checked_and_never_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let paseo = program(dir.path(), "paseo");
    // Cargo sets these two for every test: one is the right password, one is wrong.
    let right = std::env::var("CARGO_PKG_NAME").unwrap();
    let daemon = Daemon::start().await.with_password(&right);
    for transport in [Transport::Socket, Transport::Program] {
        let none = daemon.client(transport, &paseo);
        let error = soon(none.list(ListAgents::default())).await.unwrap_err();
        assert!(
            matches!(&error, AgentError::Password { reason, .. } if reason == "Password required"),
            "{transport:?}: {error:?}"
        );

        let wrong = password_in(&daemon, transport, &paseo, "CARGO_PKG_VERSION");
        let error = soon(wrong.list(ListAgents::default())).await.unwrap_err();
        assert!(
            matches!(&error, AgentError::Password { reason, .. } if reason == "Incorrect password"),
            "{transport:?}: {error:?}"
        );
        let shown = format!(
            "{error} {error:?} {wrong:?} {:?}",
            soon(wrong.check()).await
        );
        assert!(!shown.contains("password=0"), "{shown}");
        assert!(!shown.contains(env!("CARGO_PKG_VERSION")), "{shown}");

        let fine = password_in(&daemon, transport, &paseo, "CARGO_PKG_NAME");
        soon(fine.list(ListAgents::default())).await.unwrap();
    }
    // Without the variable, the reference is named.
    let unset = password_in(
        &daemon,
        Transport::Socket,
        &paseo,
        "SWITCHYARD_NO_SUCH_PASSWORD",
    );
    let error = soon(unset.list(ListAgents::default())).await.unwrap_err();
    assert!(matches!(error, AgentError::Secret { .. }), "{error}");
    // One that can't travel is refused before anything is sent.
    let impossible = password_in(&daemon, Transport::Socket, &paseo, "CARGO_MANIFEST_DIR");
    let error = soon(impossible.list(ListAgents::default()))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("can't be sent"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_in_mid_turn_loses_nothing() {
    let daemon = Daemon::start().await;
    let agent = id(&daemon.add("a"));
    let paseo = daemon.client(Transport::Socket, Path::new("none"));
    let mut turn = soon(paseo.prompt(&agent, Prompt::new("SLOW")))
        .await
        .unwrap();
    until_text(&mut turn).await;
    daemon.cut_connections();
    let result = soon(turn.result()).await;
    assert_eq!(result.outcome, Outcome::Completed);
    let ticks: String = (1..=10).map(|tick| format!("tick {tick}\n")).collect();
    assert_eq!(result.text, ticks, "each piece once, in order");
}

#[tokio::test]
async fn a_daemon_that_restarts_in_mid_turn_fails_the_turn_and_is_found_again() {
    let daemon = Daemon::start().await;
    let paseo = daemon.client(Transport::Socket, Path::new("none"));
    let (message, _daemon) = failed_by(daemon, &paseo, restarted).await;
    assert_eq!(
        message,
        "the daemon was restarted in mid-turn, and the turn was cut off"
    );
    let listed = soon(paseo.list(ListAgents::default())).await.unwrap();
    let turn = soon(paseo.prompt(&listed[0].id, Prompt::new("again")))
        .await
        .unwrap();
    assert_eq!(soon(turn.result()).await.outcome, Outcome::Completed);
}

#[tokio::test]
async fn a_turn_that_was_cut_off_is_no_success_however_its_agent_looks_afterwards() {
    let daemon = Daemon::start().await;
    let paseo = daemon.client(Transport::Socket, Path::new("none"));
    let (message, _daemon) = failed_by(daemon, &paseo, restarted_awake).await;
    assert_eq!(
        message,
        "the daemon was restarted in mid-turn, and the turn was cut off"
    );
}

#[tokio::test]
async fn over_the_program_a_turn_that_was_cut_off_is_no_success_either() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start().await;
    // It connects again, and then says of the idle agent that it has completed.
    let paseo = daemon.client(Transport::Program, &program(dir.path(), "paseo-reconnects"));
    let (message, _daemon) = failed_by(daemon, &paseo, restarted_awake).await;
    assert!(
        message.contains("the connection was lost in mid-turn"),
        "{message}"
    );
}

#[tokio::test]
async fn a_daemon_that_goes_away_for_good_fails_the_turn() {
    let daemon = Daemon::start().await;
    let mut config = daemon.config(Transport::Socket, Path::new("none"));
    config.deadlines.reconnect = Duration::from_millis(200);
    let paseo = Paseo::new(config);
    let (message, _stopped) = failed_by(daemon, &paseo, Daemon::stop).await;
    assert!(message.contains("lost in mid-turn"), "{message}");
}

#[tokio::test]
async fn more_agents_than_a_page_holds_are_listed_all() {
    let daemon = Daemon::start().await;
    for number in 0..450 {
        daemon.add(&format!("bulk {number:03}"));
    }
    let paseo = daemon.client(Transport::Socket, Path::new("none"));
    assert_eq!(
        soon(paseo.list(ListAgents::default())).await.unwrap().len(),
        450
    );
}

#[tokio::test]
async fn several_hosts_each_have_their_own_health_and_a_hanging_one_delays_nobody() {
    let (good, hanging, down) = (
        Daemon::start().await,
        Daemon::start().await,
        Daemon::start().await,
    );
    good.add("the good one");
    hanging.faults(|faults| faults.silent = true);
    let agents = registry();
    let mut events = agents.events();
    for daemon in [&good, &hanging, &down] {
        agents.add(Arc::new(
            daemon.client(Transport::Socket, Path::new("none")),
        ));
    }
    let down_address = down.address();
    let _stopped = down.stop().await;
    let listed = soon(agents.list(ListAgents::default())).await;
    assert_eq!(listed.len(), 3);
    for host in &listed {
        if host.backend.id.name() == good.address().to_string() {
            assert_eq!(host.agents.len(), 1);
            assert_eq!(host.error, None);
        } else {
            assert!(
                host.error
                    .as_ref()
                    .is_some_and(|error| !error.contains('\n')),
                "{host:?}"
            );
        }
    }
    // The tick finds the host that went down, and says so by an event.
    let told = soon(async {
        loop {
            if let Ok(AgentsEvent::Backend { backend }) = events.recv().await
                && backend.id.name() == down_address.to_string()
                && matches!(backend.health, Health::Down { .. })
            {
                return backend;
            }
        }
    })
    .await;
    assert_eq!(told.kind, agents::BackendKind::Paseo);
    // While one hangs, the good one answers at once: many calls, one hanging call.
    let hangs = tokio::spawn({
        let agents = agents.clone();
        async move { agents.list(ListAgents::default()).await }
    });
    let at = agents::BackendId::new(agents::BackendKind::Paseo, &good.address().to_string());
    let backend = agents.backend(&at).unwrap();
    for _ in 0..20 {
        soon(backend.list(ListAgents::default())).await.unwrap();
    }
    soon(hangs).await.unwrap();
    agents.shutdown().await;
}

#[tokio::test]
async fn news_of_a_host_reach_the_window_whoever_caused_them() {
    let daemon = Daemon::start().await;
    let agent = id(&daemon.add("a"));
    let agents = registry();
    let watching = daemon.client(Transport::Socket, Path::new("none"));
    agents.add(Arc::new(watching.clone()));
    let mut events = agents.events();
    assert_eq!(soon(watching.watch()).await.unwrap().len(), 1);
    // Someone else talks to it.
    let other = daemon.client(Transport::Socket, Path::new("none"));
    let turn = soon(other.prompt(&agent, Prompt::new("EDIT")))
        .await
        .unwrap();
    soon(turn.result()).await;
    let mut seen = (false, false, false);
    soon(async {
        while seen != (true, true, true) {
            match events.recv().await.unwrap() {
                AgentsEvent::Changed { .. } => seen.0 = true,
                AgentsEvent::Edit { cwd, path, .. } => {
                    assert_eq!(
                        (cwd.as_str(), path.as_str()),
                        ("/srv/demo/work/a", "src/lib.rs")
                    );
                    seen.1 = true;
                }
                AgentsEvent::Conversation {
                    happened: AgentEvent::Ended { .. },
                    ..
                } => seen.2 = true,
                _ => {}
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_is_found_again_until_it_is_archived_or_gone() {
    let daemon = Daemon::start().await;
    let agents = registry();
    let paseo = daemon.client(Transport::Socket, Path::new("none"));
    let at = AgentBackend::id(&paseo).clone();
    agents.add(Arc::new(paseo));
    let new = NewAgent {
        provider: "fake".into(),
        cwd: "/srv/demo/work/a".into(),
        ..NewAgent::default()
    };
    let first = soon(agents.ensure("run:1", "plan", &at, new.clone()))
        .await
        .unwrap();
    let again = soon(agents.ensure("run:1", "plan", &at, new.clone()))
        .await
        .unwrap();
    assert_eq!(first.id, again.id);
    let other = soon(agents.ensure("run:1", "fix", &at, new.clone()))
        .await
        .unwrap();
    assert_ne!(first.id, other.id);
    soon(agents.archive(&at, &first.id, false)).await.unwrap();
    assert_eq!(
        soon(agents.row("run:1", "plan"))
            .await
            .unwrap()
            .unwrap()
            .status,
        SessionStatus::Closed
    );
    let fresh = soon(agents.ensure("run:1", "plan", &at, new.clone()))
        .await
        .unwrap();
    assert_ne!(first.id, fresh.id);
    // A host that is down does not lose the session.
    let stopped = daemon.stop().await;
    soon(agents.ensure("run:1", "plan", &at, new.clone()))
        .await
        .unwrap_err();
    let _daemon = stopped.start().await;
    assert_eq!(
        soon(agents.ensure("run:1", "plan", &at, new))
            .await
            .unwrap()
            .id,
        fresh.id
    );
}

#[tokio::test]
async fn a_busy_backend_is_not_removed() {
    let daemon = Daemon::start().await;
    let agent = id(&daemon.add("a"));
    let agents = registry();
    let paseo = daemon.client(Transport::Socket, Path::new("none"));
    let at = AgentBackend::id(&paseo).clone();
    agents.add(Arc::new(paseo));
    let turn = soon(agents.prompt(&at, &agent, Prompt::new("SLEEP")))
        .await
        .unwrap();
    assert!(matches!(
        soon(agents.remove(&at)).await.unwrap_err(),
        AgentError::Refused { .. }
    ));
    turn.canceller().cancel();
    soon(turn.result()).await;
    soon(async {
        while agents.backends()[0].busy {
            tokio::task::yield_now().await;
        }
    })
    .await;
    soon(agents.remove(&at)).await.unwrap();
    assert!(agents.backends().is_empty());
}

#[tokio::test]
async fn an_agent_is_found_on_whichever_host_has_it() {
    let (one, two) = (Daemon::start().await, Daemon::start().await);
    one.add_with(|agent| agent["id"] = "aaaa1111-0000-4000-8000-000000000000".into());
    two.add_with(|agent| agent["id"] = "aaaa2222-0000-4000-8000-000000000000".into());
    let agents = registry();
    for daemon in [&one, &two] {
        agents.add(Arc::new(
            daemon.client(Transport::Socket, Path::new("none")),
        ));
    }
    let found = soon(agents.find("aaaa2")).await.unwrap();
    assert_eq!(found.backend.name(), two.address().to_string());
    assert!(matches!(
        soon(agents.find("aaaa")).await.unwrap_err(),
        AgentError::Ambiguous { .. }
    ));
    assert!(matches!(
        soon(agents.find("cccc")).await.unwrap_err(),
        AgentError::UnknownAgent { .. }
    ));
}
