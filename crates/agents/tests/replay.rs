//! The client against what a real daemon was recorded to send, frame by frame.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::collections::HashMap;
use std::path::PathBuf;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use agents::{
    AgentBackend, AgentEvent, AgentInfo, ImportSession, ListAgents, NewAgent, Outcome, Paseo,
    PaseoConfig, PermissionAnswer, Prompt, Transport,
};
use support::{short, soon};

/// Plays the daemon's side of a recording: whatever was sent then is awaited now, by its type, and
/// what followed is sent with the ids of now. Questions that were not asked then are answered from
/// what was told last.
async fn play(name: &str) -> Paseo {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recordings/ws/{name}.json"));
    let recording: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let frames = recording["frames"].as_array().unwrap().clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut frames = frames
            .into_iter()
            .map(|frame| {
                (
                    frame["dir"].as_str().unwrap().to_owned(),
                    frame["frame"].clone(),
                )
            })
            .filter(|(_, frame)| frame["type"] != "ping" && frame["type"] != "pong")
            // Asked by the recorder only.
            .filter(|(_, frame)| {
                frame.pointer("/message/type") != Some(&json!("wait_for_finish_request"))
            })
            .peekable();
        let mut renamed: HashMap<String, String> = HashMap::new();
        let mut known: HashMap<String, Value> = HashMap::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            loop {
                let Some((direction, frame)) = frames.peek().cloned() else {
                    // The recording is over; what is asked now is answered no more.
                    while let Some(Ok(_)) = socket.next().await {}
                    return;
                };
                match direction.as_str() {
                    "recv" => {
                        frames.next();
                        remember(&frame, &mut known);
                        let mut text = frame.to_string();
                        for (then, now) in &renamed {
                            text = text.replace(then.as_str(), now);
                        }
                        if socket.send(Message::text(text)).await.is_err() {
                            break;
                        }
                    }
                    "send" => {
                        let Some(Ok(Message::Text(text))) = socket.next().await else {
                            break;
                        };
                        let asked: Value = serde_json::from_str(&text).unwrap();
                        if asked["type"] == "ping" {
                            continue;
                        }
                        let kind = |frame: &Value| {
                            frame
                                .pointer("/message/type")
                                .or(frame.get("type"))
                                .cloned()
                        };
                        if kind(&asked) == kind(&frame) {
                            frames.next();
                            for field in ["requestId", "messageId", "clientId"] {
                                let at = |frame: &Value| {
                                    frame
                                        .pointer(&format!("/message/{field}"))
                                        .and_then(Value::as_str)
                                        .map(str::to_owned)
                                };
                                if let (Some(then), Some(now)) = (at(&frame), at(&asked)) {
                                    renamed.insert(then, now);
                                }
                            }
                            continue;
                        }
                        let message = &asked["message"];
                        let id = message["agentId"].as_str().unwrap_or_default();
                        let answer = json!({"type": "session", "message": {"type": "fetch_agent_response", "payload": {
                            "requestId": message["requestId"], "agent": known.get(id), "project": null, "error": null,
                        }}});
                        assert_eq!(
                            message["type"], "fetch_agent_request",
                            "{asked} instead of {frame}"
                        );
                        let _ = socket.send(Message::text(answer.to_string())).await;
                    }
                    _ => {
                        frames.next();
                        if frame
                            .as_str()
                            .is_some_and(|text| text.starts_with("closed"))
                        {
                            break;
                        }
                    }
                }
            }
        }
    });
    Paseo::new(PaseoConfig {
        transport: Transport::Socket,
        deadlines: short(),
        ..PaseoConfig::new(address.parse().unwrap())
    })
}

