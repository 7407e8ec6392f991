//! One contract, run over both transports: the same results and the same errors.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use agents::{
    AgentBackend, AgentError, AgentEvent, AgentId, AgentStatus, Health, ImportSession, ListAgents,
    Outcome, PermissionAnswer, Prompt, ToolStatus, Transport, Turn,
};
use support::{Daemon, program, soon};

/// Runs `check` over the socket and over the program, each with a daemon of its own.
macro_rules! over_both {
    ($($(#[$doc:meta])* async fn $name:ident($daemon:ident: Daemon, $paseo:ident: Paseo) $body:block)*) => {
        mod over_the_socket {
            use super::*;
            $($(#[$doc])* #[tokio::test] async fn $name() {
                let $daemon = Daemon::start().await;
                let $paseo = $daemon.client(Transport::Socket, Path::new("/nonexistent/paseo"));
                $body
            })*
        }
        mod over_the_program {
            use super::*;
            $($(#[$doc])* #[tokio::test] async fn $name() {
                let dir = tempfile::tempdir().unwrap();
                let $daemon = Daemon::start().await;
                let $paseo = $daemon.client(Transport::Program, &program(dir.path(), "paseo"));
                $body
            })*
        }
        mod over_a_later_program {
            use super::*;
            $($(#[$doc])* #[tokio::test] async fn $name() {
                let dir = tempfile::tempdir().unwrap();
                let $daemon = Daemon::start().await;
                let $paseo = $daemon.client(Transport::Program, &program(dir.path(), "paseo-later"));
                $body
            })*
        }
    };
}

fn id(text: &str) -> AgentId {
    AgentId(text.into())
}

const NOBODY: &str = "00000000-dead-4eef-8000-000000000000";

/// Reads until the agent asks, and returns the request's id.
async fn until_asked(turn: &mut Turn) -> String {
    loop {
        match turn.next().await {
            Some(AgentEvent::Permission { request }) => return request.id,
            Some(_) => {}
            None => panic!("it never asked"),
        }
    }
}

over_both! {
    async fn agents_are_listed_and_looked_at(daemon: Daemon, paseo: Paseo) {
        let first = daemon.add("First agent");
        daemon.add_with(|agent| {
            agent["title"] = "Second".into();
            agent["labels"] = serde_json::json!({"team": "red"});
            agent["status"] = "error".into();
        });
        let agents = soon(paseo.list(ListAgents::default())).await.unwrap();
        let shown: Vec<_> = agents
            .iter()
            .map(|agent| format!("{:?} {} {} {:?} {}", agent.title, agent.status.word(), agent.provider, agent.model, agent.cwd))
            .collect();
        insta::allow_duplicates! {
            insta::assert_debug_snapshot!(shown, @r#"
            [
                "Some(\"Second\") failed fake Some(\"fake-1\") /srv/demo/work/a",
                "Some(\"First agent\") idle fake Some(\"fake-1\") /srv/demo/work/a",
            ]
            "#);
        }
        let red = ListAgents { labels: BTreeMap::from([("team".into(), "red".into())]), archived: false };
        assert_eq!(soon(paseo.list(red)).await.unwrap().len(), 1);
        let one = soon(paseo.inspect(&first)).await.unwrap();
        assert_eq!(one.title.as_deref(), Some("First agent"));
        assert_eq!(one.id.0, first);
    }

    async fn a_prefix_is_enough_when_only_one_agent_has_it(daemon: Daemon, paseo: Paseo) {
        daemon.add_with(|agent| agent["id"] = "aaaa1111-0000-4000-8000-000000000000".into());
        daemon.add_with(|agent| agent["id"] = "aaaa2222-0000-4000-8000-000000000000".into());
        assert_eq!(soon(paseo.inspect("aaaa1")).await.unwrap().id.0, "aaaa1111-0000-4000-8000-000000000000");
        let error = soon(paseo.inspect("aaaa")).await.unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(error, @"`aaaa` names more than one agent: aaaa1111-0000-4000-8000-000000000000, aaaa2222-0000-4000-8000-000000000000");
        }
        assert_eq!(soon(paseo.inspect("bbbb")).await.unwrap_err(), AgentError::UnknownAgent { agent: "bbbb".into() });
        assert!(matches!(soon(paseo.inspect(" ")).await.unwrap_err(), AgentError::BadRequest { ref field, .. } if field == "agent"));
    }

    async fn an_unknown_id_is_unknown_to_every_request(daemon: Daemon, paseo: Paseo) {
        let _daemon = daemon;
        let nobody = id(NOBODY);
        let unknown = AgentError::UnknownAgent { agent: NOBODY.into() };
        assert_eq!(soon(paseo.inspect(NOBODY)).await.unwrap_err(), unknown);
        assert_eq!(soon(paseo.prompt(&nobody, Prompt::new("hi"))).await.unwrap_err(), unknown);
        assert_eq!(soon(paseo.stop(&nobody)).await.unwrap_err(), unknown);
        assert_eq!(soon(paseo.close(&nobody, false)).await.unwrap_err(), unknown);
    }

    async fn a_prompt_streams_its_answer_and_ends(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let mut turn = soon(paseo.prompt(&agent, Prompt::new("hello"))).await.unwrap();
        let mut seen = Vec::new();
        while let Some(event) = soon(turn.next()).await {
            seen.push(event);
        }
        let result = turn.so_far();
        assert_eq!(result.outcome, Outcome::Completed);
        assert_eq!(result.answer, "The answer is 42.");
        assert!(result.text.starts_with("ECHO 5 bytes\nFirst I will read a file.\n"), "{:?}", result.text);
        assert!(seen.contains(&AgentEvent::Prompt { text: "hello".into() }), "{seen:?}");
        let reasoned = seen.iter().any(|event| matches!(event, AgentEvent::Reasoning { text } if text.starts_with("Let me think")));
        assert!(reasoned, "{seen:?}");
        let read = seen.iter().any(|event| matches!(event, AgentEvent::Tool { call } if call.name == "read" && call.status == ToolStatus::Completed));
        assert!(read, "{seen:?}");
        assert_eq!(seen.last(), Some(&AgentEvent::Ended { outcome: Outcome::Completed }));
        assert!(!paseo.busy());
    }

    async fn prompts_of_any_size_and_content_arrive_as_they_are(daemon: Daemon, paseo: Paseo) {
        let agent = daemon.add("a");
        let big = "a line of a long prompt 🚀\n".repeat(8_000);
        let prompts = ["--help", "-n flag-like", "-- starts with dashes", "two\nlines and 'quotes' \"and\" $HOME `id`", "日本語 🚀", big.trim_end()];
        for prompt in prompts {
            let turn = soon(paseo.prompt(&id(&agent), Prompt::new(prompt))).await.unwrap();
            assert_eq!(soon(turn.result()).await.outcome, Outcome::Completed);
        }
        assert_eq!(daemon.prompts(&agent), prompts);
        for blank in ["", "  \n "] {
            let error = soon(paseo.prompt(&id(&agent), Prompt::new(blank))).await.unwrap_err();
            assert!(matches!(error, AgentError::BadRequest { ref field, .. } if field == "prompt"), "{error}");
        }
    }

    async fn a_turn_that_fails_says_so(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let turn = soon(paseo.prompt(&agent, Prompt::new("FAIL please"))).await.unwrap();
        let result = soon(turn.result()).await;
        assert_eq!(result.outcome, Outcome::Failed { message: "the agent reported an error without a readable text".into() });
        let turn = soon(paseo.prompt(&agent, Prompt::new("CRASH"))).await.unwrap();
        assert_eq!(
            soon(turn.result()).await.outcome,
            Outcome::Failed { message: "ACP agent exited unexpectedly (3)".into() }
        );
        assert_eq!(soon(paseo.inspect(&agent.0)).await.unwrap().status, AgentStatus::Failed);
    }

    async fn a_turn_is_cancelled_at_the_daemon_too(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let mut turn = soon(paseo.prompt(&agent, Prompt::new("SLEEP"))).await.unwrap();
        loop {
            if let Some(AgentEvent::Text { .. }) = soon(turn.next()).await {
                break;
            }
        }
        assert!(paseo.busy());
        turn.canceller().cancel();
        assert_eq!(soon(turn.result()).await.outcome, Outcome::Cancelled);
        assert_eq!(daemon.status(&agent.0), "idle");
    }

    async fn a_timeout_really_stops_the_agent(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let prompt = Prompt { timeout_ms: Some(1), ..Prompt::new("SLEEP") };
        let turn = soon(paseo.prompt(&agent, prompt)).await.unwrap();
        assert_eq!(soon(turn.result()).await.outcome, Outcome::TimedOut);
        assert_ne!(daemon.status(&agent.0), "running");
    }

    async fn a_running_agent_is_not_prompted_without_being_told_to(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let mut first = soon(paseo.prompt(&agent, Prompt::new("SLEEP first"))).await.unwrap();
        loop {
            if let Some(AgentEvent::Text { .. }) = soon(first.next()).await {
                break;
            }
        }
        let busy = AgentError::Busy { agent: agent.clone() };
        assert_eq!(soon(paseo.prompt(&agent, Prompt::new("second"))).await.unwrap_err(), busy);
        assert_eq!(soon(paseo.close(&agent, false)).await.unwrap_err(), busy);
        let second = Prompt { replace: true, ..Prompt::new("second") };
        let second = soon(paseo.prompt(&agent, second)).await.unwrap();
        let result = soon(second.result()).await;
        assert_eq!(result.outcome, Outcome::Completed, "the end of the first turn is not taken for the second's");
        assert_eq!(result.answer, "The answer is 42.");
        assert_eq!(daemon.prompts(&agent.0), ["SLEEP first", "second"]);
    }

    async fn a_running_agent_is_stopped_and_an_idle_one_was_not_running(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        assert!(!soon(paseo.stop(&agent)).await.unwrap());
        let mut turn = soon(paseo.prompt(&agent, Prompt::new("SLEEP"))).await.unwrap();
        loop {
            if let Some(AgentEvent::Text { .. }) = soon(turn.next()).await {
                break;
            }
        }
        assert!(soon(paseo.stop(&agent)).await.unwrap());
        assert_eq!(daemon.status(&agent.0), "idle");
        // The program says `completed` of a turn that someone stopped; the socket knows better.
        assert!(matches!(soon(turn.result()).await.outcome, Outcome::Cancelled | Outcome::Completed));
    }

    async fn a_permission_is_answered_and_the_turn_goes_on(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let answers = [
            (PermissionAnswer::Allow, "opt-allow"),
            (PermissionAnswer::Deny { message: Some("-not today".into()), interrupt: false }, "opt-reject"),
        ];
        for (answer, option) in answers {
            let mut turn = soon(paseo.prompt(&agent, Prompt::new("PERMIT"))).await.unwrap();
            let asked = soon(until_asked(&mut turn)).await;
            let listed = soon(paseo.list(ListAgents::default())).await.unwrap();
            assert_eq!(listed[0].status, AgentStatus::NeedsYou);
            assert_eq!(listed[0].permissions[0].tool, "execute");
            soon(paseo.answer(&agent, &asked, answer)).await.unwrap();
            let result = soon(turn.result()).await;
            assert_eq!(result.outcome, Outcome::Completed);
            assert!(result.text.contains(option), "{:?}", result.text);
        }
    }

    async fn a_permission_that_someone_else_answered_is_gone(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let mut turn = soon(paseo.prompt(&agent, Prompt::new("PERMIT"))).await.unwrap();
        let asked = soon(until_asked(&mut turn)).await;
        daemon.answer_elsewhere(&agent.0);
        let gone = AgentError::PermissionGone { permission: asked.clone() };
        assert_eq!(soon(paseo.answer(&agent, &asked, PermissionAnswer::Allow)).await.unwrap_err(), gone);
        assert_eq!(soon(turn.result()).await.outcome, Outcome::Completed);
    }

    async fn a_caller_may_leave_when_a_permission_is_asked(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let prompt = Prompt { stop_at_permission: true, ..Prompt::new("PERMIT") };
        let turn = soon(paseo.prompt(&agent, prompt)).await.unwrap();
        assert_eq!(soon(turn.result()).await.outcome, Outcome::NeedsPermission);
        assert_eq!(daemon.status(&agent.0), "running");
    }

    async fn an_agent_is_archived_once(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let archived = soon(paseo.close(&agent, false)).await.unwrap();
        assert!(!archived.already);
        let again = soon(paseo.close(&agent, false)).await.unwrap();
        assert!(again.already);
        assert_eq!(again.at, archived.at);
        assert_eq!(soon(paseo.inspect(&agent.0)).await.unwrap().status, AgentStatus::Archived);
        assert!(soon(paseo.list(ListAgents::default())).await.unwrap().is_empty());
    }

    async fn a_running_agent_is_archived_by_force(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let mut turn = soon(paseo.prompt(&agent, Prompt::new("SLEEP"))).await.unwrap();
        loop {
            if let Some(AgentEvent::Text { .. }) = soon(turn.next()).await {
                break;
            }
        }
        assert!(!soon(paseo.close(&agent, true)).await.unwrap().already);
        turn.canceller().cancel();
        soon(turn.result()).await;
    }

    async fn a_session_is_imported_with_its_labels(daemon: Daemon, paseo: Paseo) {
        let _daemon = daemon;
        let labels = BTreeMap::from([
            ("origin".to_owned(), "switchyard".to_owned()),
            ("worktree".to_owned(), "/srv/demo/work/a b=c".to_owned()),
        ]);
        let session = ImportSession {
            provider: "acp".into(),
            session: "sess-known".into(),
            cwd: Some("/srv/demo/work/b".into()),
            labels: labels.clone(),
        };
        let agent = soon(paseo.import(session.clone())).await.unwrap();
        assert_eq!(agent.labels, labels);
        assert_eq!(agent.cwd, "/srv/demo/work/b");
        let error = soon(paseo.import(ImportSession { session: "no-such-session".into(), ..session.clone() })).await.unwrap_err();
        assert!(matches!(error, AgentError::Refused { .. }), "{error}");
        let error = soon(paseo.import(ImportSession { cwd: Some("relative".into()), ..session })).await.unwrap_err();
        assert!(matches!(error, AgentError::BadRequest { ref field, .. } if field == "cwd"), "{error}");
    }

    async fn health_says_how_it_is_reached(daemon: Daemon, paseo: Paseo) {
        assert_eq!(paseo.health(), Health::Unknown);
        let health = soon(paseo.check()).await;
        let Health::Up { version, transport } = &health else {
            panic!("{health:?}");
        };
        assert_eq!(version.as_deref(), Some("0.1.65-beta.5"));
        assert_eq!(transport, paseo.transport());
        assert_eq!(paseo.health(), health);
        let stopped = daemon.stop().await;
        let Health::Down { reason } = soon(paseo.check()).await else {
            panic!("it is down");
        };
        assert!(reason.contains("paseo daemon start"), "{reason}");
        let _daemon = stopped.start().await;
        assert!(soon(paseo.check()).await.is_up());
    }

    async fn a_daemon_that_is_down_fails_every_call_in_one_line(daemon: Daemon, paseo: Paseo) {
        let agent = id(&daemon.add("a"));
        let _stopped = daemon.stop().await;
        let failures = [
            soon(paseo.list(ListAgents::default())).await.err(),
            soon(paseo.inspect(&agent.0)).await.err(),
            soon(paseo.prompt(&agent, Prompt::new("hi"))).await.err(),
            soon(paseo.stop(&agent)).await.err(),
            soon(paseo.close(&agent, false)).await.err(),
            soon(paseo.answer(&agent, "x", PermissionAnswer::Allow)).await.err(),
        ];
        for failure in failures {
            let error = failure.expect("it is down");
            assert!(matches!(error, AgentError::Unreachable { .. }), "{error:?}");
            assert!(!error.to_string().contains('\n'));
        }
    }
}
