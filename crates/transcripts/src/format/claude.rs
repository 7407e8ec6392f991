//! Claude Code: `projects/<directory>/<session>.jsonl`, a line for whatever happens.

use serde_json::Value;

use super::{Read, Said, items, moment, push, text, within};
use crate::contract::TranscriptRole;

pub(super) fn read(line: &Value) -> Read<'_> {
    let Some(kind) = text(line, "type") else {
        return Read::default();
    };
    let mut read = Read {
        known: true,
        session: text(line, "sessionId"),
        directory: text(line, "cwd"),
        messages: Vec::new(),
    };
    let Some(message) = line.get("message") else {
        return read;
    };
    let meta = line.get("isMeta").and_then(Value::as_bool) == Some(true);
    let speaker = match kind {
        "user" if meta => TranscriptRole::Context,
        "user" => TranscriptRole::Person,
        "assistant" => TranscriptRole::Agent,
        _ => return read,
    };
    let mut said = Said {
        when: moment(line, "timestamp"),
        ..Said::default()
    };
    let content = message.get("content");
    push(
        &mut said.parts,
        speaker,
        None,
        content.and_then(Value::as_str),
    );
    for part in items(content) {
        let parts = &mut said.parts;
        match text(part, "type") {
            Some("text") => push(parts, speaker, None, text(part, "text")),
            Some("thinking") => push(parts, TranscriptRole::Thought, None, text(part, "thinking")),
            Some("tool_use") => within(
                parts,
                TranscriptRole::Tool,
                text(part, "name"),
                part.get("input"),
            ),
            Some("tool_result") => match part.get("content") {
                Some(Value::String(output)) => {
                    push(parts, TranscriptRole::Output, None, Some(output))
                }
                content => {
                    for part in items(content) {
                        push(parts, TranscriptRole::Output, None, text(part, "text"));
                    }
                }
            },
            _ => {}
        }
    }
    read.messages.push(said);
    read
}
