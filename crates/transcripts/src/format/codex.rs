//! Codex: `sessions/<year>/<month>/<day>/rollout-<when>-<session>.jsonl`; every line is of a type, with a payload.

use serde_json::Value;

use super::{Read, Said, items, moment, push, text, within};
use crate::contract::TranscriptRole;

pub(super) fn read(line: &Value) -> Read<'_> {
    let (Some(kind), Some(payload)) = (text(line, "type"), line.get("payload")) else {
        return Read::default();
    };
    let mut read = Read {
        known: true,
        ..Read::default()
    };
    match kind {
        "session_meta" => {
            read.session = text(payload, "id");
            read.directory = text(payload, "cwd");
        }
        // What is told as an event beside is the same again.
        "response_item" => {
            let mut said = Said {
                when: moment(line, "timestamp"),
                ..Said::default()
            };
            item(payload, &mut said);
            read.messages.push(said);
        }
        _ => {}
    }
    read
}

fn item<'a>(payload: &'a Value, said: &mut Said<'a>) {
    let parts = &mut said.parts;
    let name = text(payload, "name");
    match text(payload, "type") {
        Some("message") => {
            for part in items(payload.get("content")) {
                let text = text(part, "text");
                push(parts, speaker(payload, text), None, text);
            }
        }
        Some("reasoning") => {
            for field in ["summary", "content"] {
                for part in items(payload.get(field)) {
                    push(parts, TranscriptRole::Thought, None, text(part, "text"));
                }
            }
        }
        Some("function_call") => push(
            parts,
            TranscriptRole::Tool,
            name,
            text(payload, "arguments"),
        ),
        Some("custom_tool_call") => push(parts, TranscriptRole::Tool, name, text(payload, "input")),
        Some("local_shell_call") => {
            let command = payload.pointer("/action/command");
            within(parts, TranscriptRole::Tool, Some("shell"), command);
        }
        Some("web_search_call") => {
            let query = payload.pointer("/action/query");
            within(parts, TranscriptRole::Tool, Some("web search"), query);
        }
        Some("function_call_output" | "custom_tool_call_output") => match payload.get("output") {
            Some(Value::String(output)) => push(parts, TranscriptRole::Output, None, Some(output)),
            Some(Value::Object(output)) => {
                within(parts, TranscriptRole::Output, None, output.get("content"));
            }
            output => {
                for part in items(output) {
                    push(parts, TranscriptRole::Output, None, text(part, "text"));
                }
            }
        },
        _ => {}
    }
}

fn speaker(payload: &Value, said: Option<&str>) -> TranscriptRole {
    match text(payload, "role") {
        Some("assistant") => TranscriptRole::Agent,
        Some("user") => {
            // It is Codex that says in the person's place where it is.
            let told = said.is_some_and(|text| {
                [
                    "<environment_context>",
                    "<user_instructions>",
                    "# AGENTS.md",
                ]
                .iter()
                .any(|begin| text.starts_with(begin))
            });
            if told {
                TranscriptRole::Context
            } else {
                TranscriptRole::Person
            }
        }
        _ => TranscriptRole::Context,
    }
}
