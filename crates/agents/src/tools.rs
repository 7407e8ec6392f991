//! What a tool call is about, by the names that Claude Code, Codex and OpenCode have for what a tool is given.

use serde_json::Value;

use crate::error::capped;
use crate::types::{FileChange, ToolCall, ToolDetail, ToolStatus};

/// How much of a tool's text is passed on.
pub(crate) const TEXT_LIMIT: usize = 256 << 10;

/// A text, if it is one.
pub(crate) fn word(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// An amount as people write it; nothing for nothing.
pub(crate) fn dollars(amount: f64) -> Option<String> {
    (amount > 0.0).then(|| format!("{} USD", (amount * 10_000.0).round() / 10_000.0))
}

/// Notes how a call ended, and what its tool said.
pub(crate) fn ended(call: &mut ToolCall, failed: bool, said: String) {
    let said = capped(&said, TEXT_LIMIT);
    call.status = if failed {
        ToolStatus::Failed
    } else {
        ToolStatus::Completed
    };
    if failed {
        call.error = Some(capped(&said, 2_000));
    }
    if !said.is_empty() {
        call.detail.get_or_insert_default().output = Some(said);
    }
}

/// What a tool was given, by the names that Claude and OpenCode have for it.
pub(crate) fn given(name: &str, input: &Value) -> ToolDetail {
    let first = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| input[*name].as_str())
            .map(|text| capped(text, TEXT_LIMIT))
    };
    let path = first(&["file_path", "filePath", "path", "notebook_path"]);
    let old_text = first(&["old_string", "oldString"]);
    let new_text = first(&["new_string", "newString", "content"]);
    let changes = new_text.is_some().then(|| FileChange {
        path: path.clone(),
        old_text,
        new_text,
    });
    let command = first(&["command", "pattern", "query", "url"]);
    let told = path.is_some() || command.is_some();
    ToolDetail {
        kind: name.to_lowercase(),
        paths: path.into_iter().collect(),
        command,
        output: None,
        changes: changes.into_iter().collect(),
        input: (!told && input.as_object().is_some_and(|fields| !fields.is_empty()))
            .then(|| capped(&format!("{input:#}"), TEXT_LIMIT)),
    }
}
