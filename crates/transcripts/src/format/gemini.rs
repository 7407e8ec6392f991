//! Gemini CLI: `tmp/<project>/chats/session-<when>-<id>.jsonl`. A message is written again, under its id, when there is more
//! of it; `$set` changes what is known of the conversation.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Read, Said, items, moment, push, text, within};
use crate::contract::TranscriptRole;

pub(super) fn read(line: &Value) -> Read<'_> {
    if let Some(set) = line.get("$set") {
        return Read {
            known: true,
            messages: items(set.get("messages")).filter_map(message).collect(),
            ..Read::default()
        };
    }
    if let Some(session) = text(line, "sessionId") {
        return Read {
            known: line.get("projectHash").is_some(),
            session: Some(session),
            ..Read::default()
        };
    }
    let message = message(line);
    Read {
        known: message.is_some(),
        messages: message.into_iter().collect(),
        ..Read::default()
    }
}

fn message(message: &Value) -> Option<Said<'_>> {
    let kind = text(message, "type")?;
    let mut said = Said {
        id: Some(text(message, "id")?),
        when: moment(message, "timestamp"),
        parts: Vec::new(),
    };
    let parts = &mut said.parts;
    let speaker = match kind {
        "user" => TranscriptRole::Person,
        "gemini" => TranscriptRole::Agent,
        _ => TranscriptRole::Context,
    };
    for thought in items(message.get("thoughts")) {
        push(
            parts,
            TranscriptRole::Thought,
            None,
            text(thought, "subject"),
        );
        push(
            parts,
            TranscriptRole::Thought,
            None,
            text(thought, "description"),
        );
    }
    match message.get("content") {
        Some(Value::String(content)) => push(parts, speaker, None, Some(content)),
        content => {
            for part in items(content) {
                content_part(parts, speaker, part);
            }
        }
    }
    for call in items(message.get("toolCalls")) {
        within(
            parts,
            TranscriptRole::Tool,
            text(call, "name"),
            call.get("args"),
        );
    }
    Some(said)
}

/// A part as Gemini's interface has them: Qwen's are the same.
pub(super) fn content_part<'a>(
    parts: &mut Vec<super::Piece<'a>>,
    speaker: TranscriptRole,
    part: &'a Value,
) {
    if let Some(said) = text(part, "text") {
        let thought = part.get("thought").and_then(Value::as_bool) == Some(true);
        let role = match speaker {
            _ if thought => TranscriptRole::Thought,
            TranscriptRole::Person if said.starts_with("<session_context>") => {
                TranscriptRole::Context
            }
            speaker => speaker,
        };
        push(parts, role, None, Some(said));
    } else if let Some(call) = part.get("functionCall") {
        within(
            parts,
            TranscriptRole::Tool,
            text(call, "name"),
            call.get("args"),
        );
    } else if let Some(answer) = part
        .get("functionResponse")
        .and_then(|it| it.get("response"))
    {
        for field in ["output", "error"] {
            within(parts, TranscriptRole::Output, None, answer.get(field));
        }
    }
}

pub(super) fn directory_beside(transcript: &Path) -> Option<String> {
    let said = transcript.parent()?.parent()?.join(".project_root");
    let about = fs::metadata(&said).ok()?;
    let path = (about.len() < 4096).then(|| fs::read_to_string(said).ok())??;
    Some(path.trim().to_owned()).filter(|path| Path::new(path).is_absolute())
}
