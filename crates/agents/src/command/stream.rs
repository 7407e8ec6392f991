//! What known programs print as events, one JSON object a line, in our terms: text, tools, what it cost, how it ended, and
//! the name of the conversation, to go on with.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::error::capped;
use crate::tools::{dollars, ended, given, word};
use crate::types::{AgentEvent, PlanItem, PlanState, ToolCall, ToolDetail, ToolStatus, Usage};

/// How much of what is not known is kept.
const OTHER_LIMIT: usize = 4 << 10;
/// The longest line that is taken for an event.
const LINE_LIMIT: usize = 32 << 20;

/// A program whose events are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `claude -p --output-format stream-json`
    Claude,
    /// `codex exec --json`
    Codex,
    /// `opencode run --format json`
    OpenCode,
}

impl Kind {
    /// The kind of a program that is told to print events.
    pub(super) fn of(program: &[String]) -> Option<Self> {
        let name = Path::new(program.first()?).file_name()?.to_str()?;
        let has = |wanted: &str| program.iter().any(|arg| arg == wanted);
        let set = |option: &str, value: &str| {
            has(&format!("{option}={value}"))
                || program
                    .windows(2)
                    .any(|pair| pair[0] == option && pair[1] == value)
        };
        match name {
            "claude" if set("--output-format", "stream-json") => Some(Self::Claude),
            "codex" if has("exec") && has("--json") => Some(Self::Codex),
            "opencode" if has("run") && set("--format", "json") => Some(Self::OpenCode),
            _ => None,
        }
    }

    /// The program and its arguments, so that it goes on with a conversation of its own.
    pub(super) fn going_on(self, program: &[String], session: &str) -> Vec<String> {
        let mut args = program.to_vec();
        let before_prompt = args
            .iter()
            .position(|arg| arg.contains("{prompt}"))
            .unwrap_or(args.len());
        let (at, words) = match self {
            Self::Claude => (1, ["--resume", session]),
            // A command of its own, behind the options of `exec`.
            Self::Codex => (before_prompt, ["resume", session]),
            Self::OpenCode => (before_prompt, ["--session", session]),
        };
        args.splice(at..at, words.map(str::to_owned));
        args
    }
}

/// Reads what a program prints.
#[derive(Debug)]
pub(super) struct Reader {
    kind: Kind,
    line: String,
    calls: BTreeMap<String, ToolCall>,
    said: bool,
    used: Usage,
    spent: f64,
    /// Its name of the conversation.
    pub(super) session: Option<String>,
    /// Why it says that the turn failed.
    pub(super) failed: Option<String>,
}

