//! What an OpenCode server says, in our terms: sessions, parts of messages, what it asks, what can be chosen.

use serde_json::Value;

use crate::error::capped;
use crate::tools::{TEXT_LIMIT, ended, given, word};
use crate::types::{
    AgentCommand, AgentSetting, FileChange, Offers, Outcome, PermissionOption, PermissionRequest,
    PlanItem, PlanState, SettingChoice, ToolCall, ToolDetail, ToolStatus, Usage,
};

/// How a title begins that the server gave before there was anything to go by.
const NO_TITLE: &str = "New session - ";
/// Where our labels are in what the server keeps of a session.
pub(super) const LABELS: &str = "switchyard";

/// A session, as the server tells it.
#[derive(Debug, Clone, Default)]
pub(super) struct Info {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) cwd: String,
    pub(super) title: Option<String>,
    pub(super) model: Option<String>,
    pub(super) mode: Option<String>,
    pub(super) created: Option<String>,
    pub(super) updated: Option<String>,
    /// In milliseconds, for putting the newest first.
    pub(super) updated_ms: u64,
    pub(super) archived: bool,
    pub(super) usage: Usage,
    pub(super) labels: std::collections::BTreeMap<String, String>,
}

/// Reads a session; `None` where it has no id.
pub(super) fn info(told: &Value) -> Option<Info> {
    let time = &told["time"];
    let tokens = &told["tokens"];
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let labels = told["metadata"][LABELS].as_object().into_iter().flatten();
    Some(Info {
        id: word(&told["id"])?,
        parent: word(&told["parentID"]),
        cwd: word(&told["directory"]).unwrap_or_default(),
        title: word(&told["title"]).filter(|title| !title.starts_with(NO_TITLE)),
        model: model(&told["model"], "id"),
        mode: word(&told["agent"]),
        created: at(&time["created"]),
        updated: at(&time["updated"]),
        updated_ms: count(&time["updated"]),
        archived: time["archived"].as_u64().is_some(),
        usage: Usage {
            input_tokens: count(&tokens["input"]),
            output_tokens: count(&tokens["output"]),
            cached_tokens: count(&tokens["cache"]["read"]),
            cost: crate::tools::dollars(told["cost"].as_f64().unwrap_or(0.0)),
            ..Usage::default()
        },
        labels: labels
            .filter_map(|(name, value)| Some((name.clone(), word(value)?)))
            .collect(),
    })
}

/// `provider/model`; in some places the model is its `id`, in others its `modelID`.
pub(super) fn model(told: &Value, field: &str) -> Option<String> {
    Some(format!(
        "{}/{}",
        told["providerID"].as_str()?,
        told[field].as_str()?
    ))
}

/// A time of the server, in ISO 8601.
pub(super) fn at(told: &Value) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(told.as_i64()?).ok()?;
    Some(time.to_string())
}

/// The tool call that a part of a message tells of.
pub(super) fn tool(part: &Value) -> Option<ToolCall> {
    let (name, state) = (word(&part["tool"])?, &part["state"]);
    let mut call = ToolCall {
        id: word(&part["callID"]).or_else(|| word(&part["id"]))?,
        title: word(&state["title"]).filter(|title| !title.is_empty()),
        detail: Some(given(&name, &state["input"])),
        name,
        status: ToolStatus::Running,
        error: None,
    };
    let changed = changes(&state["metadata"]);
    if let Some(detail) = call.detail.as_mut().filter(|_| !changed.is_empty()) {
        note(detail, changed);
    }
    match state["status"].as_str() {
        Some("completed") => ended(&mut call, false, word(&state["output"]).unwrap_or_default()),
        Some("error") => {
            let why = word(&state["error"]).unwrap_or_default();
            ended(&mut call, true, why);
            if state["metadata"]["interrupted"] == true {
                call.status = ToolStatus::Cancelled;
            }
        }
        _ => {}
    }
    Some(call)
}

