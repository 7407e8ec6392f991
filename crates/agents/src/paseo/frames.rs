//! The frames of the daemon's WebSocket, converted on arrival.
//!
//! Only fields that are used are named; the daemon adds fields over time and never removes any.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::capped;
use crate::paseo::wire;
use crate::types::{
    AgentEvent, AgentId, AgentInfo, AgentStatus, BackendId, FileChange, Offers, Outcome,
    PermissionOption, PermissionRequest, PlanItem, PlanState, Position, TimelineEntry, ToolCall,
    ToolDetail, ToolStatus, Usage,
};

/// How much of a tool's output is passed on.
const OUTPUT_LIMIT: usize = 64 << 10;

/// An agent as the daemon describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Agent {
    pub(crate) id: String,
    provider: String,
    cwd: String,
    model: Option<String>,
    title: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
    pub(crate) status: String,
    labels: BTreeMap<String, Value>,
    pending_permissions: Vec<Permission>,
    persistence: Option<Persistence>,
    runtime_info: Option<Persistence>,
    pub(crate) last_error: Option<String>,
    requires_attention: bool,
    attention_reason: Option<String>,
    attention_timestamp: Option<String>,
    last_user_message_at: Option<String>,
    pub(crate) archived_at: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Persistence {
    session_id: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Permission {
    id: String,
    name: String,
    title: Option<String>,
    detail: Option<Value>,
    metadata: Option<PermissionMetadata>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PermissionMetadata {
    options: Vec<OfferedOption>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OfferedOption {
    option_id: String,
    name: String,
    kind: String,
}

impl Agent {
    /// Whether the turn of the last prompt ended well. The daemon keeps the mark of an earlier turn when a later one is cut
    /// off, so the times decide, where they are told.
    fn finished(&self) -> bool {
        let at = |time: &Option<String>| time.as_deref()?.parse::<jiff::Timestamp>().ok();
        self.requires_attention
            && self.attention_reason.as_deref() == Some("finished")
            && match (
                at(&self.attention_timestamp),
                at(&self.last_user_message_at),
            ) {
                (Some(finished), Some(asked)) => finished >= asked,
                _ => true,
            }
    }

    /// The agent in our terms.
    pub(crate) fn info(self, backend: &BackendId) -> AgentInfo {
        let finished = self.finished();
        let status = if self.archived_at.is_some() {
            AgentStatus::Archived
        } else {
            wire::status(&self.status, !self.pending_permissions.is_empty(), finished)
        };
        AgentInfo {
            backend: backend.clone(),
            id: AgentId(self.id),
            title: self.title.filter(|title| !title.is_empty()),
            provider: self.provider,
            model: self.model.filter(|model| !model.is_empty()),
            status,
            cwd: self.cwd,
            created_at: self.created_at,
            updated_at: self.updated_at,
            labels: self
                .labels
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(text) => (name, text),
                    other => (name, other.to_string()),
                })
                .collect(),
            permissions: self
                .pending_permissions
                .into_iter()
                .map(Permission::request)
                .collect(),
            last_error: self.last_error.map(readable),
            offers: Offers::default(),
            usage: None,
            session: [self.persistence, self.runtime_info]
                .into_iter()
                .flatten()
                .find_map(|place| place.session_id),
        }
    }
}

impl Permission {
    fn request(self) -> PermissionRequest {
        PermissionRequest {
            id: self.id,
            tool: self.name,
            title: self.title,
            detail: self.detail.as_ref().map(tool_detail),
            options: self
                .metadata
                .unwrap_or_default()
                .options
                .into_iter()
                .map(|option| PermissionOption {
                    id: option.option_id,
                    name: option.name,
                    kind: option.kind,
                })
                .collect(),
        }
    }
}

/// Some providers' errors arrive as the text of an object; that helps nobody.
pub(crate) fn readable(error: String) -> String {
    if error.trim() == "[object Object]" || error.trim().is_empty() {
        "the agent reported an error without a readable text".into()
    } else {
        error
    }
}

/// What one `agent_stream` frame says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StreamEvent {
    /// A person said something; with the id that the sender gave it.
    Said {
        text: String,
        message: Option<String>,
    },
    /// A turn began.
    Started,
    /// Something happened in it.
    Event(AgentEvent),
    /// The turn ended.
    Ended(Outcome, Option<Usage>),
    /// Nothing that concerns a turn.
    Other,
}

/// One `agent_stream` frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stream {
    pub(crate) agent: String,
    pub(crate) event: StreamEvent,
    pub(crate) position: Option<Position>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamPayload {
    agent_id: String,
    event: Value,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    epoch: Option<String>,
}

/// Reads the payload of an `agent_stream` frame; `None` for one without an agent.
pub(crate) fn stream(payload: Value) -> Option<Stream> {
    let payload: StreamPayload = serde_json::from_value(payload).ok()?;
    let event = &payload.event;
    let text = |name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
    let event = match event
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
    {
        "turn_started" => StreamEvent::Started,
        "timeline" => event.get("item").map_or(StreamEvent::Other, item),
        "permission_requested" => event
            .get("request")
            .and_then(|request| Permission::deserialize(request).ok())
            .map_or(StreamEvent::Other, |request| {
                StreamEvent::Event(AgentEvent::Permission {
                    request: request.request(),
                })
            }),
        "permission_resolved" => text("requestId").map_or(StreamEvent::Other, |id| {
            let answer = match event["resolution"]["behavior"].as_str() {
                Some("allow") => Some("allowed".to_owned()),
                Some("deny") => Some("denied".to_owned()),
                _ => None,
            };
            StreamEvent::Event(AgentEvent::PermissionResolved { id, answer })
        }),
        "turn_completed" => StreamEvent::Ended(Outcome::Completed, usage(event.get("usage"))),
        "turn_failed" => StreamEvent::Ended(
            Outcome::Failed {
                message: readable(
                    text("error")
                        .or_else(|| text("diagnostic"))
                        .unwrap_or_default(),
                ),
            },
            usage(event.get("usage")),
        ),
        "turn_canceled" => StreamEvent::Ended(Outcome::Cancelled, None),
        _ => StreamEvent::Other,
    };
    Some(Stream {
        agent: payload.agent_id,
        event,
        position: payload
            .epoch
            .zip(payload.seq)
            .map(|(epoch, seq)| Position { epoch, seq }),
    })
}

