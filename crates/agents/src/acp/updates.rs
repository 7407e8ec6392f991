//! What an ACP agent says, in our terms. Kinds that are not known are passed over.

use std::collections::HashMap;

use agent_client_protocol::v1::schema::{
    self as protocol, ContentBlock, PermissionOptionKind, PlanEntryStatus,
    RequestPermissionRequest, SessionUpdate, ToolCallContent, ToolCallStatus, ToolCallUpdateFields,
    ToolKind,
};

use serde::Deserialize as _;
use serde_json::Value;

use crate::error::capped;
use crate::types::{
    AgentEvent, FileChange, PermissionOption, PermissionRequest, PlanItem, PlanState, ToolCall,
    ToolDetail, ToolStatus,
};

/// How much of a tool's text is passed on.
const TEXT_LIMIT: usize = 256 << 10;
/// How much of what is not known is kept.
const OTHER_LIMIT: usize = 4 << 10;

/// The tool calls of a session, since updates only name what changed.
#[derive(Debug, Default)]
pub(super) struct Calls(HashMap<String, ToolCall>);

impl Calls {
    /// Reads one update. What is not known is kept as it came.
    pub(super) fn read(&mut self, raw: Value) -> AgentEvent {
        let known = SessionUpdate::deserialize(&raw)
            .ok()
            .and_then(|update| self.known(update));
        known.unwrap_or_else(|| AgentEvent::Other {
            kind: raw["sessionUpdate"].as_str().unwrap_or("?").to_owned(),
            text: capped(
                &serde_json::to_string_pretty(&raw).unwrap_or_default(),
                OTHER_LIMIT,
            ),
        })
    }

    fn known(&mut self, update: SessionUpdate) -> Option<AgentEvent> {
        Some(match update {
            SessionUpdate::UserMessageChunk(chunk) => AgentEvent::Prompt {
                text: text(&chunk.content)?,
            },
            SessionUpdate::AgentMessageChunk(chunk) => AgentEvent::Text {
                text: text(&chunk.content)?,
            },
            SessionUpdate::AgentThoughtChunk(chunk) => AgentEvent::Reasoning {
                text: text(&chunk.content)?,
            },
            SessionUpdate::ToolCall(call) => {
                let fields = ToolCallUpdateFields::new()
                    .kind(call.kind)
                    .status(call.status)
                    .title(call.title)
                    .content(call.content)
                    .locations(call.locations)
                    .raw_input(call.raw_input)
                    .raw_output(call.raw_output);
                AgentEvent::Tool {
                    call: self.merge(&call.tool_call_id.0, call.name, fields),
                }
            }
            SessionUpdate::ToolCallUpdate(update) => AgentEvent::Tool {
                call: self.merge(
                    &update.tool_call_id.0,
                    update.fields.name.clone(),
                    update.fields,
                ),
            },
            SessionUpdate::Plan(plan) => AgentEvent::Plan {
                items: plan
                    .entries
                    .into_iter()
                    .map(|entry| PlanItem {
                        state: match entry.status {
                            PlanEntryStatus::Completed => PlanState::Done,
                            PlanEntryStatus::InProgress => PlanState::Working,
                            _ => PlanState::Waiting,
                        },
                        text: entry.content,
                    })
                    .collect(),
            },
            SessionUpdate::Notice(notice) => AgentEvent::Notice {
                text: [Some(notice.title), notice.description]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(": "),
            },
            _ => return None,
        })
    }

    /// Reads what the agent asks, under the id that this side gives it; what is known of the call is part of it, and
    /// what it says of the call is kept.
    pub(super) fn asks(
        &mut self,
        id: String,
        request: &RequestPermissionRequest,
    ) -> (ToolCall, PermissionRequest) {
        let asked = &request.tool_call;
        let call = self.merge(
            &asked.tool_call_id.0,
            asked.fields.name.clone(),
            asked.fields.clone(),
        );
        let request = PermissionRequest {
            id,
            tool: call.name.clone(),
            title: call.title.clone(),
            detail: call.detail.clone(),
            options: request.options.iter().map(option).collect(),
        };
        (call, request)
    }

    /// Whether a call that runs tells of this file.
    pub(super) fn tells_of(&self, path: &str) -> bool {
        self.0.values().any(|call| {
            call.status == ToolStatus::Running
                && call
                    .detail
                    .as_ref()
                    .is_some_and(|detail| detail.paths.iter().any(|told| told == path))
        })
    }

    /// Ends the calls of which no end was told.
    pub(super) fn end(&mut self, status: &ToolStatus) -> Vec<ToolCall> {
        let running = self
            .0
            .values_mut()
            .filter(|call| call.status == ToolStatus::Running);
        running
            .map(|call| {
                call.status = status.clone();
                call.clone()
            })
            .collect()
    }

    fn merge(&mut self, id: &str, name: Option<String>, fields: ToolCallUpdateFields) -> ToolCall {
        // A session that ran for days keeps the calls that may still change, not all of them.
        if self.0.len() > 1_000 {
            self.0.retain(|_, call| call.status == ToolStatus::Running);
        }
        let call = self.0.entry(id.to_owned()).or_insert_with(|| ToolCall {
            id: id.to_owned(),
            name: String::new(),
            title: None,
            status: ToolStatus::Running,
            detail: None,
            error: None,
        });
        apply(call, name, fields);
        call.clone()
    }
}

