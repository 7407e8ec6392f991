//! A scripted agent that speaks the Agent Client Protocol: the first word of a prompt says what it does.
//! Its arguments say what is wrong with it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what this program is for"
)]

use std::io::{BufRead, Write};

use serde_json::{Value, json};

struct Agent {
    session: String,
    next: u64,
    faults: Vec<String>,
    model: String,
    mode: String,
    /// The servers of MCP that it was told of.
    servers: Value,
}

fn send(value: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{value}");
    let _ = out.flush();
}

fn receive() -> Value {
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(1..) => serde_json::from_str(&line).unwrap_or_default(),
        _ => std::process::exit(0),
    }
}

impl Agent {
    fn has(&self, fault: &str) -> bool {
        self.faults.iter().any(|known| known == fault)
    }

    /// What can be chosen: one in the protocol's way, one in the way of before it.
    fn offers(&self) -> Value {
        if !self.has("offers") {
            return json!({});
        }
        json!({
            "configOptions": [{
                "id": "m", "name": "Model", "category": "model", "type": "select", "currentValue": self.model,
                "options": [{"value": "small", "name": "Small"}, {"value": "large", "name": "Large"}],
            }],
            "modes": {"currentModeId": self.mode, "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "plan", "name": "Plan"}]},
        })
    }

    fn update(&self, update: Value) {
        send(
            &json!({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": self.session, "update": update}}),
        );
    }

    fn say(&self, text: &str) {
        self.update(json!({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}));
    }

    /// Asks the client something and waits for its answer; a cancel meanwhile is an answer as well.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = receive();
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
        }
    }

    /// What a person said, and an answer with everything that Markdown has.
    fn tell_a_turn(&self, turn: u64) {
        let text = format!("Question {turn}: how does the signal box work?");
        self.update(json!({"sessionUpdate": "user_message_chunk", "content": {"type": "text", "text": text}}));
        self.update(json!({
            "sessionUpdate": "tool_call", "toolCallId": format!("turn-{turn}"), "title": "Edit src/signal.rs", "kind": "edit", "status": "completed",
            "content": [{"type": "diff", "path": "/w/src/signal.rs", "oldText": "let red = 1;\nlet rest = 2;\n", "newText": "let green = 1;\nlet rest = 2;\n"}],
        }));
        self.say(&format!(
            "### Answer {turn}\n\nIt has **two levers**, and [a manual](https://example.org/manual):\n\n- the first is `red`\n- the second is `green`\n\n\
             | lever | track | state |\n|---|---|---|\n| red | 1 | stop |\n| green | 2 | go |\n\n\
             ```rust\nfn pull(lever: Lever) -> Track {{\n    // {turn}\n    lever.track()\n}}\n```\n\n1. Pull.\n2. Wait for the bell.\n"
        ));
    }

    /// Answers the prompt; the reason why it stopped.
    fn act(&mut self, text: &str) -> Result<&'static str, Value> {
        let session = self.session.clone();
        let mut words = text.split_whitespace();
        match words.next().unwrap_or_default() {
            "DIE" => {
                self.say("going");
                eprintln!("panic: out of cheese");
                std::process::exit(3);
            }
            "HANG" => loop {
                let message = receive();
                if message["method"] == "session/cancel" && !self.has("stubborn") {
                    return Ok("cancelled");
                }
            },
            "SERVERS" => self.say(&self.servers.to_string()),
            // So many turns, as an agent tells them of a session that it loads.
            "TURNS" => {
                let count = words.next().and_then(|count| count.parse().ok());
                for turn in 1..=count.unwrap_or(1) {
                    self.tell_a_turn(turn);
                }
            }
            "FLOOD" => {
                let piece = "flood ".repeat(2_000);
                for _ in 0..2_000 {
                    self.say(&piece);
                }
            }
            "LONGLINE" => {
                let mut out = std::io::stdout().lock();
                for _ in 0..40 {
                    let _ = out.write_all("x".repeat(1 << 20).replacen('x', "{", 1).as_bytes());
                }
                let _ = out.flush();
            }
            "INVALID" => {
                println!("this is a log line");
                println!("{{\"jsonrpc\": \"2.0\", \"method\": ");
                println!(
                    "{{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":{{\"sessionId\":7}}}}"
                );
                println!("[1,2,3]");
                println!("{{\"jsonrpc\":\"2.0\",\"method\":\"unheard/of\",\"params\":{{}}}}");
                self.update(json!({"sessionUpdate": "something_new", "x": 1}));
                self.say("still here");
            }
            "READ" => {
                let answer = self.ask(
                    "fs/read_text_file",
                    json!({"sessionId": session, "path": words.next()}),
                );
                match answer["result"]["content"].as_str() {
                    Some(content) => self.say(&format!("read: {content}")),
                    None => self.say(&format!(
                        "refused: {}",
                        answer["error"]
                    )),
                }
            }
            "WRITE" => {
                let path = words.next().unwrap_or_default().to_owned();
                self.update(json!({
                    "sessionUpdate": "tool_call", "toolCallId": "w1", "title": "Edit a file", "kind": "edit", "status": "pending",
                    "locations": [{"path": path}],
                    "content": [{"type": "diff", "path": path, "oldText": null, "newText": "written\n"}],
                }));
                let answer = self.ask(
                    "fs/write_text_file",
                    json!({"sessionId": session, "path": path, "content": "written\n"}),
                );
                let ok = answer.get("error").is_none();
                self.update(json!({"sessionUpdate": "tool_call_update", "toolCallId": "w1", "status": if ok { "completed" } else { "failed" }}));
                if !ok {
                    self.say(&format!("refused: {}", answer["error"]));
                }
            }
            // A file is written without a word about it.
            "QUIETWRITE" => {
                let path = words.next().unwrap_or_default().to_owned();
                let params = json!({"sessionId": session, "path": path, "content": "written\n"});
                self.ask("fs/write_text_file", params);
                self.say("done");
            }
            "EDITS" => {
                self.update(json!({
                    "sessionUpdate": "tool_call", "toolCallId": "e1", "title": "Rename", "kind": "edit", "status": "pending",
                    "rawInput": {"from": "old", "to": "new"},
                }));
                let answer = self.ask("session/request_permission", json!({
                    "sessionId": session,
                    "toolCall": {
                        "toolCallId": "e1",
                        "locations": [{"path": "/w/a.rs"}, {"path": "/w/c.rs"}],
                        "content": [
                            {"type": "content", "content": {"type": "text", "text": "in two files"}},
                            {"type": "diff", "path": "/w/a.rs", "oldText": "old", "newText": "new"},
                            {"type": "diff", "path": "/w/b.rs", "newText": "made"},
                            {"type": "content", "content": {"type": "text", "text": "and no more"}},
                        ],
                    },
                    "options": [
                        {"optionId": "all", "name": "Allow all edits", "kind": "allow_always"},
                        {"optionId": "none", "name": "No", "kind": "reject_once"},
                    ],
                }));
                self.say(&format!("outcome: {}", answer["result"]["outcome"]["optionId"]));
            }
            // A tool call of which no end is told.
            "LOOSE" => self.update(json!({
                "sessionUpdate": "tool_call", "toolCallId": "l1", "title": "Look", "kind": "read", "status": "in_progress",
            })),
            "PERMIT" => {
                self.say("I need permission. ");
                let answer = self.ask("session/request_permission", json!({
                    "sessionId": session,
                    "toolCall": {"toolCallId": "t1", "title": "rm -rf build/", "kind": "execute", "status": "pending", "rawInput": {"command": "rm -rf build/"}},
                    "options": [
                        {"optionId": "yes", "name": "Allow once", "kind": "allow_once"},
                        {"optionId": "always", "name": "Always allow", "kind": "allow_always"},
                        {"optionId": "no", "name": "Reject", "kind": "reject_once"},
                    ],
                }));
                let outcome = &answer["result"]["outcome"];
                if outcome["outcome"] == "cancelled" {
                    return Ok("cancelled");
                }
                self.say(&format!(
                    "outcome: {}",
                    outcome["optionId"].as_str().unwrap_or_default()
                ));
            }
            // It is told what was wrong with its answer.
            "Your" => self.say("{\"kind\": \"bug\"}"),
            "ASKER" => {
                let asker = std::env::var("ASKER").unwrap_or_else(|_| "nobody".into());
                let home = std::env::var_os("HOME").map_or("nothing else", |_| "more");
                self.say(&format!("asked by {asker}, and {home}"));
            }
            "CHOSEN" => {
                self.update(json!({"sessionUpdate": "usage_update", "used": 120, "size": 1000, "cost": {"amount": 0.25, "currency": "USD"}}));
                self.say(&format!("{} {}", self.model, self.mode));
            }
            "FAIL" => {
                return Err(
                    json!({"code": -32000, "message": "Internal error", "data": "the model is overloaded"}),
                );
            }
            "REFUSE" => return Ok("refusal"),
            _ => {
                self.update(json!({"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": "Let me think."}}));
                self.say("First I will ");
                self.say("read a file.\n");
                self.update(json!({
                    "sessionUpdate": "tool_call", "toolCallId": "r1", "title": "Read README.md", "kind": "read", "status": "in_progress",
                    "locations": [{"path": "/README.md"}],
                }));
                self.update(json!({
                    "sessionUpdate": "tool_call_update", "toolCallId": "r1", "status": "completed",
                    "content": [{"type": "content", "content": {"type": "text", "text": "# README"}}],
                }));
                self.update(json!({"sessionUpdate": "plan", "entries": [
                    {"content": "read", "priority": "high", "status": "completed"},
                    {"content": "answer", "priority": "high", "status": "pending"},
                ]}));
                self.say("The answer is 42.");
            }
        }
        Ok("end_turn")
    }
}

fn main() {
    let mut agent = Agent {
        session: String::new(),
        next: 0,
        faults: std::env::args().skip(1).collect(),
        model: "small".into(),
        mode: "ask".into(),
        servers: Value::Null,
    };
    if agent.has("mute") {
        loop {
            receive();
        }
    }
    if agent.has("dies-at-start") {
        eprintln!("cannot find my configuration");
        std::process::exit(7);
    }
    println!("Welcome to the scripted agent");
    loop {
        let message = receive();
        let id = message["id"].clone();
        let reply = |result: Value| send(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
        if let Some(servers) = message["params"].get("mcpServers") {
            agent.servers = servers.clone();
        }
        match message["method"].as_str().unwrap_or_default() {
            "initialize" => reply(json!({
                "protocolVersion": if agent.has("version-9") { 9 } else { 1 },
                "agentCapabilities": {"loadSession": !agent.has("forgets"), "promptCapabilities": {"image": agent.has("offers")},
                    "sessionCapabilities": if agent.has("offers") { json!({"list": {}, "fork": {}}) } else { json!({}) }},
                "agentInfo": {"name": "scripted", "version": "1"},
            })),
            "session/list" => {
                let cwd = &message["params"]["cwd"];
                reply(match message["params"]["cursor"].as_str() {
                    None => json!({
                        "sessions": [{"sessionId": "s1", "cwd": cwd, "title": "The first", "updatedAt": "2026-11-01T10:00:00Z"}, {"cwd": cwd}],
                        "nextCursor": "2",
                    }),
                    Some(_) => json!({"sessions": [{"sessionId": "s2", "cwd": cwd}]}),
                });
            }
            "session/new" => {
                agent.session = format!("acp-{}", std::process::id());
                let mut made = agent.offers();
                made["sessionId"] = json!(agent.session);
                reply(made);
                if agent.has("offers") {
                    agent.update(json!({"sessionUpdate": "available_commands_update", "availableCommands": [{"name": "review", "description": "Reviews"}]}));
                }
            }
            "session/fork" => {
                let of = message["params"]["sessionId"].as_str().unwrap_or_default();
                agent.session = format!("fork-of-{of}");
                let mut made = agent.offers();
                made["sessionId"] = json!(agent.session);
                reply(made);
            }
            "session/set_config_option" => {
                agent.model = message["params"]["value"]
                    .as_str()
                    .unwrap_or_default()
                    .into();
                reply(agent.offers());
            }
            "session/set_mode" => {
                agent.mode = message["params"]["modeId"]
                    .as_str()
                    .unwrap_or_default()
                    .into();
                reply(json!({}));
            }
            "session/load" => {
                agent.session = message["params"]["sessionId"]
                    .as_str()
                    .unwrap_or_default()
                    .into();
                if agent.session.starts_with("gone") {
                    send(
                        &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32002, "message": "Resource not found"}}),
                    );
                    continue;
                }
                agent.update(json!({"sessionUpdate": "user_message_chunk", "content": {"type": "text", "text": "an old question"}}));
                agent.say("an old answer");
                agent.update(json!({"sessionUpdate": "tool_call", "toolCallId": "o1", "title": "old work", "kind": "edit", "status": "in_progress"}));
                reply(agent.offers());
            }
            "session/prompt" => {
                let text = message["params"]["prompt"][0]["text"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                let image = &message["params"]["prompt"][1];
                if image["type"] == "image" {
                    let shown = [&image["mimeType"], &image["data"]]
                        .map(|part| part.as_str().unwrap_or_default());
                    agent.say(&shown.join(" "));
                    reply(json!({"stopReason": "end_turn"}));
                    continue;
                }
                match agent.act(&text) {
                    Ok(reason) if agent.has("offers") => reply(
                        json!({"stopReason": reason, "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}}),
                    ),
                    Ok(reason) => reply(json!({"stopReason": reason})),
                    Err(error) => send(&json!({"jsonrpc": "2.0", "id": id, "error": error})),
                }
            }
            _ if !id.is_null() => {
                send(
                    &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "Method not found"}}),
                );
            }
            _ => {}
        }
    }
}
