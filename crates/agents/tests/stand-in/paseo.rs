//! A stand-in for the `paseo` program: takes what it takes, prints what it was recorded to print,
//! and asks the stand-in daemon as the real one asks its daemon. Under a name such as `paseo-hang`
//! it does what that name says.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what this program is for"
)]

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::process::ExitCode;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

struct Failure {
    code: String,
    message: String,
    details: Option<String>,
}

fn fail<T>(code: &str, message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure {
        code: code.into(),
        message: message.into(),
        details: None,
    })
}

#[derive(Default)]
struct Asked {
    command: Vec<String>,
    operands: VecDeque<String>,
    host: Option<String>,
    labels: Vec<String>,
    prompt_file: Option<String>,
    provider: Option<String>,
    cwd: Option<String>,
    flags: Vec<String>,
    reconnects: bool,
}

/// Reads the arguments as the program does: an option that is not known ends it.
fn arguments(args: Vec<String>) -> Result<Asked, String> {
    let mut asked = Asked::default();
    let mut args = VecDeque::from(args);
    let Some(first) = args.pop_front() else {
        return Err("error: onboarding needs a terminal".into());
    };
    if first.starts_with('-') {
        return Err(format!("error: unknown option '{first}'"));
    }
    asked.command.push(first.clone());
    if first == "permit" {
        asked.command.extend(args.pop_front());
    }
    let value = |name: &str, args: &mut VecDeque<String>| {
        args.pop_front()
            .ok_or(format!("error: option '{name}' argument missing"))
    };
    while let Some(arg) = args.pop_front() {
        match arg.as_str() {
            "--" => {
                asked.operands.extend(args.drain(..));
            }
            "--json" | "-a" | "--force" | "--no-wait" | "--interrupt" => asked.flags.push(arg),
            "--host" => asked.host = Some(value("--host", &mut args)?),
            "--label" => asked.labels.push(value("--label", &mut args)?),
            "--prompt-file" => asked.prompt_file = Some(value("--prompt-file", &mut args)?),
            "--provider" => asked.provider = Some(value("--provider", &mut args)?),
            "--cwd" => asked.cwd = Some(value("--cwd", &mut args)?),
            _ if arg.starts_with("--message=") => {}
            _ if arg.starts_with('-') => return Err(format!("error: unknown option '{arg}'")),
            _ => asked.operands.push_back(arg),
        }
    }
    Ok(asked)
}

struct Daemon {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    requests: u32,
    /// What waits for an end outlives the connection.
    reconnects: bool,
}

impl Daemon {
    async fn connect(host: &str) -> Result<Self, Failure> {
        let refuse = |reason: String| -> Failure {
            Failure {
                code: "DAEMON_NOT_RUNNING".into(),
                message: format!("Cannot connect to daemon at {host}: {reason}"),
                details: Some("Start the daemon with: paseo daemon start".into()),
            }
        };
        let plain = host.strip_prefix("tcp://").unwrap_or(host);
        let (place, options) = plain.split_once('?').unwrap_or((plain, ""));
        let mut request = format!("ws://{place}/ws")
            .into_client_request()
            .map_err(|error| refuse(error.to_string()))?;
        if let Some(password) = options
            .split('&')
            .find_map(|option| option.strip_prefix("password="))
        {
            request.headers_mut().insert(
                "Sec-WebSocket-Protocol",
                format!("paseo.bearer.{password}")
                    .parse()
                    .map_err(|_| refuse("bad password".into()))?,
            );
        }
        let (mut socket, _) = tokio_tungstenite::connect_async(request)
            .await
            .map_err(|_| refuse(format!("connect ECONNREFUSED {place}")))?;
        let hello = json!({"type": "hello", "clientId": format!("cid_{}", std::process::id()), "clientType": "cli", "protocolVersion": 1, "appVersion": "0.1.65"});
        let _ = socket.send(Message::text(hello.to_string())).await;
        match socket.next().await {
            Some(Ok(Message::Text(_))) => Ok(Self {
                socket,
                requests: 0,
                reconnects: false,
            }),
            Some(Ok(Message::Close(Some(close)))) => Err(refuse(close.reason.to_string())),
            _ => Err(refuse("Connection timed out".into())),
        }
    }

