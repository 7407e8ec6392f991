//! What the real program was recorded to print, as this room reads it.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;

use serde_json::Value;

use crate::error::AgentError;
use crate::paseo::attach::AttachReader;
use crate::paseo::wire::{self, Asked};
use crate::process::Output;
use crate::types::{AgentEvent, BackendId};

fn recording(name: &str) -> Value {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/cli");
    let file = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(&format!("{name}-"))
        })
        .unwrap_or_else(|| panic!("no recording {name}"));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Reads a recording as the client would, and says in one line what it took it for.
fn read(name: &str) -> String {
    let recording = recording(name);
    let text = |field: &str| recording[field].as_str().unwrap_or_default().to_owned();
    let args: Vec<&str> = recording["args"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let output = Output {
        stdout: text("stdout"),
        stderr: text("stderr"),
        status: ExitStatus::from_raw(
            i32::try_from(recording["exit"].as_i64().unwrap_or(255)).unwrap() << 8,
        ),
    };
    let command = if args[0] == "permit" {
        args[..2].join(" ")
    } else {
        args[0].to_owned()
    };
    let asked = Asked {
        command: &command,
        host: "localhost:6767",
        about: "ID",
    };
    let backend = BackendId("paseo:localhost:6767".into());
    let read = || -> Result<String, AgentError> {
        if command == "archive"
            && let Some(at) = wire::archived_before(&output)
        {
            return Ok(format!("archived before, at {at:?}"));
        }
        let value = wire::document(asked, &output)?;
        Ok(match command.as_str() {
            "ls" => {
                let agents = wire::list(&backend, value, Some("/home/me"))?;
                let first = agents.first().map(|agent| {
                    format!(
                        "{:?} {} {} {:?} {}",
                        agent.title,
                        agent.status.word(),
                        agent.provider,
                        agent.model,
                        agent.cwd
                    )
                });
                format!("{} agents, first {first:?}", agents.len())
            }
            "inspect" => {
                let agent = wire::inspect(&backend, value, Some("/home/me"))?;
                let asks: Vec<_> = agent
                    .permissions
                    .iter()
                    .map(|request| request.tool.as_str())
                    .collect();
                format!(
                    "{:?} {} {} {:?} asks {asks:?}",
                    agent.title,
                    agent.status.word(),
                    agent.cwd,
                    agent.updated_at
                )
            }
            "permit ls" => format!("{} pending", wire::permits(value)?.len()),
            "permit allow" | "permit deny" => "answered".into(),
            "stop" => format!("stopped {}", wire::stopped(&value)?),
            "archive" => format!("archived at {}", value["archivedAt"]),
            _ => {
                let said = wire::said(&command, value)?;
                format!(
                    "{} {:?} {:?}",
                    said.status,
                    said.agent.map(|id| id.len()),
                    crate::error::capped(&said.message, 60)
                )
            }
        })
    };
    format!(
        "{name} {command}: {}",
        read().unwrap_or_else(|error| format!("ERROR {error}"))
    )
}

fn read_all(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| read(name))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn lists_and_looks_are_read() {
    insta::assert_snapshot!(read_all(&[
        "101", "120", "127", "321", "402", "823", "862", "130", "128", "403", "824",
    ]), @r#"
    101 ls: 0 agents, first None
    120 ls: 4 agents, first Some("Some(\"Table agent\") idle fake Some(\"fake-1\") /srv/demo/work/a")
    127 ls: 14 agents, first Some("Some(\"PERMIT at once\") working fake Some(\"fake-1\") /home/me/work/a")
    321 ls: 5 agents, first Some("Some(\"Stream agent\") working fake Some(\"fake-1\") /srv/demo/work/a")
    402 ls: 5 agents, first Some("Some(\"Stream agent\") working fake Some(\"fake-1\") /srv/demo/work/a")
    823 ls: 2 agents, first Some("Some(\"Interrupted by restart\") asleep fake Some(\"fake-1\") /srv/demo/work/a")
    862 ls: 200 agents, first Some("Some(\"Survivor\") asleep fake Some(\"fake-1\") /srv/demo/work/a")
    130 inspect: Some("First agent") idle /srv/demo/work/a Some("2026-11-22T08:43:23.155Z") asks []
    128 inspect: Some("Nap agent") working /srv/demo/work/a Some("2026-11-22T09:22:47.121Z") asks []
    403 inspect: Some("Stream agent") needs you /srv/demo/work/a Some("2026-11-22T09:00:50.431Z") asks ["execute"]
    824 inspect: Some("Survivor") asleep /srv/demo/work/a Some("2026-11-22T09:24:51.915Z") asks []
    "#);
}

#[test]
fn the_status_tells_how_a_turn_ended_not_the_exit() {
    insta::assert_snapshot!(read_all(&[
        "200", "203", "211", "221", "235", "240", "340", "342", "344", "361", "401", "406", "611", "884", "885",
    ]), @r#"
    200 send: completed Some(36) "Agent completed processing the message"
    203 send: error Some(36) "[object Object]"
    211 send: completed Some(36) "Agent completed processing the message"
    221 send: completed Some(36) "Agent completed processing the message"
    235 send: sent Some(36) "Message sent, not waiting for completion"
    240 send: error Some(36) "ACP agent exited unexpectedly (3)"
    340 send: sent Some(36) "Message sent, not waiting for completion"
    342 wait: idle Some(36) "Agent is idle.\nLast 5 activity items:\ntick 1/20\ntick 2/20\nti…"
    344 wait: error Some(36) "Agent not found: 00000000-dead-beef-0000-000000000000"
    361 send: timeout Some(36) "Timed out waiting for agent to finish"
    401 send: permission Some(36) "Agent is waiting for permission"
    406 wait: permission Some(36) "Agent is waiting for permission: tool"
    611 send: completed Some(36) "Agent completed processing the message"
    884 send: completed Some(36) "Agent completed processing the message"
    885 send: completed Some(36) "Agent completed processing the message"
    "#);
}

#[test]
fn errors_become_the_ones_that_the_socket_gives() {
    insta::assert_snapshot!(read_all(&[
        "010", "033", "133", "134", "205", "206", "208", "326", "407", "410", "504", "505", "507", "512", "602", "608", "701",
        "705", "722", "773", "774", "775", "850", "851",
    ]), @r#"
    010 ls: ERROR `localhost:6767` does not answer: connect ECONNREFUSED 127.0.0.1:6767; is it running? `paseo daemon start` starts it
    033 ls: ERROR `paseo ls` ended with exit status 1: error: unknown option '--limit'
    133 inspect: ERROR no agent is named `ID`
    134 inspect: ERROR no agent is named `ID`
    205 send: ERROR no agent is named `ID`
    206 send: ERROR `prompt` is blank; say something to the agent
    208 send: ERROR `paseo send` ended with exit status 1: error: unknown option '-n flag-like prompt'
    326 stop: ERROR no agent is named `ID`
    407 permit allow: ERROR permission `ID` is no longer asked for
    410 permit allow: ERROR permission `ID` is no longer asked for
    504 import: ERROR paseo import was refused (AGENT_IMPORT_FAILED): Failed to import agent: [object Object]
    505 import: ERROR paseo import was refused (INVALID_PROVIDER): Unsupported provider: fake (Supported providers: claude, codex, opencode, acp)
    507 import: ERROR `paseo import` ended with exit status 1: error: required option '--provider <provider>' not specified
    512 import: ERROR paseo import was refused (INVALID_CWD): --cwd cannot be empty (Provide a working directory path or omit --cwd)
    602 archive: ERROR no agent is named `ID`
    608 archive: ERROR agent `ID` is working; stop it first, or say that its turn may be cancelled
    701 --host: ERROR `paseo --host` ended with exit status 1: error: unknown option '--host'
    705 ls: ERROR `localhost:6767` does not answer: Unexpected server response: 403; is it running? `paseo daemon start` starts it
    722 ls: ERROR the answer to `paseo ls` could not be read: it is not JSON: `35234b6
    7cce084
    2fcaa68
    58f210d
    1a93aa6
    dcc75b1
    75c0cab
    7f276fa`
    773 ls: ERROR `localhost:6767` refused the password: Password required
    774 ls: ERROR `localhost:6767` refused the password: Incorrect password
    775 ls: ERROR `localhost:6767` does not answer: An invalid or duplicated subprotocol was specified; is it running? `paseo daemon start` starts it
    850 ls: ERROR `localhost:6767` does not answer: Connection timed out; is it running? `paseo daemon start` starts it
    851 ls: ERROR `localhost:6767` does not answer: Unexpected server response: 200; is it running? `paseo daemon start` starts it
    "#);
}

#[test]
fn stops_archives_imports_and_permissions_are_read() {
    insta::assert_snapshot!(read_all(&["323", "324", "404", "408", "413", "416", "500", "600", "601", "609"]), @r#"
    323 stop: stopped true
    324 stop: stopped false
    404 permit ls: 1 pending
    408 permit allow: answered
    413 permit deny: answered
    416 permit deny: answered
    500 import: created Some(36) ""
    600 archive: archived at "2026-11-22T09:07:42.481Z"
    601 archive: archived before, at Some("2026-11-22T09:07:42.481Z")
    609 archive: archived at "2026-11-22T09:08:24.424Z"
    "#);
}

/// What `attach` printed, from the prompt on that is named.
fn attached(name: &str, prompt: &str, from: usize) -> Vec<String> {
    let recording = recording(name);
    let chunks: Vec<_> = recording["stdout_chunks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chunk| chunk[1].as_str().unwrap().to_owned())
        .collect();
    let mut reader = AttachReader::default();
    for chunk in &chunks[..from] {
        reader.read(chunk.as_bytes());
    }
    reader.begin(prompt);
    let mut events = Vec::new();
    for chunk in &chunks[from..] {
        // Cut anywhere, also within a character.
        for byte in chunk.as_bytes().chunks(3) {
            events.extend(reader.read(byte));
        }
    }
    events.extend(reader.finish());
    let mut shown: Vec<String> = Vec::new();
    let mut text = String::new();
    for event in events {
        if let AgentEvent::Text { text: piece } = event {
            text.push_str(&piece);
            continue;
        }
        if !text.is_empty() {
            shown.push(format!("text {:?}", std::mem::take(&mut text)));
        }
        match event {
            AgentEvent::Reasoning { text } => shown.push(format!("reasoning {text:?}")),
            AgentEvent::Tool { call } => {
                shown.push(format!("tool {} {} {:?}", call.id, call.name, call.status))
            }
            other => shown.push(format!("{other:?}")),
        }
    }
    if !text.is_empty() {
        shown.push(format!("text {text:?}"));
    }
    shown
}

#[test]
fn the_text_of_a_turn_is_cut_from_attach_without_loss() {
    // The eighth chunk begins with `[User] hello again`; all before it is history.
    insta::assert_debug_snapshot!(attached("301", "hello again", 8), @r#"
    [
        "reasoning \"Let me think. I have an idea.\"",
        "text \"ECHO {\\\"bytes\\\":11,\\\"sha12\\\":\\\"3908c567feda\\\",\\\"head\\\":\\\"hello again\\\"}\\nFirst I will read a file.\\n\"",
        "tool attach-1 read Running",
        "tool attach-1 read Completed",
        "text \"The answer is 42.\"",
    ]
    "#);
    insta::assert_debug_snapshot!(attached("881", "PERMIT", 7), @r#"
    [
        "text \"I need permission.\\n\"",
        "tool attach-1 execute Running",
        "tool attach-1 execute Completed",
        "text \"Permission outcome: {\\\"outcome\\\":\\\"selected\\\",\\\"optionId\\\":\\\"opt-allow\\\"}\\n\"",
    ]
    "#);
}

#[test]
fn results_in_every_known_spelling_are_read() {
    let said = |text: &str| wire::said("send", serde_json::from_str(text).unwrap());
    let old = said(r#"{"agentId":"a","status":"completed","message":"m"}"#).unwrap();
    let other = said(r#"{"Id":"a","text":"answer","output":"","error":null,"ok":true}"#).unwrap();
    assert_eq!(
        (old.agent, old.status.as_str(), old.text),
        (Some("a".into()), "completed", None)
    );
    assert_eq!(
        (other.agent, other.status.as_str(), other.text.as_deref()),
        (Some("a".into()), "completed", Some("answer"))
    );
    assert_eq!(
        said(r#"{"ok":false,"error":"broken"}"#).unwrap().message,
        "broken"
    );
    assert_eq!(said(r#"{"Id":"a"}"#).unwrap().status, "created");
    assert_eq!(
        said(r#"{"status":"a new word"}"#).unwrap().status,
        "a new word"
    );
    assert!(said("[]").is_err());
    assert!(said(r#"{"x":1}"#).is_err());
}
