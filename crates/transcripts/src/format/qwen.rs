//! Qwen Code: `projects/<directory>/chats/<session>.jsonl`; every line says session and directory.

use serde_json::Value;

use super::gemini::content_part;
use super::{Read, Said, items, moment, text};
use crate::contract::TranscriptRole;

pub(super) fn read(line: &Value) -> Read<'_> {
    let (Some(kind), Some(session)) = (text(line, "type"), text(line, "sessionId")) else {
        return Read::default();
    };
    let mut read = Read {
        known: true,
        session: Some(session),
        directory: text(line, "cwd"),
        messages: Vec::new(),
    };
    let speaker = match kind {
        "user" => TranscriptRole::Person,
        "assistant" => TranscriptRole::Agent,
        "tool_result" => TranscriptRole::Output,
        _ => return read,
    };
    let mut said = Said {
        when: moment(line, "timestamp"),
        ..Said::default()
    };
    for part in items(line.get("message").and_then(|message| message.get("parts"))) {
        content_part(&mut said.parts, speaker, part);
    }
    read.messages.push(said);
    read
}
