//! The JSON as the `paseo` program prints it, converted on arrival.
//!
//! The exit status does not say whether a command worked: a turn that failed, timed out or waits for
//! a permission exits with 0, and only `status` tells. Fields that are not known are ignored, words
//! that are not known are kept.

use serde::Deserialize;
use serde_json::Value;

use crate::error::{AgentError, capped};
use crate::process::Output;
use crate::redact::redacted;
use crate::types::{AgentId, AgentInfo, AgentStatus, BackendId, Offers, PermissionRequest};

/// An error as the program reports it with `--json`.
#[derive(Debug, Deserialize)]
struct ErrorDocument {
    error: ErrorBody,
}

#[derive(Debug, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: Option<Value>,
}

/// What was asked, for reading the answer and for naming it in an error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// `send`, `archive`.
    pub(crate) command: &'a str,
    /// The host, as a person knows it.
    pub(crate) host: &'a str,
    /// The agent, the session or the permission that it was about.
    pub(crate) about: &'a str,
}

/// Reads the one JSON document that a command prints, or the reason why there is none.
pub(crate) fn document(asked: Asked<'_>, output: &Output) -> Result<Value, AgentError> {
    match find_json(&output.stdout) {
        Some(Value::Object(object)) if object.contains_key("error") && !output.success() => {
            Err(failure(asked, output))
        }
        Some(value) if output.success() => Ok(value),
        _ if !output.success() => Err(failure(asked, output)),
        _ => Err(AgentError::Garbled {
            what: format!("paseo {}", asked.command),
            reason: "it is not JSON".into(),
            got: redacted(&capped(&output.stdout, 200)),
        }),
    }
}

/// The JSON in what was printed: all of it, or what is left once warnings around it are cut off.
fn find_json(text: &str) -> Option<Value> {
    let text = text.trim();
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let lines = text
        .match_indices(['{', '['])
        .filter(|&(at, _)| at == 0 || text.as_bytes()[at - 1] == b'\n');
    for (at, _) in lines {
        let mut stream = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        if let Some(Ok(value)) = stream.next() {
            return Some(value);
        }
    }
    None
}

/// Turns what a failed command printed into the error that the socket would have given.
pub(crate) fn failure(asked: Asked<'_>, output: &Output) -> AgentError {
    let command = format!("paseo {}", asked.command);
    let body = find_json(&output.stderr)
        .or_else(|| find_json(&output.stdout))
        .and_then(|value| serde_json::from_value::<ErrorDocument>(value).ok())
        .map(|document| document.error);
    let Some(body) = body else {
        return AgentError::Program {
            command,
            exit: output.exit(),
            text: redacted(&capped(
                if output.stderr.trim().is_empty() {
                    &output.stdout
                } else {
                    &output.stderr
                },
                2_000,
            )),
        };
    };
    let message = redacted(&body.message);
    let host = asked.host.to_owned();
    match body.code.as_str() {
        "DAEMON_NOT_RUNNING" => {
            let reason = message
                .split_once("Cannot connect to daemon at ")
                .and_then(|(_, rest)| rest.split_once(": "))
                .map_or(message.clone(), |(_, reason)| reason.to_owned());
            if reason.ends_with("password") || reason.ends_with("Password required") {
                AgentError::Password { host, reason }
            } else {
                AgentError::Unreachable {
                    host,
                    reason: format!("{reason}; is it running? `paseo daemon start` starts it"),
                }
            }
        }
        "AGENT_NOT_FOUND" | "MISSING_AGENT_ID" => unknown(asked),
        "AGENT_RUNNING" => AgentError::Busy {
            agent: AgentId(asked.about.into()),
        },
        "NO_PENDING_PERMISSIONS" | "PERMISSION_NOT_FOUND" => AgentError::PermissionGone {
            permission: asked.about.into(),
        },
        "MISSING_PROMPT" => AgentError::BadRequest {
            field: "prompt".into(),
            message: "is blank; say something to the agent".into(),
        },
        _ if message.contains("Agent not found") => unknown(asked),
        code => AgentError::Refused {
            what: command,
            code: code.to_owned(),
            message: match body.details {
                Some(Value::String(details)) if !details.is_empty() => {
                    format!("{message} ({})", redacted(&details))
                }
                _ => message,
            },
        },
    }
}

fn unknown(asked: Asked<'_>) -> AgentError {
    AgentError::UnknownAgent {
        agent: asked.about.into(),
    }
}

/// When the agent had been archived before, the time at which it was.
pub(crate) fn archived_before(output: &Output) -> Option<Option<String>> {
    let document: ErrorDocument = serde_json::from_value(find_json(&output.stderr)?).ok()?;
    if document.error.code != "AGENT_ALREADY_ARCHIVED" {
        return None;
    }
    Some(match document.error.details {
        Some(Value::String(details)) => details
            .split_once("Archived at: ")
            .map(|(_, at)| at.trim().to_owned()),
        _ => None,
    })
}

fn garbled(what: &str, reason: impl std::fmt::Display, value: &Value) -> AgentError {
    AgentError::Garbled {
        what: format!("paseo {what}"),
        reason: reason.to_string(),
        got: redacted(&capped(&value.to_string(), 200)),
    }
}

/// The word for a state, as both transports use it, in our terms.
pub(crate) fn status(word: &str, asks: bool, finished_unseen: bool) -> AgentStatus {
    match word {
        "initializing" => AgentStatus::Starting,
        "running" if asks => AgentStatus::NeedsYou,
        "running" => AgentStatus::Working,
        "idle" if finished_unseen => AgentStatus::Done,
        "idle" => AgentStatus::Idle,
        "error" => AgentStatus::Failed,
        "closed" => AgentStatus::Asleep,
        other => AgentStatus::Unknown { word: other.into() },
    }
}

