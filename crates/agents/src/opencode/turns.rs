//! Turns: one after the other, stopped, and answered when they ask.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::AgentError;
use crate::offered::{chosen, offers};
use crate::opencode::http::Ask;
use crate::opencode::{Inner, is_gone, model_body, unknown, wire};
use crate::process::sleep;
use crate::turn::{Turn, turn};
use crate::types::{AgentId, Outcome, PermissionAnswer, Prompt};

/// How long a server is given to be done with a turn that failed or was stopped, before the next prompt.
const SETTLE: Duration = Duration::from_secs(3);

impl Inner {
    pub(super) async fn prompt(
        self: &Arc<Self>,
        agent: &AgentId,
        prompt: Prompt,
    ) -> Result<Turn, AgentError> {
        let id = &agent.0;
        self.ensure(id).await?;
        if self.info(id)?.status.is_busy() {
            if !prompt.replace {
                return Err(AgentError::Busy {
                    agent: agent.clone(),
                });
            }
            self.stop(id, Outcome::Cancelled).await?;
        }
        if let Some(settled) = self.with(id, |session, _| session.settled.clone())? {
            let _ = tokio::time::timeout(SETTLE, settled.cancelled()).await;
        }
        if !self.with(id, |session, _| session.read)? {
            self.read_back(id).await?;
        }
        let command = self.command(id, &prompt.text).await?;
        let (cwd, model, mode) = self.with(id, |session, _| {
            let info = &session.info;
            (info.cwd.clone(), info.model.clone(), info.mode.clone())
        })?;
        let (turn, writer) = turn();
        let over = self.with(id, |session, out| {
            if session.run.is_some() {
                return Err(AgentError::Busy {
                    agent: agent.clone(),
                });
            }
            session.begin(&writer, &prompt.text, prompt.stop_at_permission);
            session.changed(&self.id, out);
            Ok(session.run.as_ref().map(|run| run.over.clone()))
        })??;
        let mut body = json!({});
        if let Some(mode) = mode {
            body["agent"] = json!(mode);
        }
        let images = prompt.images.iter().map(|image| {
            json!({
                "type": "file",
                "mime": image.mime_type,
                "url": format!("data:{};base64,{}", image.mime_type, image.data),
            })
        });
        let mut parts: Vec<_> = images.collect();
        match command {
            Some((name, arguments)) => {
                body["command"] = json!(name);
                body["arguments"] = json!(arguments);
                body["parts"] = json!(parts);
                if let Some(model) = model {
                    body["model"] = json!(model);
                }
                let inner = Arc::clone(self);
                let id = id.clone();
                // It is answered when all is done.
                tokio::spawn(async move { inner.run_command(&id, &cwd, &body).await });
            }
            None => {
                parts.insert(0, json!({ "type": "text", "text": prompt.text }));
                body["parts"] = json!(parts);
                if let Some(model) = model {
                    body["model"] = model_body(&model, "modelID");
                }
                let path = format!("/session/{id}/prompt_async");
                let taken = self.ask("POST", &path, Some(&cwd), Some(&body)).await;
                if let Err(error) = taken {
                    let _ = self.with(id, |session, out| {
                        session.not_begun();
                        session.changed(&self.id, out);
                    });
                    return Err(if is_gone(&error) { unknown(id) } else { error });
                }
            }
        }
        let timeout = prompt.timeout_ms.map(Duration::from_millis);
        let (inner, id) = (Arc::clone(self), id.clone());
        let over = over.unwrap_or_default();
        tokio::spawn(async move {
            let outcome = tokio::select! {
                () = over.cancelled() => return,
                () = writer.cancelled().cancelled() => Outcome::Cancelled,
                () = sleep(timeout) => Outcome::TimedOut,
            };
            if let Err(error) = inner.stop(&id, outcome).await {
                tracing::warn!(%error, "an agent could not be stopped");
            }
        });
        Ok(turn)
    }

