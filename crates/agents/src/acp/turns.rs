//! Prompts: one turn after the other, stopped, and answered when it asks.

use std::sync::Arc;
use std::time::Duration;

use agent_client_protocol::UntypedMessage;
use agent_client_protocol::v1::schema::{
    CancelNotification, ContentBlock, ImageContent, PromptRequest, TextContent,
};
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::acp::link::Link;
use crate::acp::session::Session;
use crate::acp::{Asker, Inner};
use crate::backend::no_images;
use crate::error::AgentError;
use crate::offered;
use crate::process::sleep;
use crate::turn::{Turn, TurnWriter, turn};
use crate::types::{AgentEvent, AgentId, AgentStatus, Outcome, PermissionAnswer, Prompt, Usage};

impl Inner {
    pub(super) async fn prompt(
        self: &Arc<Self>,
        agent: &AgentId,
        prompt: Prompt,
        asker: &Asker,
    ) -> Result<Turn, AgentError> {
        let session = self.find(agent)?;
        let busy = session.state.lock().held.status.is_busy();
        if busy {
            if !prompt.replace {
                return Err(AgentError::Busy {
                    agent: agent.clone(),
                });
            }
            self.stop(agent).await?;
        }
        let link = self.warm(&session, asker).await?;
        if !link.sees() {
            no_images(&self.id, &prompt)?;
        }
        let (turn, writer) = turn();
        {
            let mut state = session.state.lock();
            if state.held.status.is_busy() {
                return Err(AgentError::Busy {
                    agent: agent.clone(),
                });
            }
            state.held.begin(&writer, &prompt.text);
            state.stop_at_permission = prompt.stop_at_permission;
            state.used = Instant::now();
        }
        session.happened(AgentEvent::Prompt {
            text: prompt.text.clone(),
        });
        session.happened(AgentEvent::Started);
        session.changed();
        let inner = self.clone();
        tokio::spawn(async move { inner.follow(session, link, writer, prompt).await });
        Ok(turn)
    }

    async fn follow(
        self: Arc<Self>,
        session: Arc<Session>,
        link: Arc<Link>,
        writer: TurnWriter,
        prompt: Prompt,
    ) {
        let deadlines = &self.config.deadlines;
        let mut content = vec![ContentBlock::Text(TextContent::new(prompt.text))];
        content.extend(
            prompt
                .images
                .into_iter()
                .map(|image| ContentBlock::Image(ImageContent::new(image.data, image.mime_type))),
        );
        let request = PromptRequest::new(session.id.clone(), content);
        let answer = async {
            let request = UntypedMessage::new("session/prompt", request)?;
            link.agent.send_request(request).block_task().await
        };
        tokio::pin!(answer);
        let timeout = prompt.timeout_ms.map(Duration::from_millis);
        let timed_out = sleep(timeout);
        tokio::pin!(timed_out);
        let heard = session.state.lock().heard.clone();
        let stopped = loop {
            let waits = !session.state.lock().pending.is_empty();
            let silent = (!waits).then_some(deadlines.silent_turn);
            tokio::select! {
                answered = &mut answer => {
                    let outcome = match answered {
                        Ok(response) => {
                            session.state.lock().deaths = 0;
                            session.state.lock().not_before = None;
                            if let Some(usage) = usage(&response) {
                                session.used(usage);
                            }
                            match response["stopReason"].as_str() {
                                Some("end_turn") => Outcome::Completed,
                                Some("cancelled") => Outcome::Cancelled,
                                Some("max_tokens") => failed("the agent ran out of tokens"),
                                Some("max_turn_requests") => failed("the agent reached its limit of requests in one turn"),
                                Some("refusal") => failed("the agent refused to go on"),
                                Some(other) => failed(&format!("the agent stopped: {other}")),
                                None => failed("the agent did not say why it stopped"),
                            }
                        }
                        Err(error) => {
                            let error = self.refused("session/prompt", &link, error).await;
                            if matches!(error, AgentError::Lost { .. }) {
                                self.died(&session);
                                *session.link.lock().await = None;
                            }
                            failed(&error.to_string())
                        }
                    };
                    session.finish(outcome);
                    return;
                }
                () = writer.cancelled().cancelled() => break Outcome::Cancelled,
                () = &mut timed_out => break Outcome::TimedOut,
                () = heard.notified() => {}
                () = sleep(silent) => break failed(&format!(
                    "nothing was heard of the agent for {} s, so it was stopped",
                    deadlines.silent_turn.as_secs_f32()
                )),
            }
        };
        session.cancel_pending();
        // An agent that can't even be told is ended below.
        let _ = link
            .agent
            .send_notification(CancelNotification::new(session.id.clone()));
        if tokio::time::timeout(deadlines.stop, answer).await.is_err() {
            tracing::warn!(
                agent = self.config.name,
                "an agent did not stop when told to; its process is ended"
            );
            *session.link.lock().await = None;
        }
        session.finish(stopped);
    }