/// A path with the `~` that the program prints for the home directory.
fn expand_home(path: &str, home: Option<&str>) -> String {
    match (path.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            format!("{home}{rest}")
        }
        _ => path.to_owned(),
    }
}

#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    cwd: String,
    #[serde(default)]
    created: Option<String>,
}

/// Reads `ls --json`.
pub(crate) fn list(
    backend: &BackendId,
    value: Value,
    home: Option<&str>,
) -> Result<Vec<AgentInfo>, AgentError> {
    let shown = value.clone();
    let listed: Vec<Listed> =
        serde_json::from_value(value).map_err(|error| garbled("ls", error, &shown))?;
    Ok(listed
        .into_iter()
        .map(|listed| {
            let provider = listed.provider.unwrap_or_default();
            let (provider, model) = match provider.split_once('/') {
                Some((provider, model)) => (provider.to_owned(), known(Some(model.to_owned()))),
                None => (provider, None),
            };
            AgentInfo {
                backend: backend.clone(),
                id: AgentId(listed.id),
                title: known(listed.name),
                provider,
                model,
                status: status(&listed.status, false, false),
                cwd: expand_home(&listed.cwd, home),
                created_at: known(listed.created),
                updated_at: None,
                labels: Default::default(),
                permissions: Vec::new(),
                last_error: None,
                offers: Offers::default(),
                usage: None,
                session: None,
            }
        })
        .collect())
}

/// The program prints `-` for what is not there.
fn known(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.is_empty() && value != "-")
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    cwd: String,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    pending_permissions: Vec<PendingPermission>,
}

#[derive(Debug, Deserialize)]
struct PendingPermission {
    id: String,
    #[serde(default)]
    tool: String,
}

/// Reads `inspect --json`.
pub(crate) fn inspect(
    backend: &BackendId,
    value: Value,
    home: Option<&str>,
) -> Result<AgentInfo, AgentError> {
    let shown = value.clone();
    let agent: Inspected =
        serde_json::from_value(value).map_err(|error| garbled("inspect", error, &shown))?;
    let permissions: Vec<_> = agent
        .pending_permissions
        .into_iter()
        .map(|pending| PermissionRequest {
            id: pending.id,
            tool: pending.tool,
            title: None,
            detail: None,
            options: Vec::new(),
        })
        .collect();
    Ok(AgentInfo {
        backend: backend.clone(),
        id: AgentId(agent.id),
        title: known(agent.name),
        provider: agent.provider,
        model: known(agent.model),
        status: if agent.archived {
            AgentStatus::Archived
        } else {
            status(&agent.status, !permissions.is_empty(), false)
        },
        cwd: expand_home(&agent.cwd, home),
        created_at: agent.created_at,
        updated_at: agent.updated_at,
        labels: Default::default(),
        permissions,
        last_error: None,
        offers: Offers::default(),
        usage: None,
        session: None,
    })
}

/// What `send`, `wait`, `run` and `import` say of an agent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) agent: Option<String>,
    pub(crate) status: String,
    pub(crate) message: String,
    /// The agent's own text, where a version prints it.
    pub(crate) text: Option<String>,
}

/// Reads the result of a command that is about one agent, in every spelling that is known of it.
pub(crate) fn said(command: &str, value: Value) -> Result<Said, AgentError> {
    let field = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| value.get(name))
            .and_then(|field| match field {
                Value::String(text) => Some(text.clone()),
                Value::Null => None,
                other => Some(other.to_string()),
            })
    };
    let agent = field(&["agentId", "Id", "id"]);
    let status = field(&["status", "Status"]);
    let text = field(&["text", "output"]);
    let message = field(&["message", "error"]).unwrap_or_default();
    let status = match (status, value.get("ok").and_then(Value::as_bool)) {
        (Some(status), _) => status,
        (None, Some(true)) => "completed".into(),
        (None, Some(false)) => "error".into(),
        (None, None) if agent.is_some() => "created".into(),
        (None, None) => {
            return Err(garbled(
                command,
                "it has neither `status` nor `agentId`",
                &value,
            ));
        }
    };
    Ok(Said {
        agent,
        status,
        message,
        text,
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Permit {
    id: String,
    #[serde(default)]
    agent_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: Option<String>,
}

/// Reads `permit ls --json`: which agent waits for what.
pub(crate) fn permits(value: Value) -> Result<Vec<(AgentId, PermissionRequest)>, AgentError> {
    let shown = value.clone();
    let permits: Vec<Permit> =
        serde_json::from_value(value).map_err(|error| garbled("permit ls", error, &shown))?;
    Ok(permits
        .into_iter()
        .map(|permit| {
            (
                AgentId(permit.agent_id),
                PermissionRequest {
                    id: permit.id,
                    tool: permit.name,
                    title: known(permit.description),
                    detail: None,
                    options: Vec::new(),
                },
            )
        })
        .collect())
}

/// Reads `stop --json`: whether a turn was stopped.
pub(crate) fn stopped(value: &Value) -> Result<bool, AgentError> {
    value
        .get("stoppedCount")
        .and_then(Value::as_u64)
        .map(|count| count > 0)
        .ok_or_else(|| garbled("stop", "it has no `stoppedCount`", value))
}