    /// The command that a prompt begins with, and what follows it.
    async fn command(&self, id: &str, text: &str) -> Result<Option<(String, String)>, AgentError> {
        let Some(line) = text.strip_prefix('/') else {
            return Ok(None);
        };
        self.offer(id).await?;
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let known = self.info(id)?.offers.commands;
        let known = known.iter().any(|command| command.name == name);
        Ok(known.then(|| (name.to_owned(), arguments.trim().to_owned())))
    }

    async fn run_command(&self, id: &str, cwd: &str, body: &Value) {
        let path = format!("/session/{id}/command");
        let ask = Ask {
            method: "POST",
            path: &path,
            cwd: Some(cwd),
            body: Some(body),
        };
        let done = match self.password().await {
            Ok(password) => self.http.exchange(ask, password.as_ref()).await,
            Err(error) => Err(error),
        };
        // A connection that is lost is the listener's to find out.
        if let Err(error @ AgentError::Refused { .. }) = done {
            let _ = self.with(id, |session, out| {
                session.cut_off(&error.to_string(), &self.id, out);
            });
        }
    }

    /// Stops the turn that runs, which is to end like this.
    pub(super) async fn stop(&self, id: &str, outcome: Outcome) -> Result<bool, AgentError> {
        let over = self.with(id, |session, _| {
            session.run.as_mut().map(|run| {
                run.stopped.get_or_insert(outcome);
                run.over.clone()
            })
        })?;
        let Some(over) = over else {
            return Ok(false);
        };
        let path = format!("/session/{id}/abort");
        let asked = self.ask("POST", &path, Some(&self.cwd(id)?), None).await;
        let ended = tokio::time::timeout(self.config.deadlines.stop, over.cancelled()).await;
        if ended.is_err() {
            self.with(id, |session, out| session.finish(&self.id, out))?;
        }
        asked.map(|_| true)
    }

    pub(super) async fn answer(
        &self,
        id: &str,
        permission: &str,
        answer: PermissionAnswer,
    ) -> Result<(), AgentError> {
        let gone = || AgentError::PermissionGone {
            permission: permission.to_owned(),
        };
        let (request, question) = self
            .with(id, |session, _| {
                let mut asked = session.asked.iter();
                let asked = asked.find(|asked| asked.request.id == permission)?;
                Some((asked.request.clone(), asked.question.clone()))
            })?
            .ok_or_else(gone)?;
        let option = chosen(&request, &answer)?.ok_or_else(|| AgentError::BadRequest {
            field: "answer".into(),
            message: format!("is not offered; {}", offers(&request)),
        })?;
        let key = permission.split('#').next().unwrap_or(permission);
        let (path, body) = match question {
            None => {
                let mut body = json!({ "reply": option.id });
                if let PermissionAnswer::Deny {
                    message: Some(message),
                    ..
                } = &answer
                {
                    body["message"] = json!(message);
                }
                (format!("/permission/{key}/reply"), body)
            }
            Some(_) if option.id == "reject" => (format!("/question/{key}/reject"), json!({})),
            Some(mut question) => {
                question.answers.push(vec![option.id.clone()]);
                if wire::question(&question.told, question.answers.len()).is_some() {
                    let key = json!(key);
                    self.with(id, |session, out| {
                        session.answered(&key, &option.name, &self.id, out);
                    })?;
                    let told = question.told.clone();
                    self.asked(&told, Some(question));
                    return Ok(());
                }
                let body = json!({ "answers": question.answers });
                (format!("/question/{key}/reply"), body)
            }
        };
        let told = self
            .ask("POST", &path, Some(&self.cwd(id)?), Some(&body))
            .await;
        if told.as_ref().is_err_and(is_gone) {
            let key = json!(key);
            self.with(id, |session, out| {
                session.answered(&key, "answered elsewhere", &self.id, out);
            })?;
            return Err(gone());
        }
        told?;
        if let PermissionAnswer::Deny {
            interrupt: true, ..
        } = answer
        {
            self.stop(id, Outcome::Cancelled).await?;
        }
        Ok(())
    }
}