/// The changes that the details of a tool or of a question tell of, file by file.
fn changes(metadata: &Value) -> Vec<FileChange> {
    let text = |value: &Value| word(value).map(|text| capped_text(&text));
    let one = |told: &Value| {
        let path = ["movePath", "filePath", "file", "relativePath"];
        FileChange {
            path: path.iter().find_map(|name| word(&told[*name])),
            old_text: text(&told["before"]),
            new_text: text(&told["after"])
                .or_else(|| text(&told["patch"]))
                .or_else(|| text(&told["diff"])),
        }
    };
    if let Some(files) = metadata["files"]
        .as_array()
        .filter(|files| !files.is_empty())
    {
        return files.iter().map(one).collect();
    }
    if metadata["filediff"].is_object() {
        return vec![one(&metadata["filediff"])];
    }
    let Some(diff) = text(&metadata["diff"]).filter(|diff| !diff.trim().is_empty()) else {
        return Vec::new();
    };
    vec![FileChange {
        path: word(&metadata["filepath"]),
        old_text: None,
        new_text: Some(diff),
    }]
}

fn capped_text(text: &str) -> String {
    if text.len() <= TEXT_LIMIT {
        return text.to_owned();
    }
    capped(text, TEXT_LIMIT)
}

fn note(detail: &mut ToolDetail, changed: Vec<FileChange>) {
    for path in changed.iter().filter_map(|change| change.path.clone()) {
        detail.touches(path);
    }
    detail.changes = changed;
    detail.input = None;
}

/// What the server wants to be allowed.
pub(super) fn permission(told: &Value) -> Option<PermissionRequest> {
    let texts = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(word)
            .collect()
    };
    let (tool, metadata) = (word(&told["permission"])?, &told["metadata"]);
    let patterns = texts(&told["patterns"]);
    let mut detail = given(&tool, metadata);
    let changed = changes(metadata);
    if !changed.is_empty() {
        note(&mut detail, changed);
    }
    if detail.command.is_none() && detail.changes.is_empty() && !patterns.is_empty() {
        detail.command = Some(patterns.join("\n"));
    }
    let for_ever = texts(&told["always"]);
    let always = if for_ever.is_empty() {
        "Allow always".to_owned()
    } else {
        format!("Allow always: {}", for_ever.join(", "))
    };
    Some(PermissionRequest {
        id: word(&told["id"])?,
        title: Some(capped(&format!("{tool} {}", patterns.join(", ")), 500)),
        tool,
        detail: Some(detail),
        options: vec![
            option("once", "Allow once", "allow_once"),
            option("always", &always, "allow_always"),
            option("reject", "Reject", "reject_once"),
        ],
    })
}

/// What the server asks a person, the question `at` of those that it asks at once.
pub(super) fn question(told: &Value, at: usize) -> Option<PermissionRequest> {
    let question = told["questions"].get(at)?;
    let choices = question["options"].as_array().into_iter().flatten();
    let mut options: Vec<_> = choices
        .filter_map(|choice| word(&choice["label"]))
        .map(|label| option(&label, &label, "allow_once"))
        .collect();
    options.push(option("reject", "Don't answer", "reject_once"));
    Some(PermissionRequest {
        id: format!("{}#{at}", told["id"].as_str()?),
        tool: "question".into(),
        title: word(&question["question"]),
        detail: Some(ToolDetail {
            kind: "question".into(),
            output: Some(
                question["options"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|choice| {
                        let what = word(&choice["description"]).filter(|what| !what.is_empty())?;
                        Some(format!("{}: {what}", choice["label"].as_str()?))
                    })
                    .collect::<Vec<_>>()
                    .join("\n"),
            )
            .filter(|text| !text.is_empty()),
            ..ToolDetail::default()
        }),
        options,
    })
}

fn option(id: &str, name: &str, kind: &str) -> PermissionOption {
    PermissionOption {
        id: id.into(),
        name: name.into(),
        kind: kind.into(),
    }
}

/// What a step of a turn used: how full the context is with it.
pub(super) fn step(part: &Value) -> Usage {
    let tokens = &part["tokens"];
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let cached = count(&tokens["cache"]["read"]);
    let all = count(&tokens["input"]) + count(&tokens["output"]) + cached;
    Usage {
        context_used: (all > 0).then_some(all),
        ..Usage::default()
    }
}