fn usage(value: Option<&Value>) -> Option<Usage> {
    let value = value?.as_object()?;
    let count = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
    Some(Usage {
        input_tokens: count("inputTokens"),
        output_tokens: count("outputTokens"),
        cached_tokens: count("cachedInputTokens"),
        ..Usage::default()
    })
}

/// Reads one item of a timeline.
pub(crate) fn item(item: &Value) -> StreamEvent {
    let text = |name: &str| {
        item.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    StreamEvent::Event(
        match item.get("type").and_then(Value::as_str).unwrap_or_default() {
            "user_message" => {
                return StreamEvent::Said {
                    text: text("text"),
                    message: item
                        .get("messageId")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                };
            }
            "assistant_message" => AgentEvent::Text { text: text("text") },
            "reasoning" => AgentEvent::Reasoning { text: text("text") },
            "tool_call" => AgentEvent::Tool {
                call: ToolCall {
                    id: text("callId"),
                    name: text("name"),
                    title: item
                        .pointer("/metadata/title")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    status: match text("status").as_str() {
                        "completed" => ToolStatus::Completed,
                        "failed" => ToolStatus::Failed,
                        "canceled" => ToolStatus::Cancelled,
                        _ => ToolStatus::Running,
                    },
                    detail: item
                        .get("detail")
                        .filter(|detail| detail.is_object())
                        .map(tool_detail),
                    error: match item.get("error") {
                        Some(Value::String(error)) => Some(error.clone()),
                        Some(Value::Object(error)) => error
                            .get("message")
                            .and_then(Value::as_str)
                            .map(str::to_owned),
                        _ => None,
                    },
                },
            },
            "todo" => AgentEvent::Plan {
                items: item
                    .get("items")
                    .and_then(Value::as_array)
                    .map(|items| {
                        items
                            .iter()
                            .map(|item| PlanItem {
                                text: item
                                    .get("text")
                                    .and_then(Value::as_str)
                                    .unwrap_or_default()
                                    .to_owned(),
                                state: match item.get("completed").and_then(Value::as_bool) {
                                    Some(true) => PlanState::Done,
                                    _ => PlanState::Waiting,
                                },
                            })
                            .collect()
                    })
                    .unwrap_or_default(),
            },
            "error" => AgentEvent::Notice {
                text: readable(text("message")),
            },
            "compaction" => AgentEvent::Notice {
                text: "the conversation was shortened to fit".into(),
            },
            _ => return StreamEvent::Other,
        },
    )
}

fn tool_detail(detail: &Value) -> ToolDetail {
    let text = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| detail.get(name).and_then(Value::as_str))
            .map(|text| capped_raw(text, OUTPUT_LIMIT))
    };
    let path = text(&["filePath", "path"]);
    let old_text = text(&["oldString", "oldText"]);
    let new_text = text(&["newString", "newText", "unifiedDiff", "diff"]);
    let changes = (old_text.is_some() || new_text.is_some()).then(|| FileChange {
        path: path.clone(),
        old_text,
        new_text,
    });
    ToolDetail {
        kind: text(&["type"]).unwrap_or_default(),
        paths: path.into_iter().collect(),
        command: text(&["command", "query", "url"]),
        output: text(&["output", "content", "result"]),
        changes: changes.into_iter().collect(),
        input: None,
    }
}

fn capped_raw(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        text.to_owned()
    } else {
        capped(text, limit)
    }
}

/// The answer to a request for a conversation's past.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Timeline {
    #[serde(default)]
    pub(crate) epoch: Option<String>,
    #[serde(default)]
    pub(crate) reset: bool,
    #[serde(default)]
    pub(crate) stale_cursor: bool,
    #[serde(default)]
    pub(crate) agent: Option<Agent>,
    #[serde(default)]
    pub(crate) entries: Vec<Entry>,
    #[serde(default)]
    pub(crate) error: Option<String>,
}

/// One entry of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) item: Value,
    #[serde(default)]
    pub(crate) timestamp: Option<String>,
    #[serde(default)]
    pub(crate) seq_end: u64,
}

impl Entry {
    /// The entry for a person who reads the conversation back.
    pub(crate) fn read_back(self, epoch: Option<&str>) -> Option<TimelineEntry> {
        let event = match item(&self.item) {
            StreamEvent::Said { text, .. } => AgentEvent::Prompt { text },
            StreamEvent::Event(event) => event,
            StreamEvent::Started | StreamEvent::Ended(..) | StreamEvent::Other => return None,
        };
        Some(TimelineEntry {
            at: self.timestamp,
            event,
            position: epoch.map(|epoch| Position {
                epoch: epoch.to_owned(),
                seq: self.seq_end,
            }),
        })
    }
}
