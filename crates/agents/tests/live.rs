//! What the window sees of agents: a list that keeps itself, and conversations that are followed.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agents::{
    AgentBackend, AgentEvent, AgentId, AgentStatus, Agents, AgentsConfig, AgentsEvent, BackendId,
    Conversation, ConversationStep, Health, ListAgents, MemorySessions, Prompt, Transport,
};
use clock::Clock;
use support::{Daemon, program, soon};
use tokio::sync::broadcast::Receiver;

fn registry() -> Agents {
    let agents = Agents::new(
        AgentsConfig {
            tick: Duration::from_millis(500),
            patience: Duration::from_secs(4),
            retry: Duration::from_millis(20),
            ..AgentsConfig::default()
        },
        Arc::new(MemorySessions::default()),
        Clock::new(|| 1_000),
    );
    agents.keep_lists();
    agents
}

/// A registry with one daemon, whose first list has come.
async fn watching(daemon: &Daemon) -> (Agents, BackendId, Receiver<AgentsEvent>) {
    let agents = registry();
    let mut events = agents.events();
    let paseo = daemon.client(Transport::Socket, Path::new("none"));
    let at = AgentBackend::id(&paseo).clone();
    agents.add(Arc::new(paseo));
    until(
        &mut events,
        |event| matches!(event, AgentsEvent::Listed { listed } if listed.error.is_none()),
    )
    .await;
    (agents, at, events)
}

async fn until(events: &mut Receiver<AgentsEvent>, wanted: impl Fn(&AgentsEvent) -> bool) {
    soon(async { while !wanted(&events.recv().await.expect("the events go on")) {} }).await;
}

fn titles(agents: &Agents) -> Vec<String> {
    let mut titles: Vec<_> = agents
        .known()
        .into_iter()
        .flat_map(|host| host.agents)
        .filter_map(|agent| agent.title)
        .collect();
    titles.sort();
    titles
}

/// What was said, with text joined, up to the step in which `enough` holds.
async fn heard(conversation: &mut Conversation, enough: impl Fn(&str) -> bool) -> String {
    let mut said = String::new();
    soon(async {
        while !enough(&said) {
            let events = match conversation.next().await.expect("the agents are there") {
                ConversationStep::Whole { entries } => {
                    said.clear();
                    entries.into_iter().map(|entry| entry.event).collect()
                }
                ConversationStep::More { events } => events,
                ConversationStep::Unread { reason } => panic!("{reason}"),
            };
            for event in events {
                match event {
                    AgentEvent::Prompt { text } => said.push_str(&format!("[{text}]")),
                    AgentEvent::Text { text } => said.push_str(&text),
                    AgentEvent::Ended { .. } => said.push_str("[ended]"),
                    _ => {}
                }
            }
        }
    })
    .await;
    said
}

#[tokio::test]
async fn the_list_keeps_itself_whoever_causes_a_change() {
    let daemon = Daemon::start().await;
    let agent = AgentId(daemon.add("a"));
    let (agents, at, mut events) = watching(&daemon).await;
    assert_eq!(titles(&agents), ["a"]);
    // Someone else talks to it: nobody asks, and it is known.
    let other = daemon.client(Transport::Socket, Path::new("none"));
    let _turn = soon(other.prompt(&agent, Prompt::new("SLEEP")))
        .await
        .expect("prompted");
    until(&mut events, |event| {
        matches!(event, AgentsEvent::Changed { agent } if agent.status == AgentStatus::Working)
    })
    .await;
    let known = &agents.known()[0].agents[0];
    assert_eq!(
        (&known.backend, &known.status),
        (&at, &AgentStatus::Working)
    );
    let asked = daemon
        .requests()
        .iter()
        .filter(|request| *request == "fetch_agents_request")
        .count();
    assert_eq!(asked, 1, "the list is not asked for again and again");
    agents.shutdown().await;
}

#[tokio::test]
async fn after_an_outage_the_list_is_caught_up_without_being_asked_for() {
    let daemon = Daemon::start().await;
    daemon.add("a");
    let (agents, _, mut events) = watching(&daemon).await;
    let stopped = daemon.stop().await;
    until(
        &mut events,
        |event| matches!(event, AgentsEvent::Listed { listed } if listed.error.is_some()),
    )
    .await;
    let known = agents.known();
    assert_eq!(titles(&agents), ["a"], "what was known is kept");
    assert!(matches!(known[0].backend.health, Health::Down { .. }));
    let daemon = stopped.start().await;
    daemon.add("b");
    until(
        &mut events,
        |event| matches!(event, AgentsEvent::Listed { listed } if listed.agents.len() == 2),
    )
    .await;
    assert_eq!(titles(&agents), ["a", "b"]);
    assert!(agents.known()[0].backend.health.is_up());
    agents.shutdown().await;
}

