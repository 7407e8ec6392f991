//! Steps that agents of backends work on: a scripted ACP agent, and a daemon that answers as a real one was recorded to.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::Path;

use agents::{AgentId, BackendId, PermissionAnswer};
use app::{App, AppConfig, CancelWhat, HostMode, Paths};
use flow::{FlowEvent, Happened, QuestionKind, RunView, StepAgent, StepState};
use tempfile::TempDir;
use tokio::sync::broadcast;

#[path = "../../agents/tests/support/mod.rs"]
mod support;
use support::{Daemon, soon};

struct Desk {
    home: TempDir,
    app: App,
}

impl Desk {
    /// A desk with the scripted agent, as it is when `faults` are wrong with it.
    async fn scripted(faults: &[&str]) -> Self {
        let agent = serde_json::json!({ "paseo": [], "acp": [{
            "name": "scripted", "program": env!("CARGO_BIN_EXE_stand-in-agent-of-a-flow"), "args": faults,
        }] });
        Self::new(&agent).await
    }

    async fn paseo(daemon: &Daemon) -> Self {
        let address = format!("127.0.0.1:{}", daemon.port);
        Self::new(&serde_json::json!({ "paseo": [{ "address": address, "transport": "socket" }] }))
            .await
    }

    async fn new(agents: &serde_json::Value) -> Self {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::below(home.path());
        paths.create().unwrap();
        std::fs::write(paths.config().join("agents.json"), agents.to_string()).unwrap();
        let app = Self::open(&home).await;
        Self { home, app }
    }

    async fn open(home: &TempDir) -> App {
        App::start(AppConfig {
            paths: Paths::below(home.path()),
            host: HostMode::InProcess,
        })
        .await
        .unwrap()
    }

    /// This process ends, and another one begins.
    async fn restart(self) -> Self {
        soon(self.app.shutdown()).await;
        drop(self.app);
        let app = Self::open(&self.home).await;
        Self {
            home: self.home,
            app,
        }
    }

    async fn start(&self, steps: &[&str]) -> String {
        let mut text = "name: test\nsteps:\n".to_owned();
        for step in steps {
            text += &format!("  - {{ {step} }}\n");
        }
        let path = self.home.path().join("test.flow.yaml");
        std::fs::write(&path, text).unwrap();
        let cwd = self.home.path().display().to_string();
        let file = path.display().to_string();
        self.app
            .start_flow(&file, serde_json::Map::new(), cwd)
            .await
            .unwrap()
    }

    async fn ended(&self, run: &str) -> RunView {
        soon(self.app.run_settled(run)).await;
        self.app.show_run(run).await.unwrap()
    }

    /// Answers yes to what the agent of a step asks.
    async fn allow(&self, agent: &StepAgent) {
        let (backend, id) = (BackendId(agent.backend.clone()), AgentId(agent.id.clone()));
        let found = soon(self.app.find_agent(Some(&backend), &id.0))
            .await
            .unwrap();
        let request = found.permissions.first().unwrap().id.clone();
        let answered = self
            .app
            .answer_agent(&backend, &id, &request, PermissionAnswer::Allow);
        soon(answered).await.unwrap();
    }

    async fn is_busy(&self, agent: &StepAgent) -> bool {
        let backend = BackendId(agent.backend.clone());
        let found = soon(self.app.find_agent(Some(&backend), &agent.id)).await;
        found.unwrap().status.is_busy()
    }
}

async fn wait_for(
    events: &mut broadcast::Receiver<FlowEvent>,
    wanted: impl Fn(&Happened) -> bool,
) -> Happened {
    soon(async {
        loop {
            let event = events.recv().await.unwrap();
            if wanted(&event.what) {
                return event.what;
            }
        }
    })
    .await
}

fn needs_you(what: &Happened) -> bool {
    matches!(
        what,
        Happened::StepNeedsYou {
            message: Some(_),
            ..
        }
    )
}

fn attached(what: &Happened) -> bool {
    matches!(what, Happened::StepAttached { .. })
}

fn last<'v>(view: &'v RunView, step: &str) -> &'v flow::AttemptView {
    let step = view
        .step_list
        .iter()
        .find(|known| known.id == step)
        .unwrap();
    step.attempts.last().unwrap()
}

fn told(view: &RunView, step: &str) -> String {
    let last = last(view, step);
    let said = last.output.as_deref().unwrap_or_default();
    let why = last.message.as_deref().unwrap_or_default();
    format!("{:?} #{} {said:?} {why}", last.state, last.attempt)
}

