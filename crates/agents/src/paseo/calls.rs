//! What is asked of one agent, over each transport: the same results and errors.

use serde_json::{Value, json};

use crate::backend::resolve;
use crate::error::AgentError;
use crate::offered;
use crate::paseo::process::Call;
use crate::paseo::{Inner, Route, frames, wire};
use crate::types::{
    AgentId, AgentInfo, AgentStatus, Archived, ImportSession, ListAgents, NewAgent,
    PermissionAnswer, TimelineEntry,
};

impl Inner {
    /// One agent by its full id.
    pub(super) async fn get(&self, route: &Route, id: &str) -> Result<AgentInfo, AgentError> {
        match route {
            Route::Socket(secret) => {
                let mut payload = self
                    .ask(
                        secret.as_ref(),
                        "fetch_agent_request",
                        json!({"agentId": id}),
                    )
                    .await?;
                match payload.get_mut("agent").map(Value::take) {
                    Some(agent @ Value::Object(_)) => self.read_agent("fetch_agent_request", agent),
                    _ => Err(AgentError::UnknownAgent { agent: id.into() }),
                }
            }
            Route::Program(cli) => {
                let value = self
                    .call(
                        cli,
                        id,
                        Call {
                            command: &["inspect"],
                            operands: vec![id.into()],
                            ..Call::default()
                        },
                    )
                    .await?;
                wire::inspect(&self.id, value, std::env::var("HOME").ok().as_deref())
            }
        }
    }

    pub(super) async fn inspect(&self, name: &str) -> Result<AgentInfo, AgentError> {
        let route = self.route().await?;
        if is_full_id(name) {
            return self.get(&route, name).await;
        }
        // A prefix is resolved here, so that one that fits two agents is refused in the same words
        // by both transports.
        let which = ListAgents {
            archived: true,
            ..ListAgents::default()
        };
        let agents = self.list(which, false).await?;
        let id = resolve(&agents, name)?.id.clone();
        self.get(&route, &id.0).await
    }

    pub(super) async fn start(&self, agent: NewAgent) -> Result<AgentInfo, AgentError> {
        check_cwd(&agent.cwd)?;
        if agent.provider.trim().is_empty() {
            return Err(AgentError::BadRequest {
                field: "provider".into(),
                message: "is empty; name one that the daemon has: `claude`, `codex`, `opencode`"
                    .into(),
            });
        }
        match self.route().await? {
            Route::Socket(secret) => {
                let mut config = json!({"provider": agent.provider, "cwd": agent.cwd});
                for (name, value) in [
                    ("title", &agent.title),
                    ("model", &agent.model),
                    ("modeId", &agent.mode),
                ] {
                    if let Some(value) = value {
                        config[name] = json!(value);
                    }
                }
                let payload = self
                    .socket
                    .request(
                        "create_agent_request",
                        json!({"config": config, "labels": agent.labels}),
                        secret.as_ref(),
                        self.config.deadlines.start,
                    )
                    .await?;
                self.made("create_agent_request", payload)
            }
            // `run` can't make an agent without a first prompt.
            Route::Program(_) => Err(AgentError::Unsupported {
                backend: self.id.0.clone(),
                what: "start an agent without a prompt".into(),
                reason: "the `paseo` program always prompts; reach the daemon over its socket"
                    .into(),
            }),
        }
    }

    fn made(&self, what: &str, mut payload: Value) -> Result<AgentInfo, AgentError> {
        match payload.get_mut("agent").map(Value::take) {
            Some(agent @ Value::Object(_)) => self.read_agent(what, agent),
            _ => Err(AgentError::Refused {
                what: what.into(),
                code: payload
                    .get("status")
                    .and_then(Value::as_str)
                    .unwrap_or("no agent")
                    .into(),
                message: frames::readable(
                    payload
                        .get("error")
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                ),
            }),
        }
    }