/// The agent's plan.
pub(super) fn plan(todos: &Value) -> Vec<PlanItem> {
    let todos = todos.as_array().into_iter().flatten();
    todos
        .filter_map(|item| {
            Some(PlanItem {
                text: word(&item["content"])?,
                state: match item["status"].as_str() {
                    Some("in_progress") => PlanState::Working,
                    Some("completed" | "cancelled") => PlanState::Done,
                    _ => PlanState::Waiting,
                },
            })
        })
        .collect()
}

/// What an error of a turn means.
pub(super) fn failure(error: &Value) -> Outcome {
    let name = error["name"].as_str().unwrap_or("an error");
    if name == "MessageAbortedError" {
        return Outcome::Cancelled;
    }
    let message = error["data"]["message"].as_str().unwrap_or(name);
    Outcome::Failed {
        message: capped(message, 2_000),
    }
}

/// What can be chosen in a directory, and what may be asked there; `in_force` are the model and the mode.
pub(super) fn offers(
    providers: &Value,
    agents: &Value,
    commands: &Value,
    in_force: (Option<&str>, Option<&str>),
) -> Offers {
    let models: Vec<_> = models(providers).collect();
    let modes = agents.as_array().into_iter().flatten();
    let modes = modes.filter(|mode| mode["mode"] != "subagent" && mode["hidden"] != true);
    let modes: Vec<_> = modes
        .filter_map(|mode| {
            let name = word(&mode["name"])?;
            Some(SettingChoice {
                value: name.clone(),
                name,
                description: word(&mode["description"]),
            })
        })
        .collect();
    let image = |told: &&(String, &Value)| in_force.0.is_none_or(|model| told.0 == model);
    let images = models
        .iter()
        .filter(image)
        .any(|(_, told)| told["capabilities"]["input"]["image"] == true);
    let default = || {
        let (provider, model) = providers["default"].as_object()?.iter().next()?;
        Some(format!("{provider}/{}", model.as_str()?))
    };
    let choices = models.iter().map(|(value, told)| SettingChoice {
        value: value.clone(),
        name: word(&told["name"]).unwrap_or_else(|| value.clone()),
        description: None,
    });
    let settings = [
        setting(
            "model",
            "Model",
            in_force.0.map(str::to_owned).or_else(default),
            choices.collect(),
        ),
        setting(
            "mode",
            "Agent",
            in_force
                .1
                .map(str::to_owned)
                .or_else(|| modes.first().map(|mode| mode.value.clone())),
            modes,
        ),
    ];
    let commands = commands.as_array().into_iter().flatten();
    Offers {
        settings: settings.into_iter().flatten().collect(),
        commands: commands
            .filter_map(|command| {
                Some(AgentCommand {
                    name: word(&command["name"])?,
                    description: word(&command["description"]).unwrap_or_default(),
                    hint: None,
                })
            })
            .collect(),
        images,
    }
}

fn setting(
    id: &str,
    name: &str,
    current: Option<String>,
    choices: Vec<SettingChoice>,
) -> Option<AgentSetting> {
    (!choices.is_empty()).then(|| AgentSetting {
        id: id.into(),
        name: name.into(),
        category: Some(id.into()),
        current: current.unwrap_or_default(),
        choices,
    })
}

/// Every model, by `provider/model`.
fn models(providers: &Value) -> impl Iterator<Item = (String, &Value)> {
    let providers = providers["providers"].as_array().into_iter().flatten();
    providers.flat_map(|provider| {
        let id = provider["id"].as_str().unwrap_or_default();
        let models = provider["models"].as_object().into_iter().flatten();
        models.map(move |(model, told)| (format!("{id}/{model}"), told))
    })
}

/// How much a model can take.
pub(super) fn context_size(providers: &Value, model: &str) -> Option<u64> {
    let (_, told) = models(providers).find(|(name, _)| name == model)?;
    told["limit"]["context"].as_u64().filter(|&size| size > 0)
}
