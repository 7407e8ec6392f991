//! What real agents were recorded to say, played again: what we make of it.
//!
//! `KEEP=DIR make conformance` records; each file holds what was said from the greeting to the last turn that ends by itself.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use agents::{
    Acp, AcpConfig, AgentBackend, AgentEvent, AgentId, NewAgent, PermissionAnswer, Prompt, ToolCall,
};
use serde_json::Value;
use support::soon;

/// What the client said in a recording, in the order in which it is to be said again.
enum Said {
    Prompt(String),
    Choose(String, String),
}

/// What a recording's client said of its own accord, and how it answered each permission.
fn said(recording: &str) -> (Vec<Said>, Vec<String>) {
    let (mut said, mut answers, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let message = &line["message"];
        let params = &message["params"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        match (line["from"].as_str().unwrap(), message["method"].as_str()) {
            ("client", Some("session/prompt")) => {
                said.push(Said::Prompt(text(&params["prompt"][0]["text"])));
            }
            ("client", Some("session/set_mode")) => {
                said.push(Said::Choose("mode".into(), text(&params["modeId"])));
            }
            ("client", Some("session/set_model")) => {
                said.push(Said::Choose("model".into(), text(&params["modelId"])));
            }
            ("client", Some("session/set_config_option")) => {
                said.push(Said::Choose(
                    text(&params["configId"]),
                    text(&params["value"]),
                ));
            }
            ("agent", Some("session/request_permission")) => asked.push(message["id"].clone()),
            ("client", None) if asked.contains(&message["id"]) => {
                answers.push(text(&message["result"]["outcome"]["optionId"]));
            }
            _ => {}
        }
    }
    (said, answers)
}

/// Plays a recording, and tells what was heard.
async fn heard(recording: &Path) -> String {
    let text = std::fs::read_to_string(recording).unwrap();
    let (said, answers) = said(&text);
    let mut answers = answers.into_iter();
    let directory = tempfile::tempdir().unwrap();
    let cwd = directory.path().join("tree");
    std::fs::create_dir(&cwd).unwrap();
    let player = env!("CARGO_BIN_EXE_stand-in-acp-recorder");
    let play = ["play", recording.to_str().unwrap()];
    let mut config = AcpConfig::new("recorded", player, &play);
    config.deadlines.start = Duration::from_secs(10);
    config.deadlines.silent_turn = Duration::from_secs(10);
    let acp = Acp::new(config);
    let new = NewAgent {
        cwd: cwd.display().to_string(),
        ..NewAgent::default()
    };
    let agent = soon(acp.start(new)).await.unwrap().id;
    let mut told = String::new();
    for said in said {
        match said {
            Said::Choose(setting, value) => {
                let chosen = soon(acp.choose(&agent, &setting, &value)).await;
                writeln!(told, "= {setting} {value}: {}", chosen.is_ok()).unwrap();
            }
            Said::Prompt(text) => {
                let text = text.replace("{home}", &directory.path().display().to_string());
                turn(&acp, &agent, &text, &mut answers, &mut told).await;
            }
        }
    }
    let info = soon(acp.inspect(&agent.0)).await.unwrap();
    let settings = info.offers.settings.iter().map(|setting| {
        let count = setting.choices.len();
        format!("{} of {count} ({})", setting.name, setting.current)
    });
    writeln!(
        told,
        "settings: {}",
        settings.collect::<Vec<_>>().join(", ")
    )
    .unwrap();
    writeln!(told, "commands: {}", info.offers.commands.len()).unwrap();
    writeln!(told, "usage: {:?}", info.usage).unwrap();
    assert!(answers.next().is_none(), "a permission was not asked for");
    soon(acp.dispose()).await.unwrap();
    told.replace(&directory.path().display().to_string(), "HOME")
}

async fn turn(
    acp: &Acp,
    agent: &AgentId,
    text: &str,
    answers: &mut impl Iterator<Item = String>,
    told: &mut String,
) {
    writeln!(told, "> {text}").unwrap();
    let mut turn = soon(acp.prompt(agent, Prompt::new(text))).await.unwrap();
    let mut words = String::new();
    // What is told again of a call is left out: it may come before a permission is answered or behind that.
    let mut calls: HashMap<String, String> = HashMap::new();
    while let Some(event) = soon(turn.next()).await {
        if let AgentEvent::Text { text } = &event {
            words.push_str(text);
            continue;
        }
        if !words.is_empty() && !matches!(event, AgentEvent::Usage { .. }) {
            writeln!(told, "text: {}", std::mem::take(&mut words).trim()).unwrap();
        }
        match &event {
            // As often as it comes, and whenever: the last is told at the end.
            AgentEvent::Usage { .. } => {}
            AgentEvent::Tool { call } => {
                let line = line(call);
                if calls.insert(call.id.clone(), line.clone()).as_ref() != Some(&line) {
                    writeln!(told, "{line}").unwrap();
                }
            }
            AgentEvent::Permission { request } => {
                let options = request.options.iter().map(|option| &*option.name);
                let options = options.collect::<Vec<_>>().join(" | ");
                let changes = request.detail.iter().flat_map(|detail| &detail.changes);
                writeln!(
                    told,
                    "asks: {} ({options}), {} changes",
                    request.title.as_deref().unwrap_or(&request.tool),
                    changes.count()
                )
                .unwrap();
                let option = answers.next().expect("it was answered then");
                let answer = PermissionAnswer::Choose { option };
                soon(acp.answer(agent, &request.id, answer)).await.unwrap();
            }
            AgentEvent::PermissionResolved { answer, .. } => {
                writeln!(told, "answered: {answer:?}").unwrap();
            }
            AgentEvent::Reasoning { .. } => writeln!(told, "thinks").unwrap(),
            other => {
                let other = format!("{other:?}");
                let kind = other.split([' ', '(', '{']).next().unwrap_or_default();
                writeln!(told, "{kind}").unwrap();
            }
        }
    }
    if !words.is_empty() {
        writeln!(told, "text: {}", words.trim()).unwrap();
    }
    writeln!(told, "< {:?}", turn.so_far().outcome).unwrap();
}

fn line(call: &ToolCall) -> String {
    let detail = call.detail.as_ref();
    let changes = detail.map_or(0, |detail| detail.changes.len());
    let command = detail.and_then(|detail| detail.command.as_deref());
    format!(
        "tool: {} {:?}, {changes} changes, `{}`",
        call.title.as_deref().unwrap_or(&call.name),
        call.status,
        command.unwrap_or_default()
    )
}

macro_rules! recordings {
    ($($name:ident),*) => {$(
        #[tokio::test]
        async fn $name() {
            let file = concat!("tests/recordings/acp/", stringify!($name), ".jsonl");
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            insta::assert_snapshot!(stringify!($name), heard(&file).await);
        }
    )*};
}

recordings!(claude, codex, gemini, opencode, qwen);
