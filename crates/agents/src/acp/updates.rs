//! What an ACP agent says, in our terms. Kinds that are not known are passed over.

use std::collections::HashMap;

use agent_client_protocol::v1::schema::{
    ContentBlock, PermissionOptionKind, PlanEntryStatus, RequestPermissionRequest, SessionUpdate,
    ToolCallContent, ToolCallStatus, ToolCallUpdateFields, ToolKind,
};

use crate::error::capped;
use crate::types::{
    AgentEvent, PermissionOption, PermissionRequest, PlanItem, ToolCall, ToolDetail, ToolStatus,
};

/// How much of a tool's text is passed on.
const TEXT_LIMIT: usize = 256 << 10;

/// The tool calls of a session, since updates only name what changed.
#[derive(Debug, Default)]
pub(super) struct Calls(HashMap<String, ToolCall>);

impl Calls {
    /// Reads one update; `None` for what is not shown.
    pub(super) fn read(&mut self, update: SessionUpdate) -> Option<AgentEvent> {
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
                self.merge(&call.tool_call_id.0, call.name, fields)
            }
            SessionUpdate::ToolCallUpdate(update) => self.merge(
                &update.tool_call_id.0,
                update.fields.name.clone(),
                update.fields,
            ),
            SessionUpdate::Plan(plan) => AgentEvent::Plan {
                items: plan
                    .entries
                    .into_iter()
                    .map(|entry| PlanItem {
                        done: entry.status == PlanEntryStatus::Completed,
                        text: entry.content,
                    })
                    .collect(),
            },
            _ => return None,
        })
    }

    fn merge(
        &mut self,
        id: &str,
        name: Option<String>,
        fields: ToolCallUpdateFields,
    ) -> AgentEvent {
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
        AgentEvent::Tool { call: call.clone() }
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
    if let Some(location) = fields.locations.unwrap_or_default().first() {
        detail.path = Some(location.path.display().to_string());
    }
    if let Some(input) = &fields.raw_input {
        let word = |name: &str| {
            input
                .get(name)
                .and_then(serde_json::Value::as_str)
                .map(|text| capped(text, TEXT_LIMIT))
        };
        detail.command = word("command").or_else(|| detail.command.take());
        if detail.path.is_none() {
            detail.path = word("path")
                .or_else(|| word("file_path"))
                .or_else(|| word("filePath"));
        }
    }
    let mut output = String::new();
    for content in fields.content.unwrap_or_default() {
        match content {
            ToolCallContent::Content(content) => {
                output.push_str(&text(&content.content).unwrap_or_default())
            }
            ToolCallContent::Diff(diff) => {
                detail.path = Some(diff.path.display().to_string());
                detail.old_text = diff.old_text.map(|text| capped(&text, TEXT_LIMIT));
                detail.new_text = Some(capped(&diff.new_text, TEXT_LIMIT));
            }
            _ => {}
        }
    }
    if !output.is_empty() {
        if call.status == ToolStatus::Failed {
            call.error = Some(capped(&output, 2_000));
        }
        detail.output = Some(capped(&output, TEXT_LIMIT));
    }
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

/// Reads what the agent asks, under the id that this side gives it.
pub(super) fn permission(id: String, request: &RequestPermissionRequest) -> PermissionRequest {
    let mut call = ToolCall {
        id: request.tool_call.tool_call_id.0.to_string(),
        name: String::new(),
        title: None,
        status: ToolStatus::Running,
        detail: None,
        error: None,
    };
    apply(
        &mut call,
        request.tool_call.fields.name.clone(),
        request.tool_call.fields.clone(),
    );
    PermissionRequest {
        id,
        tool: call.name,
        title: call.title,
        detail: call.detail,
        options: request
            .options
            .iter()
            .map(|option| PermissionOption {
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
            })
            .collect(),
    }
}