    pub(super) async fn import(&self, session: ImportSession) -> Result<AgentInfo, AgentError> {
        for (field, value) in [
            ("provider", &session.provider),
            ("session", &session.session),
        ] {
            if value.trim().is_empty() {
                return Err(AgentError::BadRequest {
                    field: field.into(),
                    message: "is empty".into(),
                });
            }
        }
        if let Some(cwd) = &session.cwd {
            check_cwd(cwd)?;
        }
        if let Some(name) = session
            .labels
            .keys()
            .find(|name| name.is_empty() || name.contains('='))
        {
            return Err(AgentError::BadRequest {
                field: "labels".into(),
                message: format!("has the name `{name}`; a name is not empty and holds no `=`"),
            });
        }
        match self.route().await? {
            Route::Socket(secret) => {
                let mut body = json!({
                    "provider": session.provider,
                    "sessionId": session.session,
                    "labels": session.labels,
                });
                if let Some(cwd) = &session.cwd {
                    body["cwd"] = json!(cwd);
                }
                let payload = self
                    .socket
                    .request(
                        "import_agent_request",
                        body,
                        secret.as_ref(),
                        self.config.deadlines.start,
                    )
                    .await?;
                self.made("import_agent_request", payload)
            }
            Route::Program(cli) => {
                let mut options = vec!["--provider".into(), session.provider.clone()];
                if let Some(cwd) = &session.cwd {
                    options.extend(["--cwd".into(), cwd.clone()]);
                }
                for (name, value) in &session.labels {
                    options.extend(["--label".into(), format!("{name}={value}")]);
                }
                let call = Call {
                    command: &["import"],
                    options,
                    operands: vec![session.session.clone()],
                    prompt: None,
                };
                let value = self.call(&cli, &session.session, call).await?;
                let said = wire::said("import", value)?;
                let id = said.agent.ok_or_else(|| {
                    self.garbled("paseo import", "it has no `agentId`", &Value::Null)
                })?;
                let mut agent = self.get(&Route::Program(cli), &id).await?;
                // The program does not print labels back; these are the ones it was given.
                agent.labels = session.labels;
                Ok(agent)
            }
        }
    }

    pub(super) async fn stop(&self, id: &AgentId) -> Result<bool, AgentError> {
        let route = self.route().await?;
        match &route {
            Route::Socket(secret) => {
                // A cancel of an unknown agent is never answered, so the agent is looked up first.
                let ran = self.get(&route, &id.0).await?.status.is_busy();
                if ran {
                    self.ask(
                        secret.as_ref(),
                        "cancel_agent_request",
                        json!({"agentId": id.0}),
                    )
                    .await?;
                }
                Ok(ran)
            }
            Route::Program(cli) => {
                let call = Call {
                    command: &["stop"],
                    operands: vec![id.0.clone()],
                    ..Call::default()
                };
                wire::stopped(&self.call(cli, &id.0, call).await?)
            }
        }
    }

    pub(super) async fn answer(
        &self,
        id: &AgentId,
        permission: &str,
        answer: PermissionAnswer,
    ) -> Result<(), AgentError> {
        let gone = || AgentError::PermissionGone {
            permission: permission.into(),
        };
        match self.route().await? {
            Route::Socket(secret) => {
                // The daemon answers for a permission under the permission's own id, so it must be
                // the full one.
                let agent = self.get(&Route::Socket(secret.clone()), &id.0).await?;
                let request = agent
                    .permissions
                    .iter()
                    .find(|pending| !permission.is_empty() && pending.id.starts_with(permission))
                    .ok_or_else(gone)?;
                let full = &request.id;
                // A daemon that offers nothing takes the plain words.
                let chosen = offered::chosen(request, &answer)?;
                let denies = match (&answer, chosen) {
                    (PermissionAnswer::Choose { .. }, Some(option)) => {
                        option.kind.starts_with("reject")
                    }
                    (PermissionAnswer::Deny { .. }, _) => true,
                    _ => false,
                };
                let mut response = json!({"behavior": if denies { "deny" } else { "allow" }});
                if let (
                    PermissionAnswer::AllowAlways | PermissionAnswer::Choose { .. },
                    Some(option),
                ) = (&answer, chosen)
                {
                    response["selectedActionId"] = json!(option.id);
                }
                if let PermissionAnswer::Deny { message, interrupt } = &answer {
                    if let Some(message) = message {
                        response["message"] = json!(message);
                    }
                    if *interrupt {
                        response["interrupt"] = json!(true);
                    }
                }
                let body = json!({"agentId": id.0, "requestId": full, "response": response});
                match self
                    .ask(secret.as_ref(), "agent_permission_response", body)
                    .await
                {
                    Ok(_) => Ok(()),
                    Err(AgentError::Refused { message, .. })
                        if message.contains("No pending permission") =>
                    {
                        Err(gone())
                    }
                    Err(error) => Err(error),
                }
            }
            Route::Program(cli) => {
                // The program knows requests by the first eight characters of their ids.
                let short: String = permission.chars().take(8).collect();
                let mut options = Vec::new();
                let command: &[&str] = match &answer {
                    PermissionAnswer::Choose { option } => {
                        return Err(AgentError::Unsupported {
                            backend: self.id.0.clone(),
                            what: "answer with an option of the agent's".into(),
                            reason: format!(
                                "the `paseo` program takes no `{option}`; allow, deny, or reach the daemon over its socket"
                            ),
                        });
                    }
                    PermissionAnswer::Allow | PermissionAnswer::AllowAlways => &["permit", "allow"],
                    PermissionAnswer::Deny { message, interrupt } => {
                        if let Some(message) = message {
                            // One word with its option, so that a leading dash is part of the message.
                            options.push(format!("--message={message}"));
                        }
                        if *interrupt {
                            options.push("--interrupt".into());
                        }
                        &["permit", "deny"]
                    }
                };
                let call = Call {
                    command,
                    options,
                    operands: vec![id.0.clone(), short],
                    prompt: None,
                };
                self.call(&cli, permission, call).await.map(|_| ())
            }
        }
    }