    async fn ask(&mut self, kind: &str, mut body: Value) -> (String, Value) {
        self.requests += 1;
        if body.get("requestId").is_none() {
            body["requestId"] = json!(format!("r{}", self.requests));
        }
        let id = body["requestId"].clone();
        body["type"] = json!(kind);
        let _ = self
            .socket
            .send(Message::text(
                json!({"type": "session", "message": body}).to_string(),
            ))
            .await;
        loop {
            let frame = self.frame().await;
            if frame["payload"]["requestId"] == id && frame["type"] != "agent_stream" {
                return (
                    frame["type"].as_str().unwrap_or_default().into(),
                    frame["payload"].clone(),
                );
            }
        }
    }

    async fn frame(&mut self) -> Value {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                    return frame["message"].clone();
                }
                Some(Ok(_)) => {}
                _ if self.reconnects => {
                    // It finds the agent idle after a restart of the daemon, and takes that for the end of the turn.
                    println!(
                        "{}",
                        json!({"status": "completed", "message": "Agent completed processing the message"})
                    );
                    std::process::exit(0);
                }
                _ => std::process::exit(1),
            }
        }
    }

    async fn all(&mut self, archived: bool, labels: &[String]) -> Vec<Value> {
        let labels: serde_json::Map<_, _> = labels
            .iter()
            .filter_map(|label| label.split_once('='))
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        let body = json!({"page": {"limit": 200}, "filter": {"includeArchived": archived, "labels": labels}});
        let (_, payload) = self.ask("fetch_agents_request", body).await;
        payload["entries"]
            .as_array()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .map(|entry| entry["agent"].clone())
            .collect()
    }

    async fn agent(&mut self, name: &str) -> Option<Value> {
        let agents = self.all(true, &[]).await;
        agents
            .into_iter()
            .find(|agent| agent["id"].as_str().is_some_and(|id| id.starts_with(name)))
    }
}

fn short(id: &Value, length: usize) -> String {
    id.as_str()
        .unwrap_or_default()
        .chars()
        .take(length)
        .collect()
}