fn apply(call: &mut ToolCall, name: Option<String>, fields: ToolCallUpdateFields) {
    let detail = call.detail.get_or_insert_with(ToolDetail::default);
    if let Some(kind) = fields.kind {
        detail.kind = kind_word(kind).into();
    }
    if let Some(name) = name {
        call.name = name;
    } else if call.name.is_empty() {
        call.name = detail.kind.clone();
    }
    if let Some(title) = fields.title {
        call.title = Some(capped(&title, 2_000));
    }
    match fields.status {
        Some(ToolCallStatus::Completed) => call.status = ToolStatus::Completed,
        Some(ToolCallStatus::Failed) => call.status = ToolStatus::Failed,
        Some(_) => call.status = ToolStatus::Running,
        None => {}
    }
    for location in fields.locations.unwrap_or_default() {
        detail.touches(location.path.display().to_string());
    }
    if let Some(input) = &fields.raw_input {
        read_input(input, detail);
    }
    let mut output = String::new();
    let mut changes = Vec::new();
    for content in fields.content.unwrap_or_default() {
        match content {
            ToolCallContent::Content(content) => {
                let text = text(&content.content).unwrap_or_default();
                if !output.is_empty() && !output.ends_with('\n') {
                    output.push('\n');
                }
                output.push_str(&text);
            }
            ToolCallContent::Diff(diff) => changes.push(FileChange {
                path: Some(diff.path.display().to_string()),
                old_text: diff.old_text.map(|text| capped(&text, TEXT_LIMIT)),
                new_text: Some(capped(&diff.new_text, TEXT_LIMIT)),
            }),
            _ => {}
        }
    }
    if !changes.is_empty() {
        for path in changes.iter().filter_map(|change| change.path.clone()) {
            detail.touches(path);
        }
        detail.changes = changes;
    }
    if output.is_empty()
        && let Some(raw) = &fields.raw_output
    {
        output = read_output(raw);
    }
    if !output.is_empty() {
        if call.status == ToolStatus::Failed {
            call.error = Some(capped(&output, 2_000));
        }
        detail.output = Some(capped(&output, TEXT_LIMIT));
    }
}

/// What a tool was given: the fields whose meaning is known, or else all of it.
fn read_input(input: &Value, detail: &mut ToolDetail) {
    let word = |name: &str| {
        let value = input.get(name)?;
        let words = value.as_array().map(|words| {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
            words.join(" ")
        });
        let text = words.or_else(|| value.as_str().map(str::to_owned))?;
        Some(capped(&text, TEXT_LIMIT)).filter(|text| !text.is_empty())
    };
    detail.command = word("command").or_else(|| detail.command.take());
    if detail.paths.is_empty()
        && let Some(path) = ["path", "file_path", "filePath"].into_iter().find_map(word)
    {
        detail.paths.push(path);
    }
    let told = detail.command.is_some() || !detail.paths.is_empty();
    let empty = input.as_object().is_none_or(serde_json::Map::is_empty);
    detail.input = (!told && !empty)
        .then(|| serde_json::to_string_pretty(input).ok())
        .flatten()
        .map(|text| capped(&text, TEXT_LIMIT));
}

/// What a tool gave back, where it is not told in words.
fn read_output(output: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    text(output)
        .or_else(|| {
            ["output", "stdout", "formatted_output", "error"]
                .into_iter()
                .find_map(|name| output.get(name).and_then(text))
        })
        .unwrap_or_else(|| match output {
            Value::Null => String::new(),
            Value::Object(fields) if fields.is_empty() => String::new(),
            other => serde_json::to_string_pretty(other).unwrap_or_default(),
        })
}

fn kind_word(kind: ToolKind) -> &'static str {
    match kind {
        ToolKind::Read => "read",
        ToolKind::Edit => "edit",
        ToolKind::Delete => "delete",
        ToolKind::Move => "move",
        ToolKind::Search => "search",
        ToolKind::Execute => "shell",
        ToolKind::Think => "think",
        ToolKind::Fetch => "fetch",
        ToolKind::SwitchMode => "mode",
        _ => "other",
    }
}

fn text(content: &ContentBlock) -> Option<String> {
    match content {
        ContentBlock::Text(text) => Some(text.text.clone()),
        ContentBlock::ResourceLink(link) => Some(link.uri.clone()),
        _ => None,
    }
}

fn option(option: &protocol::PermissionOption) -> PermissionOption {
    PermissionOption {
        id: option.option_id.0.to_string(),
        name: option.name.clone(),
        kind: match option.kind {
            PermissionOptionKind::AllowOnce => "allow_once",
            PermissionOptionKind::AllowAlways => "allow_always",
            PermissionOptionKind::RejectOnce => "reject_once",
            PermissionOptionKind::RejectAlways => "reject_always",
            _ => "other",
        }
        .into(),
    }
}