    pub(super) async fn timeline(&self, id: &AgentId) -> Result<Vec<TimelineEntry>, AgentError> {
        match self.route().await? {
            Route::Socket(secret) => {
                let body = json!({"agentId": id.0, "direction": "tail", "limit": 0, "projection": "projected"});
                let payload = self.ask(secret.as_ref(), "fetch_agent_timeline_request", body).await?;
                let timeline: frames::Timeline = serde_json::from_value(payload)
                    .map_err(|error| self.garbled("fetch_agent_timeline_request", error, &Value::Null))?;
                if let Some(error) = timeline.error {
                    return Err(if error.contains("not found") {
                        AgentError::UnknownAgent { agent: id.0.clone() }
                    } else {
                        AgentError::Refused {
                            what: "fetch_agent_timeline_request".into(),
                            code: "error".into(),
                            message: error,
                        }
                    });
                }
                let epoch = timeline.epoch.as_deref();
                Ok(timeline.entries.into_iter().filter_map(|entry| entry.read_back(epoch)).collect())
            }
            Route::Program(_) => Err(AgentError::Unsupported {
                backend: self.id.0.clone(),
                what: "read a conversation back".into(),
                reason: "the `paseo` program prints it for people only; reach the daemon over its socket".into(),
            }),
        }
    }

    pub(super) async fn close(&self, id: &AgentId, force: bool) -> Result<Archived, AgentError> {
        let route = self.route().await?;
        match &route {
            Route::Socket(secret) => {
                let agent = self.get(&route, &id.0).await?;
                let already = agent.status == AgentStatus::Archived;
                if agent.status.is_busy() && !force {
                    return Err(AgentError::Busy { agent: id.clone() });
                }
                let payload = self
                    .ask(
                        secret.as_ref(),
                        "archive_agent_request",
                        json!({"agentId": id.0}),
                    )
                    .await?;
                Ok(Archived {
                    at: payload
                        .get("archivedAt")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    already,
                })
            }
            Route::Program(cli) => {
                // The program also takes a part of a title; only a full id can't hit another agent.
                if !is_full_id(&id.0) {
                    return Err(AgentError::UnknownAgent {
                        agent: id.0.clone(),
                    });
                }
                let call = Call {
                    command: &["archive"],
                    options: if force {
                        vec!["--force".into()]
                    } else {
                        Vec::new()
                    },
                    operands: vec![id.0.clone()],
                    prompt: None,
                };
                let output = cli.run(&call, &self.limits()).await?;
                if let Some(at) = wire::archived_before(&output) {
                    return Ok(Archived { at, already: true });
                }
                let value = wire::document(
                    wire::Asked {
                        command: "archive",
                        host: &self.host,
                        about: &id.0,
                    },
                    &output,
                )?;
                Ok(Archived {
                    at: value
                        .get("archivedAt")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    already: false,
                })
            }
        }
    }
}

/// A full id as the daemon makes them: a UUID.
fn is_full_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok() && text.len() == 36
}

fn check_cwd(cwd: &str) -> Result<(), AgentError> {
    if cwd.starts_with('/') {
        Ok(())
    } else {
        Err(AgentError::BadRequest {
            field: "cwd".into(),
            message: format!("is `{cwd}`; give an absolute path"),
        })
    }
}