    pub(super) async fn stop(&self, agent: &AgentId) -> Result<bool, AgentError> {
        let session = self.find(agent)?;
        let mut told = session.news.subscribe();
        let writer = {
            let state = session.state.lock();
            if !state.held.status.is_busy() {
                return Ok(false);
            }
            state.held.writer.clone()
        };
        match writer {
            Some(writer) => writer.cancelled().cancel(),
            // Its caller left when a permission was asked: the turn is ended with its questions.
            None => session.cancel_pending(),
        }
        let ended = async {
            while session.state.lock().held.status.is_busy() {
                if let Err(broadcast::error::RecvError::Closed) = told.recv().await {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(self.config.deadlines.stop * 2, ended).await;
        Ok(true)
    }

    pub(super) fn answer(
        &self,
        agent: &AgentId,
        id: &str,
        answer: PermissionAnswer,
    ) -> Result<bool, AgentError> {
        let session = self.find(agent)?;
        let (chosen, name, reply) = {
            let mut state = session.state.lock();
            let at = state
                .pending
                .iter()
                .position(|(request, _)| request.id == id)
                .ok_or_else(|| AgentError::PermissionGone {
                    permission: id.into(),
                })?;
            let request = &state.pending[at].0;
            let option = offered::chosen(request, &answer)?;
            let name = option.map_or("denied", |option| &option.name).to_owned();
            let chosen = option.map(|option| option.id.clone());
            if chosen.is_none() && !matches!(answer, PermissionAnswer::Deny { .. }) {
                return Err(AgentError::BadRequest {
                    field: "answer".into(),
                    message: format!("is not among what it asks; {}", offered::offers(request)),
                });
            }
            let (_, reply) = state.pending.remove(at);
            if state.pending.is_empty() {
                state.held.status = AgentStatus::Working;
            }
            (chosen, name, reply)
        };
        let interrupt = matches!(
            answer,
            PermissionAnswer::Deny {
                interrupt: true,
                ..
            }
        );
        if reply.send(chosen).is_err() {
            return Err(AgentError::PermissionGone {
                permission: id.into(),
            });
        }
        session.happened(AgentEvent::PermissionResolved {
            id: id.into(),
            answer: Some(name),
        });
        session.changed();
        Ok(interrupt)
    }
}

fn failed(message: &str) -> Outcome {
    Outcome::Failed {
        message: message.into(),
    }
}

/// What a turn has used, in the protocol's words, or in those that Gemini CLI has for it.
fn usage(response: &Value) -> Option<Usage> {
    let told = &response["usage"];
    let quota = &response["_meta"]["quota"]["token_count"];
    let count = |name: &str, other: &str| {
        let count = told[name].as_u64().or_else(|| quota[other].as_u64());
        count.unwrap_or(0)
    };
    let usage = Usage {
        input_tokens: count("inputTokens", "input_tokens"),
        output_tokens: count("outputTokens", "output_tokens"),
        cached_tokens: count("cachedReadTokens", "cached_tokens"),
        ..Usage::default()
    };
    (usage != Usage::default()).then_some(usage)
}