#[tokio::test]
async fn what_is_known_is_told_at_once_while_a_host_hangs() {
    let daemon = Daemon::start().await;
    daemon.add("a");
    let (agents, _, _) = watching(&daemon).await;
    let hanging = Daemon::start().await;
    hanging.faults(|faults| faults.silent = true);
    agents.add(Arc::new(
        hanging.client(Transport::Socket, Path::new("none")),
    ));
    // The hanging one is listed too, as not known yet; nothing here waits.
    let known = agents.known();
    assert_eq!(known.len(), 2);
    assert_eq!(titles(&agents), ["a"]);
    agents.shutdown().await;
}

#[tokio::test]
async fn a_conversation_is_read_back_and_then_heard_without_a_gap_or_a_repeat() {
    let daemon = Daemon::start().await;
    let agent = AgentId(daemon.add("a"));
    let (agents, at, _) = watching(&daemon).await;
    let turn = soon(agents.prompt(&at, &agent, Prompt::new("first")))
        .await
        .expect("prompted");
    soon(turn.result()).await;
    // The second turn runs while the first is read back.
    let turn = soon(agents.prompt(&at, &agent, Prompt::new("SLOW")))
        .await
        .expect("prompted");
    let mut conversation = agents.follow(&at, &agent);
    let said = heard(&mut conversation, |said| said.ends_with("[ended]")).await;
    assert_eq!(said.matches("[first]").count(), 1);
    assert_eq!(said.matches("The answer is 42.").count(), 1);
    for tick in 1..=10 {
        assert_eq!(said.matches(&format!("tick {tick}\n")).count(), 1, "{said}");
    }
    soon(turn.result()).await;
    agents.shutdown().await;
}

#[tokio::test]
async fn a_conversation_goes_on_after_the_connection_was_lost_in_the_middle_of_it() {
    let daemon = Daemon::start().await;
    let agent = AgentId(daemon.add("a"));
    let (agents, at, _) = watching(&daemon).await;
    let mut conversation = agents.follow(&at, &agent);
    let turn = soon(agents.prompt(&at, &agent, Prompt::new("SLOW")))
        .await
        .expect("prompted");
    heard(&mut conversation, |said| said.contains("tick 2")).await;
    daemon.cut_connections();
    // All of it is read back once the connection stands again.
    let said = heard(&mut conversation, |said| said.contains("tick 10")).await;
    for tick in 1..=10 {
        assert_eq!(said.matches(&format!("tick {tick}\n")).count(), 1, "{said}");
    }
    soon(turn.result()).await;
    agents.shutdown().await;
}

#[tokio::test]
async fn a_flood_is_told_in_few_steps_to_whoever_asks_slowly() {
    let daemon = Daemon::start().await;
    let agent = AgentId(daemon.add("a"));
    let (agents, at, _) = watching(&daemon).await;
    let mut conversation = agents.follow(&at, &agent);
    assert!(matches!(
        soon(conversation.next()).await,
        Some(ConversationStep::Whole { entries }) if entries.is_empty()
    ));
    let turn = soon(agents.prompt(&at, &agent, Prompt::new("BIG")))
        .await
        .expect("prompted");
    soon(turn.result()).await;
    let mut steps = 0;
    let mut bytes = 0;
    soon(async {
        while bytes < 300_000 {
            steps += 1;
            if let Some(ConversationStep::More { events }) = conversation.next().await {
                for event in events {
                    if let AgentEvent::Text { text } = event {
                        bytes += text.len();
                    }
                }
            }
        }
    })
    .await;
    assert_eq!(bytes, 300_000);
    assert!(steps <= 3, "{steps} steps");
    agents.shutdown().await;
}

#[tokio::test]
async fn over_the_program_a_turn_that_was_begun_here_is_heard_and_the_rest_is_said_to_be_missing() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start().await;
    let agent = AgentId(daemon.add("a"));
    let agents = registry();
    let paseo = daemon.client(Transport::Program, &program(dir.path(), "paseo"));
    let at = AgentBackend::id(&paseo).clone();
    agents.add(Arc::new(paseo));
    let mut conversation = agents.follow(&at, &agent);
    let Some(ConversationStep::Unread { reason }) = soon(conversation.next()).await else {
        panic!("the program reads nothing back");
    };
    assert!(reason.contains("socket"), "{reason}");
    let turn = soon(agents.prompt(&at, &agent, Prompt::new("hello")))
        .await
        .expect("prompted");
    let said = heard(&mut conversation, |said| said.ends_with("[ended]")).await;
    assert!(said.starts_with("[hello]"), "{said}");
    assert!(said.contains("The answer is 42."), "{said}");
    soon(turn.result()).await;
    agents.shutdown().await;
}

#[tokio::test]
async fn a_daemon_that_is_down_does_not_make_a_program_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start().await;
    daemon.add("a");
    let paseo = daemon.client(Transport::Auto, &program(dir.path(), "paseo"));
    let stopped = daemon.stop().await;
    soon(paseo.list(ListAgents::default()))
        .await
        .expect_err("it is down");
    assert_eq!(paseo.transport(), "socket");
    let _daemon = stopped.start().await;
    assert_eq!(
        soon(paseo.list(ListAgents::default()))
            .await
            .expect("it is back")
            .len(),
        1
    );
    assert_eq!(paseo.transport(), "socket");
}
