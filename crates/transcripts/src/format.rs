//! What a line of JSON means in the transcripts of each agent.

mod claude;
mod codex;
mod gemini;
mod qwen;

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use crate::contract::{TranscriptAgent, TranscriptRole};

/// What a line says, of the conversation and in it.
#[derive(Debug, Default)]
pub(crate) struct Read<'a> {
    /// The line is one that a known version writes.
    pub(crate) known: bool,
    pub(crate) session: Option<&'a str>,
    pub(crate) directory: Option<&'a str>,
    pub(crate) messages: Vec<Said<'a>>,
}

/// A message.
#[derive(Debug, Default)]
pub(crate) struct Said<'a> {
    /// What it is called when it is written again.
    pub(crate) id: Option<&'a str>,
    pub(crate) when: Option<u64>,
    pub(crate) parts: Vec<Piece<'a>>,
}

/// A part of a message: one text of the JSON, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) role: TranscriptRole,
    pub(crate) name: Option<String>,
    pub(crate) text: &'a str,
}

/// Reads a line of an agent's transcript.
pub(crate) fn read(agent: TranscriptAgent, line: &Value) -> Read<'_> {
    match agent {
        TranscriptAgent::Claude => claude::read(line),
        TranscriptAgent::Codex => codex::read(line),
        TranscriptAgent::Gemini => gemini::read(line),
        TranscriptAgent::Qwen => qwen::read(line),
        // Its transcripts are rows.
        TranscriptAgent::Opencode => Read::default(),
    }
}

/// Whether a message is written anew when there is more of it.
pub(crate) fn repeats(agent: TranscriptAgent) -> bool {
    agent == TranscriptAgent::Gemini
}

/// The directory in which an agent worked, where a file beside the transcript says it.
pub(crate) fn directory_beside(agent: TranscriptAgent, transcript: &Path) -> Option<String> {
    match agent {
        TranscriptAgent::Gemini => gemini::directory_beside(transcript),
        _ => None,
    }
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

/// A moment as JavaScript writes it.
fn moment(value: &Value, field: &str) -> Option<u64> {
    let at: Timestamp = text(value, field)?.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok()
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn push<'a>(
    parts: &mut Vec<Piece<'a>>,
    role: TranscriptRole,
    name: Option<&str>,
    text: Option<&'a str>,
) {
    if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
        parts.push(Piece {
            role,
            name: name.map(str::to_owned),
            text,
        });
    }
}

/// Takes every text within a value: what a tool is asked, or answers.
pub(crate) fn within<'a>(
    parts: &mut Vec<Piece<'a>>,
    role: TranscriptRole,
    name: Option<&str>,
    value: Option<&'a Value>,
) {
    // A program's JSON nests a little; what nests deeper than the parser lets through never comes here.
    match value {
        Some(Value::String(text)) => push(parts, role, name, Some(text)),
        Some(Value::Array(values)) => {
            for value in values {
                within(parts, role, name, Some(value));
            }
        }
        Some(Value::Object(fields)) => {
            for (field, value) in fields {
                let name = match name {
                    Some(name) => format!("{name} · {field}"),
                    None => field.clone(),
                };
                within(parts, role, Some(&name), Some(value));
            }
        }
        _ => {}
    }
}