async fn run(asked: &mut Asked) -> Result<Value, Failure> {
    let host = asked
        .host
        .clone()
        .or_else(|| std::env::var("PASEO_HOST").ok())
        .unwrap_or_else(|| "localhost:6767".into());
    let mut daemon = Daemon::connect(&host).await?;
    daemon.reconnects = asked.reconnects && asked.command == ["send"];
    let command: Vec<_> = asked.command.iter().map(String::as_str).collect();
    let flag = |name: &str| asked.flags.iter().any(|flag| flag == name);
    match command.as_slice() {
        ["ls"] => {
            let agents = daemon.all(flag("-a"), &asked.labels).await;
            Ok(agents
                .iter()
                .map(|agent| {
                    json!({
                        "id": agent["id"], "shortId": short(&agent["id"], 7),
                        "name": agent["title"].as_str().unwrap_or("-"), "provider": format!("{}/{}", agent["provider"].as_str().unwrap_or_default(), agent["model"].as_str().unwrap_or_default()),
                        "thinking": "auto", "status": agent["status"], "cwd": agent["cwd"], "created": "just now",
                    })
                })
                .collect())
        }
        ["inspect"] => {
            let id = asked.operands.pop_front().unwrap_or_default();
            let Some(agent) = daemon.agent(&id).await else {
                return fail(
                    "INSPECT_FAILED",
                    format!("Failed to inspect agent: Agent not found: {id}"),
                );
            };
            let pending: Vec<_> = agent["pendingPermissions"]
                .as_array()
                .cloned()
                .unwrap_or_default()
                .iter()
                .map(|pending| json!({"id": pending["id"], "tool": pending["name"]}))
                .collect();
            Ok(json!({
                "Id": agent["id"], "Name": agent["title"], "Provider": agent["provider"], "Model": agent["model"],
                "Thinking": "auto", "Status": agent["status"], "Archived": !agent["archivedAt"].is_null(),
                "ArchivedAt": agent["archivedAt"], "Mode": "ask", "Cwd": agent["cwd"],
                "CreatedAt": agent["createdAt"], "UpdatedAt": agent["updatedAt"], "LastUsage": null,
                "Capabilities": {"Streaming": true}, "AvailableModes": [], "PendingPermissions": pending,
                "Worktree": null, "ParentAgentId": null,
            }))
        }
        ["send"] => {
            let id = asked.operands.pop_front().unwrap_or_default();
            let prompt = match &asked.prompt_file {
                Some(_) => {
                    let mut prompt = String::new();
                    std::io::stdin()
                        .read_to_string(&mut prompt)
                        .map_err(|error| Failure {
                            code: "SEND_FAILED".into(),
                            message: error.to_string(),
                            details: None,
                        })?;
                    prompt
                }
                None => asked.operands.pop_front().unwrap_or_default(),
            };
            let prompt = prompt.trim();
            if prompt.is_empty() {
                return fail("MISSING_PROMPT", "A prompt is required");
            }
            let (_, taken) = daemon
                .ask(
                    "send_agent_message_request",
                    json!({"agentId": id, "text": prompt}),
                )
                .await;
            if taken["accepted"] == false {
                return fail(
                    "SEND_FAILED",
                    format!("Failed to send message: Agent not found: {id}"),
                );
            }
            if flag("--no-wait") {
                return Ok(
                    json!({"agentId": id, "status": "sent", "message": "Message sent, not waiting for completion"}),
                );
            }
            let (_, done) = daemon
                .ask("wait_for_finish_request", json!({"agentId": id}))
                .await;
            Ok(match done["status"].as_str() {
                Some("idle") => {
                    json!({"agentId": id, "status": "completed", "message": "Agent completed processing the message"})
                }
                Some("permission") => {
                    json!({"agentId": id, "status": "permission", "message": "Agent is waiting for permission"})
                }
                status => json!({"agentId": id, "status": status, "message": done["error"]}),
            })
        }
        ["wait"] => {
            let id = asked.operands.pop_front().unwrap_or_default();
            let (kind, done) = daemon
                .ask("wait_for_finish_request", json!({"agentId": id}))
                .await;
            if kind == "rpc_error" {
                return Ok(
                    json!({"agentId": id, "status": "error", "message": format!("Agent not found: {id}")}),
                );
            }
            Ok(
                json!({"agentId": id, "status": done["status"], "message": done["error"].as_str().unwrap_or("Agent is idle.")}),
            )
        }
        ["stop"] => {
            let id = asked.operands.pop_front().unwrap_or_default();
            let Some(agent) = daemon.agent(&id).await else {
                return fail(
                    "STOP_AGENT_FAILED",
                    format!("Failed to stop agent(s): Agent not found: {id}"),
                );
            };
            if agent["status"] != "running" {
                return Ok(json!({"stoppedCount": 0, "agentIds": []}));
            }
            daemon
                .ask("cancel_agent_request", json!({"agentId": agent["id"]}))
                .await;
            Ok(json!({"stoppedCount": 1, "agentIds": [agent["id"]]}))
        }
        ["archive"] => {
            let id = asked.operands.pop_front().unwrap_or_default();
            let Some(agent) = daemon.agent(&id).await else {
                return Err(Failure {
                    code: "AGENT_NOT_FOUND".into(),
                    message: format!("Agent not found: {id}"),
                    details: Some("Use \"paseo ls\" to list available agents".into()),
                });
            };
            if let Some(at) = agent["archivedAt"].as_str() {
                return Err(Failure {
                    code: "AGENT_ALREADY_ARCHIVED".into(),
                    message: format!("Agent {} is already archived", short(&agent["id"], 7)),
                    details: Some(format!("Archived at: {at}")),
                });
            }
            if agent["status"] == "running" && !flag("--force") {
                return fail(
                    "AGENT_RUNNING",
                    format!("Agent {} is currently running", short(&agent["id"], 7)),
                );
            }
            let (_, done) = daemon
                .ask("archive_agent_request", json!({"agentId": agent["id"]}))
                .await;
            Ok(
                json!({"agentId": agent["id"], "status": "archived", "archivedAt": done["archivedAt"]}),
            )
        }
        ["import"] => {
            let Some(provider) = asked.provider.clone() else {
                eprintln!("error: required option '--provider <provider>' not specified");
                std::process::exit(1);
            };
            if !["claude", "codex", "opencode", "acp"].contains(&provider.as_str()) {
                return Err(Failure {
                    code: "INVALID_PROVIDER".into(),
                    message: format!("Unsupported provider: {provider}"),
                    details: Some("Supported providers: claude, codex, opencode, acp".into()),
                });
            }
            let labels: serde_json::Map<_, _> = asked
                .labels
                .iter()
                .filter_map(|label| label.split_once('='))
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect();
            let mut body = json!({"provider": provider, "sessionId": asked.operands.pop_front(), "labels": labels});
            if let Some(cwd) = &asked.cwd {
                body["cwd"] = json!(cwd);
            }
            let (_, made) = daemon.ask("import_agent_request", body).await;
            if made["status"] == "agent_create_failed" {
                return fail(
                    "AGENT_IMPORT_FAILED",
                    format!(
                        "Failed to import agent: {}",
                        made["error"].as_str().unwrap_or_default()
                    ),
                );
            }
            Ok(
                json!({"agentId": made["agentId"], "status": "created", "provider": provider, "cwd": made["agent"]["cwd"], "title": made["agent"]["title"]}),
            )
        }
        ["permit", "ls"] => {
            let agents = daemon.all(false, &[]).await;
            let mut pending = Vec::new();
            for agent in agents {
                for request in agent["pendingPermissions"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default()
                {
                    pending.push(json!({
                        "id": short(&request["id"], 8), "agentId": agent["id"], "agentShortId": short(&agent["id"], 7),
                        "name": request["name"], "description": "-",
                    }));
                }
            }
            Ok(json!(pending))
        }
        ["permit", verb @ ("allow" | "deny")] => {
            let id = asked.operands.pop_front().unwrap_or_default();
            let wanted = asked.operands.pop_front().unwrap_or_default();
            let Some(agent) = daemon.agent(&id).await else {
                return fail("AGENT_NOT_FOUND", format!("Agent not found: {id}"));
            };
            let pending = agent["pendingPermissions"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            if pending.is_empty() {
                return fail(
                    "NO_PENDING_PERMISSIONS",
                    format!(
                        "No pending permissions for agent {}",
                        short(&agent["id"], 7)
                    ),
                );
            }
            let Some(request) = pending
                .iter()
                .find(|request| short(&request["id"], 36).starts_with(&wanted))
            else {
                return fail(
                    "PERMISSION_NOT_FOUND",
                    format!("Permission request not found: {wanted}"),
                );
            };
            let response = if *verb == "allow" {
                json!({"behavior": "allow"})
            } else {
                json!({"behavior": "deny"})
            };
            daemon
                .ask("agent_permission_response", json!({"agentId": agent["id"], "requestId": request["id"], "response": response}))
                .await;
            Ok(json!([{
                "requestId": short(&request["id"], 8), "agentId": agent["id"], "agentShortId": short(&agent["id"], 7),
                "name": request["name"], "result": if *verb == "allow" { "allowed" } else { "denied" },
            }]))
        }
        ["attach"] => attach(&mut daemon, &asked.operands.pop_front().unwrap_or_default()).await,
        other => {
            eprintln!("error: unknown command '{}'", other.join(" "));
            std::process::exit(1);
        }
    }
}

/// Prints a conversation for people, without end.
async fn attach(daemon: &mut Daemon, id: &str) -> ! {
    let mut out = std::io::stdout();
    let mut print = |text: String| {
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    };
    print(format!(
        "Attaching to agent {}...\n(Press Ctrl+C to detach)\n\n",
        &id[..7]
    ));
    let shown = |item: &Value| {
        let text = item["text"].as_str().unwrap_or_default();
        match item["type"].as_str().unwrap_or_default() {
            "user_message" => format!("\n[User] {text}\n"),
            "reasoning" => format!("\n[Reasoning] {text}\n"),
            "assistant_message" => text.to_owned(),
            "tool_call" => format!(
                "\n[Tool: {}] {}\n",
                item["name"].as_str().unwrap_or_default(),
                item["status"].as_str().unwrap_or_default()
            ),
            "todo" => "\n[Todo] 1/2 completed\n".into(),
            _ => String::new(),
        }
    };
    let (_, past) = daemon
        .ask(
            "fetch_agent_timeline_request",
            json!({"agentId": id, "direction": "tail", "limit": 0}),
        )
        .await;
    for entry in past["entries"].as_array().cloned().unwrap_or_default() {
        print(shown(&entry["item"]));
    }
    loop {
        let frame = daemon.frame().await;
        if frame["type"] != "agent_stream" || frame["payload"]["agentId"] != id {
            continue;
        }
        let event = &frame["payload"]["event"];
        match event["type"].as_str().unwrap_or_default() {
            "timeline" => print(shown(&event["item"])),
            "permission_requested" => print("\n[Permission Required] execute\n".into()),
            "permission_resolved" => print("\n[Permission allow]\n".into()),
            _ => {}
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().collect();
    let name = args.remove(0);
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    if args == ["--version"] && name != "paseo-hang" {
        println!("0.1.65-beta.5");
        return ExitCode::SUCCESS;
    }
    match name.as_str() {
        "paseo-hang" => {
            // A child in the same group, which must end as well.
            let child = std::process::Command::new("sleep").arg("600").spawn();
            let note = std::env::args().next().unwrap_or_default() + ".child";
            if let Ok(mut child) = child {
                let _ = std::fs::write(note, child.id().to_string());
                let _ = child.wait();
            }
            return ExitCode::SUCCESS;
        }
        "paseo-garbage" => {
            println!("Segmentation fault (core dumped)\n\u{1b}[31mred\u{1b}[0m");
            return ExitCode::SUCCESS;
        }
        "paseo-half" => {
            print!("[\n  {{\n    \"id\": \"3c27bbe3-53a0-4bef-8afe-");
            return ExitCode::SUCCESS;
        }
        "paseo-empty" => return ExitCode::SUCCESS,
        "paseo-exit3" => return ExitCode::from(3),
        "paseo-exit3-text" => {
            eprintln!(
                "TypeError: cannot read properties of undefined\n    at tcp://h:1?password=Secret-pw.1"
            );
            return ExitCode::from(3);
        }
        _ => {}
    }
    let mut asked = match arguments(args) {
        Ok(asked) => asked,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    asked.reconnects = name == "paseo-reconnects";
    match run(&mut asked).await {
        Ok(mut value) => {
            if name == "paseo-later" {
                // A later version: another spelling of results, more fields, a warning before it.
                println!("(node:123) Warning: something is deprecated");
                if let Some(object) = value.as_object_mut() {
                    object.insert("aLaterField".into(), json!([1, 2]));
                    if let Some(id) = object.remove("agentId") {
                        object.insert("Id".into(), id);
                    }
                }
            }
            println!("{value:#}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let mut error = json!({"code": failure.code, "message": failure.message});
            if let Some(details) = failure.details {
                error["details"] = json!(details);
            }
            eprintln!("{:#}", json!({"error": error}));
            ExitCode::FAILURE
        }
    }
}
