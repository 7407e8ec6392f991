//! Prompts: one turn after the other, stopped, and answered when it asks.

use std::sync::Arc;
use std::time::Duration;

use agent_client_protocol::v1::schema::{
    CancelNotification, ContentBlock, PermissionOptionKind, PromptRequest, StopReason, TextContent,
};
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::acp::Inner;
use crate::acp::link::Link;
use crate::acp::session::Session;
use crate::error::AgentError;
use crate::held::lock;
use crate::process::sleep;
use crate::turn::{Turn, TurnWriter, turn};
use crate::types::{AgentEvent, AgentId, AgentStatus, Outcome, PermissionAnswer, Prompt};

impl Inner {
    pub(super) async fn prompt(
        self: &Arc<Self>,
        agent: &AgentId,
        prompt: Prompt,
    ) -> Result<Turn, AgentError> {
        let session = self.find(agent)?;
        let busy = lock(&session.state).held.status.is_busy();
        if busy {
            if !prompt.replace {
                return Err(AgentError::Busy {
                    agent: agent.clone(),
                });
            }
            self.stop(agent).await?;
        }
        let link = self.warm(&session).await?;
        let (turn, writer) = turn();
        {
            let mut state = lock(&session.state);
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
        let request = PromptRequest::new(
            session.id.clone(),
            vec![ContentBlock::Text(TextContent::new(prompt.text))],
        );
        let answer = link.agent.send_request(request).block_task();
        tokio::pin!(answer);
        let timeout = prompt.timeout_ms.map(Duration::from_millis);
        let timed_out = sleep(timeout);
        tokio::pin!(timed_out);
        let heard = lock(&session.state).heard.clone();
        let stopped = loop {
            let waits = !lock(&session.state).pending.is_empty();
            let silent = (!waits).then_some(deadlines.silent_turn);
            tokio::select! {
                answered = &mut answer => {
                    let outcome = match answered {
                        Ok(response) => {
                            lock(&session.state).deaths = 0;
                            lock(&session.state).not_before = None;
                            match response.stop_reason {
                                StopReason::EndTurn => Outcome::Completed,
                                StopReason::Cancelled => Outcome::Cancelled,
                                StopReason::MaxTokens => failed("the agent ran out of tokens"),
                                StopReason::MaxTurnRequests => failed("the agent reached its limit of requests in one turn"),
                                StopReason::Refusal => failed("the agent refused to go on"),
                                _ => Outcome::Completed,
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
            let state = lock(&session.state);
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
            while lock(&session.state).held.status.is_busy() {
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
        let (request, reply) = {
            let mut state = lock(&session.state);
            let at = state
                .pending
                .iter()
                .position(|(request, _)| request.id == id)
                .ok_or_else(|| AgentError::PermissionGone {
                    permission: id.into(),
                })?;
            let taken = state.pending.remove(at);
            if state.pending.is_empty() {
                state.held.status = AgentStatus::Working;
            }
            taken
        };
        let first = |kinds: &[PermissionOptionKind]| {
            kinds.iter().find_map(|kind| {
                let word = match kind {
                    PermissionOptionKind::AllowOnce => "allow_once",
                    PermissionOptionKind::AllowAlways => "allow_always",
                    PermissionOptionKind::RejectOnce => "reject_once",
                    _ => "reject_always",
                };
                request
                    .options
                    .iter()
                    .find(|option| option.kind == word)
                    .map(|option| option.id.clone())
            })
        };
        use PermissionOptionKind as K;
        let (chosen, interrupt) = match answer {
            PermissionAnswer::Allow => (first(&[K::AllowOnce, K::AllowAlways]), false),
            PermissionAnswer::AllowAlways => (first(&[K::AllowAlways, K::AllowOnce]), false),
            PermissionAnswer::Deny { interrupt, .. } => {
                (first(&[K::RejectOnce, K::RejectAlways]), interrupt)
            }
        };
        if reply.send(chosen).is_err() {
            return Err(AgentError::PermissionGone {
                permission: id.into(),
            });
        }
        session.happened(AgentEvent::PermissionResolved { id: id.into() });
        session.changed();
        Ok(interrupt)
    }
}

fn failed(message: &str) -> Outcome {
    Outcome::Failed {
        message: message.into(),
    }
}