/// Keeps every agent that a frame describes.
fn remember(frame: &Value, known: &mut HashMap<String, Value>) {
    match frame {
        Value::Object(object) => {
            if object.contains_key("pendingPermissions")
                && let Some(id) = object.get("id").and_then(Value::as_str)
            {
                known.insert(id.to_owned(), frame.clone());
                return;
            }
            let request = object
                .get("request")
                .filter(|request| request.get("kind").is_some());
            if let (Some(request), Some(agent)) =
                (request, object.get("agentId").and_then(Value::as_str))
                && let Some(agent) = known.get_mut(agent)
            {
                agent["pendingPermissions"] = json!([request]);
                agent["status"] = json!("running");
            }
            if object.get("type") == Some(&json!("turn_completed")) {
                return;
            }
            for value in object.values() {
                remember(value, known);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| remember(value, known)),
        _ => {}
    }
}

async fn made(paseo: &Paseo, title: &str) -> AgentInfo {
    soon(paseo.start(NewAgent {
        provider: "fake".into(),
        cwd: "/srv/demo/work/a".into(),
        title: Some(title.into()),
        ..NewAgent::default()
    }))
    .await
    .unwrap()
}

fn short_event(event: &AgentEvent) -> String {
    match event {
        AgentEvent::Text { text } => format!("text {} bytes", text.len()),
        AgentEvent::Reasoning { text } => format!("reasoning {text:?}"),
        AgentEvent::Tool { call } => {
            let detail = call.detail.as_ref().unwrap();
            format!(
                "tool {} {:?} {:?} {:?} {:?}",
                call.name,
                call.status,
                detail.paths.first(),
                detail.command,
                call.error
            )
        }
        AgentEvent::Plan { items } => format!(
            "plan {}",
            items
                .iter()
                .map(|item| format!("{} {}", item.text, item.state == agents::PlanState::Done))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        AgentEvent::Permission { request } => {
            format!(
                "permission {:?} {:?}",
                request.title,
                request
                    .options
                    .iter()
                    .map(|option| option.kind.as_str())
                    .collect::<Vec<_>>()
            )
        }
        AgentEvent::PermissionResolved { answer, .. } => format!("resolved {answer:?}"),
        other => format!("{other:?}"),
    }
}

async fn events(paseo: &Paseo, agent: &AgentInfo, text: &str) -> (Vec<String>, agents::TurnResult) {
    let mut turn = soon(paseo.prompt(&agent.id, Prompt::new(text)))
        .await
        .unwrap();
    let mut seen: Vec<String> = Vec::new();
    while let Some(event) = soon(turn.next()).await {
        if let AgentEvent::Permission { request } = &event {
            // Answered as in the recording; there the stream goes on by itself.
            let _ = soon(paseo.answer(&agent.id, &request.id, PermissionAnswer::Allow)).await;
        }
        let line = short_event(&event);
        if line.starts_with("text") && seen.last().is_some_and(|last| last.starts_with("text")) {
            continue;
        }
        seen.push(if line.starts_with("text") {
            "text".into()
        } else {
            line
        });
    }
    (seen, turn.so_far())
}

#[tokio::test]
async fn a_recorded_turn_streams_as_it_did() {
    let paseo = play("05-send-and-stream").await;
    let agent = made(&paseo, "ws send").await;
    assert_eq!(agent.title.as_deref(), Some("ws send"));
    let (seen, result) = events(&paseo, &agent, "hello over ws 🚀\nsecond line").await;
    insta::assert_debug_snapshot!(seen, @r#"
    [
        "Prompt { text: \"hello over ws 🚀\\nsecond line\" }",
        "Started",
        "reasoning \"Let me think. I have an idea.\"",
        "text",
        "tool read Running Some(\"README.md\") None None",
        "tool read Completed Some(\"README.md\") None None",
        "plan read true, answer false",
        "text",
        "Usage { usage: Usage { input_tokens: 11, output_tokens: 22, cached_tokens: 5, context_used: None, context_size: None, cost: None } }",
        "Ended { outcome: Completed }",
    ]
    "#);
    assert_eq!(result.answer, "The answer is 42.");
    assert_eq!(result.usage.unwrap().output_tokens, 22);
}

#[tokio::test]
async fn a_recorded_failure_is_a_failure() {
    let paseo = play("06-fail").await;
    let agent = made(&paseo, "ws fail").await;
    let (_, result) = events(&paseo, &agent, "FAIL").await;
    assert_eq!(
        result.outcome,
        Outcome::Failed {
            message: "the agent reported an error without a readable text".into()
        }
    );
}

#[tokio::test]
async fn a_recorded_cancel_ends_the_turn() {
    let paseo = play("07-cancel").await;
    let agent = made(&paseo, "ws cancel").await;
    let mut turn = soon(paseo.prompt(&agent.id, Prompt::new("SLEEP")))
        .await
        .unwrap();
    let canceller = turn.canceller();
    while let Some(event) = soon(turn.next()).await {
        if matches!(&event, AgentEvent::Text { text } if text.contains("tick 3")) {
            canceller.cancel();
        }
    }
    let result = turn.so_far();
    assert_eq!(result.outcome, Outcome::Cancelled);
    assert_eq!(result.text, "tick 1/20\ntick 2/20\ntick 3/20\n");
}

#[tokio::test]
async fn a_recorded_permission_shows_what_is_to_be_allowed() {
    let paseo = play("08-permission").await;
    let agent = made(&paseo, "ws permit").await;
    let prompt = Prompt {
        stop_at_permission: true,
        ..Prompt::new("PERMIT")
    };
    let mut turn = soon(paseo.prompt(&agent.id, prompt)).await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = soon(turn.next()).await {
        seen.push(short_event(&event));
    }
    insta::assert_debug_snapshot!(seen, @r#"
    [
        "Prompt { text: \"PERMIT\" }",
        "Started",
        "text 19 bytes",
        "tool execute Running None Some(\"rm -rf build/\") None",
        "permission Some(\"rm -rf build/\") [\"allow_once\", \"allow_always\", \"reject_once\"]",
        "Ended { outcome: NeedsPermission }",
    ]
    "#);
}

#[tokio::test]
async fn recorded_lists_are_read_page_by_page() {
    let paseo = play("02-list-agents").await;
    let agents = soon(paseo.list(ListAgents::default())).await.unwrap();
    let shown: Vec<_> = agents
        .iter()
        .map(|agent| {
            format!(
                "{:?} {} {} {:?}",
                agent.title,
                agent.status.word(),
                agent.cwd,
                agent.labels
            )
        })
        .collect();
    insta::assert_debug_snapshot!(shown, @r#"
    [
        "Some(\"please FAIL now\") failed /srv/demo/work/a {}",
        "Some(\"old question sess-known\") done /srv/demo/work/b {\"k\": \"v\", \"origin\": \"test\"}",
        "Some(\"First agent\") idle /srv/demo/work/a {\"role\": \"tester\", \"team\": \"red\"}",
        "Some(\"old question sess-second\") idle /srv/demo/work/a {\"x\": \"y\"}",
        "None idle /srv/demo/work/a {}",
        "Some(\"old question unlisted-2\") idle /srv/demo/work/b {}",
        "Some(\"old question unlisted-1\") idle /srv/demo/work/a {}",
        "Some(\"old question sess-known\") idle /srv/demo/work/b {}",
    ]
    "#);
}

#[tokio::test]
async fn recorded_imports_take_any_provider() {
    let paseo = play("10-import").await;
    let import = async |provider: &str, session: &str, cwd: Option<&str>| {
        soon(paseo.import(ImportSession {
            provider: provider.into(),
            session: session.into(),
            cwd: cwd.map(str::to_owned),
            labels: [("k".to_owned(), "v".to_owned())].into(),
        }))
        .await
        .map(|agent| format!("{} {:?} {:?}", agent.status.word(), agent.cwd, agent.title))
        .unwrap_or_else(|error| error.to_string())
    };
    let mut shown = Vec::new();
    for (provider, session, cwd) in [
        ("acp", "sess-known", None),
        ("fake", "sess-second", None),
        ("fake", "no-such-session", None),
        ("nosuch", "x", None),
        ("fake", "unlisted-1", None),
        ("fake", "unlisted-2", Some("/srv/demo/work/b")),
        ("fake", "unlisted-2", Some("/nonexistent/dir")),
    ] {
        shown.push(import(provider, session, cwd).await);
    }
    insta::assert_debug_snapshot!(shown, @r#"
    [
        "idle \"/srv/demo/work/b\" Some(\"old question sess-known\")",
        "idle \"/srv/demo/work/a\" Some(\"old question sess-second\")",
        "import_agent_request was refused (agent_create_failed): the agent reported an error without a readable text",
        "import_agent_request was refused (agent_create_failed): No client registered for provider 'nosuch'",
        "idle \"/srv/demo/work/a\" Some(\"old question unlisted-1\")",
        "idle \"/srv/demo/work/b\" Some(\"old question unlisted-2\")",
        "import_agent_request was refused (agent_create_failed): Working directory does not exist: /nonexistent/dir",
    ]
    "#);
}

#[tokio::test]
async fn a_recorded_reconnect_misses_nothing() {
    let paseo = play("15-reconnect-catch-up").await;
    let agent = made(&paseo, "ws reconnect").await;
    let mut turn = soon(paseo.prompt(&agent.id, Prompt::new("SLEEP")))
        .await
        .unwrap();
    let canceller = turn.canceller();
    let mut text = String::new();
    while let Some(event) = soon(turn.next()).await {
        if let AgentEvent::Text { text: piece } = event {
            text.push_str(&piece);
            if text.contains("tick 9/20") {
                canceller.cancel();
            }
        }
    }
    let ticks: String = (1..=9).map(|tick| format!("tick {tick}/20\n")).collect();
    assert_eq!(text, ticks);
    assert_eq!(turn.so_far().outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn in_a_recorded_replacement_each_turn_gets_its_own_end() {
    let paseo = play("16-second-prompt-while-running").await;
    let agent = made(&paseo, "ws second prompt").await;
    let first = soon(paseo.prompt(&agent.id, Prompt::new("SLEEP first")))
        .await
        .unwrap();
    let second = Prompt {
        replace: true,
        ..Prompt::new("second, while running")
    };
    let second = soon(paseo.prompt(&agent.id, second)).await.unwrap();
    let second = soon(second.result()).await;
    assert_eq!(
        (second.outcome, second.answer.as_str()),
        (Outcome::Completed, "The answer is 42.")
    );
    assert_eq!(soon(first.result()).await.outcome, Outcome::Cancelled);
}