const ACP: &str = "agent: { backend: acp, name: scripted }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_answers_a_step() {
    let desk = Desk::scripted(&[]).await;
    let run = desk
        .start(&[
            &format!("id: ask, {ACP}, prompt: hello"),
            "id: next, needs: [ask], value: 'it said {{ results.ask.output }}'",
            &format!("id: fails, {ACP}, prompt: FAIL"),
            &format!("id: dies, {ACP}, prompt: DIE"),
        ])
        .await;
    let view = desk.ended(&run).await;
    insta::assert_snapshot!(told(&view, "ask"), @r#"Succeeded #1 "The answer is 42." "#);
    insta::assert_snapshot!(told(&view, "next"), @r#"Succeeded #1 "it said The answer is 42." "#);
    let failed = told(&view, "fails");
    assert!(failed.contains("the model is overloaded"), "{failed}");
    let died = told(&view, "dies");
    assert!(died.contains("out of cheese"), "{died}");
    // What it said on the way is beside its answer.
    let out = desk.home.path().join(format!("data/steps/{run}/ask-1/out"));
    let out =
        std::fs::read_to_string(&out).unwrap_or_else(|error| panic!("{}: {error}", out.display()));
    assert_eq!(out, "First I will read a file.\nThe answer is 42.");
    soon(desk.app.shutdown()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_that_answered_is_asked_once_more() {
    let desk = Desk::scripted(&[]).await;
    let run = desk
        .start(&[
            &format!("id: ask, {ACP}, prompt: hello, output: {{ type: json }}"),
            "id: next, needs: [ask], value: 'a {{ results.ask.data.kind }}'",
        ])
        .await;
    let view = desk.ended(&run).await;
    insta::assert_snapshot!(told(&view, "next"), @r#"Succeeded #1 "a bug" "#);
    let agent = last(&view, "ask").agent.clone().unwrap();
    let sessions = desk.app.agents().await.unwrap().rows().await.unwrap();
    let sessions: Vec<_> = sessions.iter().map(|row| &row.session.0).collect();
    assert_eq!(sessions, [&agent.id], "it is one session");
    let piece = desk.app.step_output(&run, "ask", 1, 0).await.unwrap();
    assert_eq!(piece.text, "{\"kind\": \"bug\"}");
    soon(desk.app.shutdown()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_whose_agent_asks_needs_you_until_it_is_answered() {
    let desk = Desk::scripted(&[]).await;
    let mut events = desk.app.flow_events();
    let run = desk
        .start(&[&format!("id: ask, {ACP}, prompt: PERMIT, idle_timeout: 1s")])
        .await;
    let asked = wait_for(&mut events, needs_you).await;
    insta::assert_debug_snapshot!(asked, @r#"
    StepNeedsYou {
        step: "ask",
        attempt: 1,
        message: Some(
            "may it do this: rm -rf build/",
        ),
    }
    "#);
    let view = desk.app.show_run(&run).await.unwrap();
    assert_eq!(view.info.needs_you, ["ask"]);
    assert_eq!(view.info.state, flow::RunState::Waiting);
    desk.allow(last(&view, "ask").agent.as_ref().unwrap()).await;
    let view = desk.ended(&run).await;
    assert_eq!(view.info.needs_you, [""; 0]);
    assert_eq!(last(&view, "ask").needs_you, None);
    let said = told(&view, "ask");
    assert!(said.contains("outcome: yes"), "{said}");
    soon(desk.app.shutdown()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_takes_too_long_or_is_cancelled_is_stopped() {
    let desk = Desk::scripted(&[]).await;
    let mut events = desk.app.flow_events();
    let run = desk
        .start(&[
            &format!("id: slow, {ACP}, prompt: HANG, timeout: 300ms"),
            &format!("id: cut, {ACP}, prompt: HANG"),
        ])
        .await;
    for _ in 0..2 {
        wait_for(&mut events, attached).await;
    }
    let step = "cut".to_owned();
    soon(desk.app.cancel_run(&run, CancelWhat::Step { step }))
        .await
        .unwrap();
    let view = desk.ended(&run).await;
    assert_eq!(last(&view, "slow").state, StepState::TimedOut);
    assert_eq!(last(&view, "cut").state, StepState::Cancelled);
    for step in ["slow", "cut"] {
        assert!(
            !desk
                .is_busy(last(&view, step).agent.as_ref().unwrap())
                .await,
            "{step}"
        );
    }
    soon(desk.app.shutdown()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_cut_off_goes_on_after_a_restart() {
    let desk = Desk::scripted(&[]).await;
    let mut events = desk.app.flow_events();
    let run = desk
        .start(&[&format!("id: ask, {ACP}, prompt: HANG")])
        .await;
    wait_for(&mut events, attached).await;
    let desk = desk.restart().await;
    desk.app.resume_flows().await.unwrap();
    let view = desk.ended(&run).await;
    // The same attempt, in the same conversation.
    insta::assert_snapshot!(told(&view, "ask"), @r#"Succeeded #1 "The answer is 42." "#);
    soon(desk.app.shutdown()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_asked_when_a_session_is_gone_for_good() {
    let desk = Desk::scripted(&["forgets"]).await;
    let mut events = desk.app.flow_events();
    let run = desk
        .start(&[&format!("id: ask, {ACP}, prompt: HANG")])
        .await;
    wait_for(&mut events, attached).await;
    let desk = desk.restart().await;
    let mut events = desk.app.flow_events();
    desk.app.resume_flows().await.unwrap();
    let asked = wait_for(&mut events, |what| {
        matches!(what, Happened::StepAsked { .. })
    })
    .await;
    let Happened::StepAsked { question, .. } = asked else {
        panic!("{asked:?}");
    };
    assert_eq!(question.kind, QuestionKind::Interrupted);
    desk.app.cancel_run(&run, CancelWhat::Run).await.unwrap();
    soon(desk.app.shutdown()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_works_in_a_worktree_of_its_own() {
    let desk = Desk::scripted(&[]).await;
    let git = |arguments: &[&str]| {
        let done = std::process::Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@t"])
            .args(arguments)
            .current_dir(desk.home.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "-q"]);
    git(&["commit", "-q", "--allow-empty", "-m", "first"]);
    let run = desk
        .start(&[
            "id: ask, agent: { backend: acp, name: scripted, worktree: new }, prompt: 'WRITE new.txt'",
            "id: look, needs: [ask], run: 'git rev-parse --show-toplevel', worktree: '{{ results.ask.worktree }}'",
        ])
        .await;
    let view = desk.ended(&run).await;
    let worktree = last(&view, "ask").worktree.clone().unwrap();
    assert_ne!(Path::new(&worktree), desk.home.path());
    let root = std::fs::canonicalize(&worktree)
        .unwrap()
        .display()
        .to_string();
    assert_eq!(last(&view, "look").output.as_deref(), Some(root.as_str()));
    soon(desk.app.shutdown()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemons_agent_goes_on_while_nobody_looks() {
    let daemon = Daemon::start().await;
    let desk = Desk::paseo(&daemon).await;
    let mut events = desk.app.flow_events();
    let run = desk
        .start(&["id: ask, agent: { backend: paseo, provider: fake }, prompt: PERMIT"])
        .await;
    wait_for(&mut events, needs_you).await;
    let agent = last(&desk.app.show_run(&run).await.unwrap(), "ask")
        .agent
        .clone()
        .unwrap();

    let desk = desk.restart().await;
    let mut events = desk.app.flow_events();
    desk.app.resume_flows().await.unwrap();
    wait_for(&mut events, needs_you).await;
    desk.allow(&agent).await;
    let view = desk.ended(&run).await;
    insta::assert_snapshot!(told(&view, "ask"), @r#"Succeeded #1 "Permission outcome: opt-allow" "#);
    assert_eq!(daemon.prompts(&agent.id), ["PERMIT"], "it was asked once");
    soon(desk.app.shutdown()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_came_while_nobody_looked_is_recorded() {
    let daemon = Daemon::start().await;
    let desk = Desk::paseo(&daemon).await;
    let mut events = desk.app.flow_events();
    let run = desk
        .start(&["id: ask, agent: { backend: paseo, provider: fake }, prompt: PERMIT"])
        .await;
    wait_for(&mut events, needs_you).await;
    let agent = last(&desk.app.show_run(&run).await.unwrap(), "ask")
        .agent
        .clone()
        .unwrap();
    soon(desk.app.shutdown()).await;
    daemon.answer_elsewhere(&agent.id);
    soon(daemon.rests(&agent.id)).await;
    let desk = desk.restart().await;
    desk.app.resume_flows().await.unwrap();
    let view = desk.ended(&run).await;
    insta::assert_snapshot!(told(&view, "ask"), @r#"Succeeded #1 "Permission outcome: opt-allow" "#);
    assert_eq!(daemon.prompts(&agent.id), ["PERMIT"], "it was asked once");
    soon(desk.app.shutdown()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_concluded_while_a_daemon_is_away() {
    let daemon = Daemon::start().await;
    let desk = Desk::paseo(&daemon).await;
    let mut events = desk.app.flow_events();
    let run = desk
        .start(&[
            "id: ask, agent: { backend: paseo, provider: fake }, prompt: SLEEP, on_interrupt: fail",
        ])
        .await;
    wait_for(&mut events, attached).await;
    let agent = last(&desk.app.show_run(&run).await.unwrap(), "ask")
        .agent
        .clone()
        .unwrap();
    soon(desk.app.shutdown()).await;
    let away = daemon.stop().await;
    let desk = desk.restart().await;
    let mut events = desk.app.flow_events();
    desk.app.resume_flows().await.unwrap();
    let told_of = wait_for(&mut events, needs_you).await;
    assert!(format!("{told_of:?}").contains("127.0.0.1"), "{told_of:?}");
    let daemon = away.start().await;
    wait_for(&mut events, |what| {
        matches!(what, Happened::StepNeedsYou { message: None, .. })
    })
    .await;
    soon(desk.app.cancel_run(&run, CancelWhat::Run))
        .await
        .unwrap();
    let view = desk.ended(&run).await;
    assert_eq!(last(&view, "ask").state, StepState::Cancelled);
    assert_eq!(
        daemon.status(&agent.id),
        "idle",
        "it was stopped at the daemon"
    );
    soon(desk.app.shutdown()).await;
}