impl Reader {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            line: String::new(),
            calls: BTreeMap::new(),
            said: false,
            used: Usage::default(),
            spent: 0.0,
            session: None,
            failed: None,
        }
    }

    /// Takes what was printed, and returns what it means as far as whole lines have come.
    pub(super) fn read(&mut self, text: &str) -> Vec<AgentEvent> {
        let mut events = Vec::new();
        for piece in text.split_inclusive('\n') {
            self.line.push_str(piece);
            if piece.ends_with('\n') || self.line.len() > LINE_LIMIT {
                self.end_line(&mut events);
            }
        }
        events
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self) -> Vec<AgentEvent> {
        let mut events = Vec::new();
        self.end_line(&mut events);
        events
    }

    fn end_line(&mut self, events: &mut Vec<AgentEvent>) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        match serde_json::from_str::<Value>(line) {
            Ok(event) if event.is_object() => {
                let known = match self.kind {
                    Kind::Claude => self.claude(&event, events),
                    Kind::Codex => self.codex(&event, events),
                    Kind::OpenCode => self.open_code(&event, events),
                };
                if known.is_none() {
                    events.push(AgentEvent::Other {
                        kind: word(&event["type"]).unwrap_or_else(|| "?".into()),
                        text: capped(&format!("{event:#}"), OTHER_LIMIT),
                    });
                }
            }
            // Programs warn in plain words as well.
            _ => events.push(AgentEvent::Notice {
                text: capped(line, OTHER_LIMIT),
            }),
        }
    }

    fn say(&mut self, text: &str, events: &mut Vec<AgentEvent>) {
        if !text.is_empty() {
            self.said = true;
            events.push(AgentEvent::Text {
                text: format!("{text}\n"),
            });
        }
    }

    fn tool(&mut self, id: &str, events: &mut Vec<AgentEvent>, change: impl FnOnce(&mut ToolCall)) {
        let call = self.calls.entry(id.to_owned()).or_insert_with(|| ToolCall {
            id: id.to_owned(),
            name: String::new(),
            title: None,
            status: ToolStatus::Running,
            detail: None,
            error: None,
        });
        change(call);
        events.push(AgentEvent::Tool { call: call.clone() });
    }

    /// `None` for what is not known.
    fn claude(&mut self, event: &Value, events: &mut Vec<AgentEvent>) -> Option<()> {
        self.session = word(&event["session_id"]).or_else(|| self.session.take());
        match event["type"].as_str()? {
            // What it is made of; and pieces of what comes whole later.
            "system" | "stream_event" | "rate_limit_event" => {}
            "assistant" => {
                for part in event["message"]["content"].as_array()? {
                    match part["type"].as_str().unwrap_or_default() {
                        "text" => self.say(part["text"].as_str().unwrap_or_default(), events),
                        "thinking" => events.push(AgentEvent::Reasoning {
                            text: word(&part["thinking"]).unwrap_or_default(),
                        }),
                        "tool_use" => {
                            let (name, input) = (word(&part["name"])?, &part["input"]);
                            self.tool(part["id"].as_str()?, events, |call| {
                                call.detail = Some(given(&name, input));
                                call.name = name;
                            });
                        }
                        _ => {}
                    }
                }
            }
            "user" => {
                // What was asked is known.
                let parts = event["message"]["content"].as_array().into_iter().flatten();
                for part in parts.filter(|part| part["type"] == "tool_result") {
                    let said = content(&part["content"]);
                    let failed = part["is_error"] == true;
                    self.tool(part["tool_use_id"].as_str()?, events, |call| {
                        ended(call, failed, said);
                    });
                }
            }
            "result" => {
                let (usage, count) = (&event["usage"], |value: &Value| value.as_u64().unwrap_or(0));
                events.push(AgentEvent::Usage {
                    usage: Usage {
                        input_tokens: count(&usage["input_tokens"]),
                        output_tokens: count(&usage["output_tokens"]),
                        cached_tokens: count(&usage["cache_read_input_tokens"]),
                        cost: dollars(event["total_cost_usd"].as_f64().unwrap_or(0.0)),
                        ..Usage::default()
                    },
                });
                let result = word(&event["result"]).unwrap_or_default();
                if event["is_error"] == true {
                    let subtype = event["subtype"].as_str().unwrap_or("an error");
                    let why = if result.is_empty() { subtype } else { &result };
                    self.failed = Some(capped(why, 2_000));
                } else if !self.said {
                    self.say(&result, events);
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn codex(&mut self, event: &Value, events: &mut Vec<AgentEvent>) -> Option<()> {
        match event["type"].as_str()? {
            "thread.started" => self.session = word(&event["thread_id"]),
            "turn.started" => {}
            "turn.completed" => {
                let count = |name: &str| event["usage"][name].as_u64().unwrap_or(0);
                events.push(AgentEvent::Usage {
                    usage: Usage {
                        input_tokens: count("input_tokens"),
                        output_tokens: count("output_tokens"),
                        cached_tokens: count("cached_input_tokens"),
                        ..Usage::default()
                    },
                });
            }
            "turn.failed" => {
                let why = word(&event["error"]["message"]);
                self.failed = Some(why.unwrap_or_else(|| "the turn failed".into()));
            }
            "error" => events.push(AgentEvent::Notice {
                text: word(&event["message"])?,
            }),
            "item.started" | "item.updated" | "item.completed" => {
                return self.codex_item(&event["item"], events);
            }
            _ => return None,
        }
        Some(())
    }

    fn codex_item(&mut self, item: &Value, events: &mut Vec<AgentEvent>) -> Option<()> {
        let text = || word(&item["text"]);
        match item["type"].as_str()? {
            "agent_message" => self.say(&text()?, events),
            "reasoning" => events.push(AgentEvent::Reasoning { text: text()? }),
            "error" => events.push(AgentEvent::Notice {
                text: word(&item["message"])?,
            }),
            "todo_list" => events.push(AgentEvent::Plan {
                items: item["items"]
                    .as_array()?
                    .iter()
                    .map(|item| PlanItem {
                        text: word(&item["text"]).unwrap_or_default(),
                        state: if item["completed"] == true {
                            PlanState::Done
                        } else {
                            PlanState::Waiting
                        },
                    })
                    .collect(),
            }),
            kind @ ("command_execution" | "file_change" | "mcp_tool_call" | "web_search") => {
                let said = word(&item["aggregated_output"]).unwrap_or_default();
                let paths: Vec<_> = item["changes"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|change| word(&change["path"]))
                    .collect();
                self.tool(item["id"].as_str()?, events, |call| {
                    call.name = word(&item["tool"]).unwrap_or_else(|| {
                        match kind {
                            "command_execution" => "shell",
                            "file_change" => "edit",
                            _ => kind,
                        }
                        .into()
                    });
                    call.detail = Some(ToolDetail {
                        kind: call.name.clone(),
                        paths,
                        command: word(&item["command"]).or_else(|| word(&item["query"])),
                        ..ToolDetail::default()
                    });
                    match item["status"].as_str() {
                        Some("in_progress") => {}
                        Some("failed" | "declined") => ended(call, true, said),
                        _ => ended(call, false, said),
                    }
                });
            }
            _ => return None,
        }
        Some(())
    }

    fn open_code(&mut self, event: &Value, events: &mut Vec<AgentEvent>) -> Option<()> {
        self.session = word(&event["sessionID"]).or_else(|| self.session.take());
        let part = &event["part"];
        match event["type"].as_str()? {
            "step_start" => {}
            "text" => self.say(part["text"].as_str()?, events),
            "reasoning" => events.push(AgentEvent::Reasoning {
                text: word(&part["text"])?,
            }),
            "tool_use" => {
                let (name, state) = (word(&part["tool"])?, &part["state"]);
                let failed = state["status"] == "error";
                let said = word(&state["output"]).or_else(|| word(&state["error"]));
                self.tool(part["callID"].as_str()?, events, |call| {
                    call.detail = Some(given(&name, &state["input"]));
                    call.title = word(&state["title"]);
                    call.name = name;
                    ended(call, failed, said.unwrap_or_default());
                });
            }
            "step_finish" => {
                let count = |value: &Value| value.as_u64().unwrap_or(0);
                let tokens = &part["tokens"];
                // It tells of each step alone.
                self.used.input_tokens += count(&tokens["input"]);
                self.used.output_tokens += count(&tokens["output"]);
                self.used.cached_tokens += count(&tokens["cache"]["read"]);
                self.spent += part["cost"].as_f64().unwrap_or(0.0);
                self.used.cost = dollars(self.spent);
                events.push(AgentEvent::Usage {
                    usage: self.used.clone(),
                });
            }
            "error" => {
                let error = &event["error"];
                let why = word(&error["data"]["message"]).or_else(|| word(&error["name"]));
                self.failed = Some(why.unwrap_or_else(|| capped(&error.to_string(), 2_000)));
            }
            _ => return None,
        }
        Some(())
    }
}

/// What a tool said, which may be in parts.
fn content(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    /// What a recorded stream says, a line for each event; cut anywhere, it says the same.
    fn told(kind: Kind, text: &str) -> String {
        let mut whole = Reader::new(kind);
        let mut events = whole.read(text);
        events.extend(whole.finish());
        let mut pieces = Reader::new(kind);
        let mut again = Vec::new();
        for character in text.chars() {
            again.extend(pieces.read(character.encode_utf8(&mut [0; 4])));
        }
        again.extend(pieces.finish());
        assert_eq!(events, again);
        let mut lines: Vec<_> = events
            .iter()
            .map(|event| match event {
                AgentEvent::Tool { call } => format!("{} {:?}", call.name, call.status),
                AgentEvent::Text { text } => format!("says {}", &text[..12.min(text.len())]),
                AgentEvent::Usage { usage } => format!(
                    "{} read, {} written, {:?}",
                    usage.input_tokens, usage.output_tokens, usage.cost
                ),
                AgentEvent::Notice { text } => format!("! {}", &text[..20.min(text.len())]),
                other => format!("{other:?}"),
            })
            .collect();
        lines.push(format!(
            "{:?} {:?}",
            whole.session.map(|id| id[..8].to_owned()),
            whole.failed
        ));
        lines.join("\n")
    }

    #[test]
    fn recorded_streams_are_read_as_events() {
        let claude = include_str!("../../tests/recordings/streams/claude.jsonl");
        insta::assert_snapshot!(told(Kind::Claude, claude), @r#"
        Write Running
        Write Completed
        says The tool sai
        240 read, 14 written, Some("0.0012 USD")
        Some("bb3774f5") None
        "#);
        let codex = include_str!("../../tests/recordings/streams/codex.jsonl");
        insta::assert_snapshot!(told(Kind::Codex, codex), @r#"
        ! Model metadata for `
        shell Running
        shell Completed
        says The tool sai
        240 read, 14 written, None
        Some("01a221a2") None
        "#);
    }

    #[test]
    fn a_recorded_stream_of_opencode_is_read_as_events() {
        let text = include_str!("../../tests/recordings/streams/opencode.jsonl");
        insta::assert_snapshot!(told(Kind::OpenCode, text), @r#"
        write Completed
        120 read, 7 written, None
        says The tool sai
        240 read, 14 written, None
        Some("ses_dde5") None
        "#);
    }

    #[test]
    fn what_is_not_known_is_kept_and_a_failure_is_one() {
        let text = "warning: old\n{\"type\":\"thread.renamed\"}\n[1]\n{\"type\":\"turn.failed\",\"error\":{\"message\":\"no credit\"}}";
        insta::assert_snapshot!(told(Kind::Codex, text), @r#"
        ! warning: old
        Other { kind: "thread.renamed", text: "{\n  \"type\": \"thread.renamed\"\n}" }
        ! [1]
        None Some("no credit")
        "#);
        let text = r#"{"type":"result","subtype":"error_max_turns","is_error":true,"session_id":"12345678"}"#;
        insta::assert_snapshot!(told(Kind::Claude, text), @r#"
        0 read, 0 written, None
        Some("12345678") Some("error_max_turns")
        "#);
    }

    #[test]
    fn a_program_is_known_by_what_it_is_told_to_print_and_goes_on_with_its_conversation() {
        let known = |line: &str| {
            let program = program(line);
            Kind::of(&program).map(|kind| kind.going_on(&program, "ID").join(" "))
        };
        assert_eq!(known("claude -p {prompt}"), None);
        assert_eq!(
            known("/bin/claude -p --output-format stream-json --verbose {prompt}").as_deref(),
            Some("/bin/claude --resume ID -p --output-format stream-json --verbose {prompt}")
        );
        assert_eq!(
            known("codex exec --json").as_deref(),
            Some("codex exec --json resume ID")
        );
        assert_eq!(
            known("opencode run --format=json {prompt}").as_deref(),
            Some("opencode run --format=json --session ID {prompt}")
        );
    }
}
